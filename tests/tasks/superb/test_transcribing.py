"""Phones and letters of SUPERB: tokens, decoding, padding, learning."""

import copy

import pytest
import torch
from speechbrain.dataio.batch import PaddedData
from torch.nn.utils.rnn import pad_sequence

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs
from speechbrain_mtl.tasks.superb import (
    PhoneRecognition,
    SlotFilling,
    SpeechRecognition,
)
from speechbrain_mtl.tasks.superb.symbols import LetterTokens, PhoneTokens
from speechbrain_mtl.tasks.transcription import PLAIN

ENTRIES = {
    "u1": {
        "phones": ["HH", "AH0", "L", "L", "OW1"],
        "text": "hello",
        "bio": ["B-word"],
    },
    "u2": {
        "phones": ["SIL", "S", "OW1", "SIL"],
        "text": "so it is",
        "bio": ["O", "B-word", "I-word"],
    },
    "u3": {"phones": ["T", "IY2"], "text": "tea", "bio": ["O"]},
}
SMALL = {"projection": 8, "hidden_size": 6, "layers": 2, "augment": None}
TASKS = {
    "pr": lambda **s: PhoneRecognition(projection=8, **s),
    "asr": lambda **s: SpeechRecognition(**SMALL, **s),
    "sf": lambda **s: SlotFilling(**SMALL, **s),
}


def made(name, **settings):
    torch.manual_seed(0)
    task = TASKS[name](**settings)
    task.prepare((5,), ENTRIES)
    return task


def batch(task, sizes=(40, 33, 25)):
    """Frames with something in the padding, and the targets."""
    torch.manual_seed(1)
    frames = torch.randn(3, max(sizes), 5)
    ids = [task.encode(entry) for entry in ENTRIES.values()]
    count = torch.tensor([len(i) for i in ids])
    data = pad_sequence(ids, True, padding_value=2)
    target = PaddedData(data, count / count.max())
    encoded = Encoded((frames,), torch.tensor(sizes), 0.02, 0.0)
    return encoded, Inputs(None, None, target=target), count


@pytest.mark.parametrize("name", TASKS)
def test_a_padded_batch_is_like_single_utterances(name):
    task = made(name).eval()
    encoded, inputs, counts = batch(task)
    whole, answers = task(encoded, inputs), task.predict(encoded, inputs)
    total = 0.0
    for row, (size, count) in enumerate(zip(encoded.lens, counts)):
        frames = encoded.layers[0][row : row + 1, :size]
        one = Encoded((frames,), size[None], 0.02, 0.0)
        target = PaddedData(
            inputs.target.data[row : row + 1, :count], torch.ones(1)
        )
        alone = Inputs(None, None, target=target)
        total += task(one, alone).item() * int(count)
        assert task.predict(one, alone) == [answers[row]]
    assert whole.item() == pytest.approx(total / int(counts.sum()), rel=1e-4)
    # Scores depend on the answers alone, whatever the order.
    found = dict(zip(ENTRIES, answers))
    back = dict(reversed(found.items()))
    assert task.score(found, ENTRIES) == task.score(back, ENTRIES)


def test_phones_are_numbered_as_in_superb():
    tokens = PhoneTokens("phones")
    tokens.fit(ENTRIES)
    assert tokens.labels[:5] == ["<eos>", "<unk>", "SIL", "SPN", "AA0"]
    assert tokens.labels[-3:] == ["Y", "Z", "ZH"]
    assert len(set(tokens.labels)) == 73
    assert sum(label[-1] in "012" for label in tokens.labels) == 45
    # Silence is no phone; the end is a token.
    ids = tokens.encode(ENTRIES["u2"])
    assert [tokens.labels[i - 1] for i in ids] == ["S", "OW1", "<eos>"]
    assert tokens.decode([0, *ids, 2]) == ["S", "OW1"]


def test_letters_are_numbered_as_in_superb():
    tokens = LetterTokens("text")
    tokens.fit(ENTRIES)
    # <s> is the blank.
    assert tokens.labels[:6] == ["<pad>", "</s>", "<unk>", "|", "E", "T"]
    assert "".join(tokens.labels[3:]) == "|ETAONIHSRDLUMCWFGYPBVK'XJQZ"
    said = [tokens.labels[i - 1] for i in tokens.encode(ENTRIES["u2"])]
    assert said == [*"SO|IT|IS|", "</s>"]
    assert tokens.decode(tokens.encode(ENTRIES["u2"])) == ["SO", "IT", "IS"]
    assert tokens.decode([1, 2, 3]) == []


def test_labels_may_be_learned():
    plain = {"u1": {"phones": ["S", "OW"], "text": "so\u00df"}}
    task = PhoneRecognition(projection=4, symbols="learned")
    task.prepare((5,), plain)
    assert task.labels == ["<eos>", "<unk>", "OW", "S"]
    assert task.encode(plain["u1"]).tolist() == [4, 3, 1]
    asr = SpeechRecognition(**SMALL, symbols="learned")
    asr.prepare((5,), plain)
    assert asr.labels == ["<pad>", "</s>", "<unk>", "O", "S", "|"]
    with pytest.raises(ValueError, match='give "superb" or "learned"'):
        PhoneRecognition(symbols="all")


def test_what_superb_cannot_spell_is_named():
    plain = {"u1": {"phones": ["S", "OW"], "text": "so 1"}}
    for task, what in ((made("pr"), "OW"), (made("asr"), "1")):
        (line,) = task.problems(plain)
        assert f"['{what}']" in line and 'symbols: "superb"' in line
        assert "u1" in line and "learned" in line
        with pytest.raises(ValueError, match=f"'{what}'.*superb"):
            task.encode(plain["u1"])
    assert made("pr").problems(ENTRIES) == []
    with pytest.raises(ValueError, match="no transcript in 'phones'"):
        PhoneRecognition().prepare((5,), {"u1": {"text": "so"}})


def best_path(task, path):
    """An encoded batch whose best tokens are those of a path."""
    number = {"_": 0, "$": task.tokens.number[task.tokens.end]}
    ids = [number.get(p) or task.tokens.number.get(p, 0) for p in path]
    vocabulary = len(task.labels) + 1
    logits = 5.0 * torch.nn.functional.one_hot(torch.tensor([ids]), vocabulary)
    logits[..., 0] -= 1.0  # never the second best
    task.log_probs = lambda encoded: (
        logits,
        torch.tensor([len(path)]),
    )
    return task.predict(None, None)[0][PLAIN]


@pytest.mark.parametrize(
    ("path", "now", "old"),
    [
        ("HHEELL__LLOO", "HELLO", "HELO"),
        # Ends go first under the old rule, too.
        ("HHEEL$LOO$", "HELLO", "HELO"),
        ("H_E|O_O$$", "HE OO", "HE O"),
    ],
)
def test_doubles_stay_unless_the_old_rule_is_asked_for(path, now, old):
    assert best_path(made("asr"), path) == now
    assert best_path(made("asr", legacy=True), path) == old
    path = ["S" if p == "L" else p for p in path if p not in "HEO|"]
    count = now.count("L"), old.count("L")
    for legacy, expected in zip((False, True), count):
        task = made("pr", legacy=legacy)
        assert best_path(task, path) == ["S"] * expected


@pytest.mark.parametrize(
    "task",
    [
        PhoneRecognition(projection=16, symbols="learned"),
        SpeechRecognition(
            projection=16,
            hidden_size=24,
            layers=1,
            dropout=0.0,
            augment=None,
            symbols="learned",
        ),  # fmt: skip
    ],
    ids=["pr", "asr"],
)
def test_it_learns(task):
    torch.manual_seed(0)
    task.prepare((20,), ENTRIES)
    encoded, inputs, counts = batch(task, sizes=(48, 48, 48))
    # Frames that tell which token is said: three of each, then a pause.
    frames = torch.zeros(3, 48, 20)
    for row, (ids, count) in enumerate(zip(inputs.target.data, counts)):
        for place, token in enumerate(ids[:count]):
            frames[row, 4 * place : 4 * place + 3, token] = 2.0
    encoded = Encoded((frames,), 4 * counts, 0.02, 0.0)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.02)
    for _ in range(150):
        loss = task(encoded, inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = dict(zip(ENTRIES, task.eval().predict(encoded, inputs)))
    assert {score.value for score in task.score(found, ENTRIES)} == {0.0}


def test_rates_are_counted_over_all_utterances():
    task = made("pr")
    said = {
        "u1": {PLAIN: ["HH", "AH0", "L", "OW1"]},
        "u2": {PLAIN: ["S", "OW0"]},
        "u3": {PLAIN: ["T", "IY2"]},
    }
    (rate,) = task.score(said, ENTRIES)
    # A phone lost, and a stress mistaken, of nine phones.
    assert (rate.metric, rate.n) == ("PER", 9)
    assert rate.value == pytest.approx(2 / 9)
    said = {name: {PLAIN: e["text"].upper()} for name, e in ENTRIES.items()}
    said["u2"] = {PLAIN: "SO IT"}
    word, letter = made("asr").score(said, ENTRIES)
    assert (word.metric, word.n, word.value) == ("WER", 5, 0.2)
    assert letter.value == pytest.approx(3 / 16)


def test_a_checkpoint_of_other_tokens_is_refused():
    state = copy.deepcopy(made("pr").state_dict())
    made("pr").load_state_dict(state)
    other = PhoneRecognition(projection=8, symbols="learned")
    other.prepare((5,), ENTRIES)
    with pytest.raises(ValueError, match="Train anew"):
        other.load_state_dict(state)
