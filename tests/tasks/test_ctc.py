"""CTC against sums over all paths; padding, problems and scores."""

import copy
import functools
import itertools
import math

import numpy as np
import pytest
import torch
from speechbrain.dataio.batch import PaddedData
from speechbrain.decoders.ctc import CTCBeamSearcher

from speechbrain_mtl.data.corpora.timit_phones import scored_phone
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.trunk import RecurrentTrunk, average_groups
from speechbrain_mtl.tasks import CTCTask, Inputs
from speechbrain_mtl.tasks.ctc import ctc_per_label
from speechbrain_mtl.tasks.tokens import CharacterTokens, LabelTokens

PHONES = {
    "u1": {"phones": ["s", "ow", "s"], "speaker": "ann"},
    "u2": {"phones": ["t", "t"], "speaker": "bob"},
    "u3": {"phones": ["ow"], "speaker": "ann"},
}


def made(**settings):
    torch.manual_seed(0)
    settings = {"hidden_size": 6, "dropout": 0.0, **settings}
    task = CTCTask(LabelTokens("phones"), **settings)
    task.prepare((5,), PHONES)
    return task


def batch(task, sizes=(9, 7, 4), dim=5):
    """Frames with something in the padding, and the targets."""
    torch.manual_seed(1)
    frames = torch.randn(len(sizes), max(sizes), dim)
    lens = torch.tensor(sizes)
    ids = [task.encode(entry) for entry in PHONES.values()]
    count = torch.tensor([len(i) for i in ids])
    data = torch.nn.utils.rnn.pad_sequence(ids, True, padding_value=2)
    target = PaddedData(data, count / count.max())
    encoded = Encoded((frames,), lens, 0.01, 0.0)
    return encoded, Inputs(frames, lens / lens.max(), target=target)


def single(encoded, inputs, row):
    size, count = encoded.lens[row], inputs.target.lengths[row]
    count = round(float(count) * inputs.target.data.shape[1])
    frames = encoded.layers[0][row : row + 1, :size]
    target = inputs.target.data[row : row + 1, :count]
    return (
        Encoded((frames,), size[None], 0.01, 0.0),
        Inputs(frames, torch.ones(1), target=PaddedData(target, torch.ones(1))),
    )


def read(path):
    return [t for t, _ in itertools.groupby(path) if t]


def all_paths(probs):
    """Probability of every token sequence, by summing over all paths."""
    found = {}
    for path in itertools.product(range(probs.shape[1]), repeat=len(probs)):
        p = math.prod(float(probs[t, v]) for t, v in enumerate(path))
        said = tuple(read(path))
        found[said] = found.get(said, 0.0) + p
    return found


def test_the_loss_is_a_sum_over_all_paths():
    torch.manual_seed(0)
    log_probs = torch.randn(2, 5, 3).log_softmax(dim=-1)
    labels, counts = [(1, 1, 2), (2,)], torch.tensor([3, 1])
    lens = torch.tensor([5, 3])
    padded = torch.tensor([[1, 1, 2], [2, 2, 2]])
    loss, too_long = ctc_per_label(log_probs, lens, padded, counts)
    nll = [
        -math.log(all_paths(item[:size].exp())[said])
        for item, size, said in zip(log_probs, lens, labels)
    ]
    assert float(loss) == pytest.approx(sum(nll) / 4, rel=1e-5)
    assert float(too_long) == 0


def test_what_cannot_be_aligned_counts_neither_above_nor_below():
    torch.manual_seed(0)
    log_probs = torch.randn(2, 4, 3).log_softmax(dim=-1).requires_grad_()
    counts, lens = torch.tensor([2, 2]), torch.tensor([4, 2])
    labels = torch.tensor([[1, 2], [1, 1]])  # the second needs three frames
    loss, too_long = ctc_per_label(log_probs, lens, labels, counts)
    alone, _ = ctc_per_label(log_probs[:1], lens[:1], labels[:1], counts[:1])
    assert loss.item() == pytest.approx(alone.item())
    assert float(too_long) == 0.5
    loss.backward()
    assert torch.isfinite(log_probs.grad).all()
    assert not log_probs.grad[1].any()
    # With one more frame it counts.
    lens = torch.tensor([4, 3])
    fits, too_long = ctc_per_label(log_probs, lens, labels, counts)
    assert float(too_long) == 0 and fits.item() != alone.item()


def test_advice_is_given_when_labels_outnumber_frames():
    task = made()
    assert task.advice({"loss": 1.0, "too_long": 0.0}) is None
    assert "12.5 %" in task.advice({"loss": 1.0, "too_long": 0.125})
    encoded, inputs = batch(task, sizes=(9, 2, 4))
    task(encoded, inputs)
    assert float(task.measured["too_long"]) == pytest.approx(1 / 3)


def test_groups_are_averaged_like_in_a_loop():
    torch.manual_seed(0)
    x, lens = torch.randn(3, 8, 2), torch.tensor([8, 7, 1])
    pooled, counts = average_groups(x, lens, 3)
    assert counts.tolist() == [3, 3, 1]
    for row, size in enumerate(lens.tolist()):
        for place, start in enumerate(range(0, size, 3)):
            mean = x[row, start : min(start + 3, size)].mean(dim=0)
            torch.testing.assert_close(pooled[row, place], mean)
    assert not pooled[2, 1:].any()


@pytest.mark.parametrize(
    "settings",
    [{}, {"layers": 2, "projection": 4}, {"pooling": 2}, {"layers": 0}],
    ids=str,
)
def test_a_padded_batch_is_like_single_utterances(settings):
    task = made(**settings).eval()
    encoded, inputs = batch(task)
    whole, answers = task(encoded, inputs), task.predict(encoded, inputs)
    total = 0.0
    for row, entry in enumerate(PHONES.values()):
        one = single(encoded, inputs, row)
        total += float(task(*one)) * len(entry["phones"])
        assert task.predict(*one) == [answers[row]]
    assert float(whole) == pytest.approx(total / 6, rel=1e-5)


def test_gradients_reach_the_encoder():
    task = made()
    encoded, inputs = batch(task)
    encoded.layers[0].requires_grad_()
    task(encoded, inputs).backward()
    grad = encoded.layers[0].grad
    assert grad[0].any() and not grad[2, 4:].any()


def test_it_learns_to_transcribe():
    task = made(hidden_size=16)
    encoded, inputs = batch(task)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.03)
    for _ in range(80):
        loss = task(encoded, inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = dict(zip(PHONES, task.eval().predict(encoded, inputs)))
    assert found["u2"]["plain"] == ["t", "t"]
    (score,) = task.score(found, PHONES)
    assert (score.metric, score.value, score.n) == ("PER", 0.0, 6)


def levenshtein(ref, hyp):
    @functools.cache
    def edits(i, j):
        if not i or not j:
            return i + j
        return min(
            edits(i - 1, j) + 1,
            edits(i, j - 1) + 1,
            edits(i - 1, j - 1) + (ref[i - 1] != hyp[j - 1]),
        )

    return edits(len(ref), len(hyp))


def test_words_and_characters_are_counted():
    task = CTCTask(CharacterTokens("text"))
    entries = {
        "u1": {"text": "so it  is", "speaker": "a"},
        "u2": {"text": "his", "speaker": "b"},
    }
    task.prepare((4,), entries)
    said = {"u2": {"plain": ""}, "u1": {"plain": "so sit us"}}
    word, character = task.score(said, entries)
    assert (word.metric, word.value, word.n) == ("WER", 3 / 4, 4)
    edits = levenshtein("so it is", "so sit us") + 3
    assert (character.metric, character.value) == ("CER", edits / 11)
    assert character.n == 11 and word.interval[0] <= 0.75 <= word.interval[1]


def test_phones_are_scored_folded():
    task = CTCTask(LabelTokens("phones", True), scored_as=scored_phone)
    entries = {"u1": {"phones": ["h#", "ix", "q", "zh", "bcl"]}}
    task.prepare((4,), entries)
    said = {"u1": {"plain": ["pau", "ih", "sh"]}}
    (score,) = task.score(said, entries)
    # sil ih sh sil against sil ih sh; the glottal stop is not scored.
    assert (score.value, score.n) == (1 / 4, 4)
    assert task.problems({"u2": {"phones": ["q"]}}) != []


def test_problems_are_named_by_id():
    task = made()
    bad = {
        "empty": {"phones": []},
        "silent": {"phones": [[0, 1, "sil"]]},
        "gone": {},
        "other": {"phones": ["s", "zz"]},
        "wrong": {"phones": [1, 2]},
        "good": {"phones": ["s"]},
    }
    problems = task.problems(bad)
    assert [line.split(":")[0] for line in problems] == list(bad)[:-1]
    assert "zz" in problems[3] and "phones [] says nothing" in problems[0]


def test_bad_training_entries_are_left_to_problems():
    task = CTCTask(LabelTokens("phones"))
    task.prepare((4,), {"u1": {"phones": ["s"]}, "u2": {"phones": 7}, "u3": {}})
    assert task.labels == ["s"]


def beam(**settings):
    def make(**tokens):
        return CTCBeamSearcher(
            **tokens,
            beam_prune_logp=-1e9,
            token_prune_min_logp=-1e9,
            prune_history=False,
            **settings,
        )

    return make


@pytest.mark.parametrize("kind", ["labels", "characters"])
def test_the_beam_finds_the_likeliest_of_all_answers(kind):
    if kind == "labels":
        task = CTCTask(LabelTokens("phones"), beam=beam())
        task.prepare((5,), {"u1": {"phones": ["aa", "b"]}})
    else:
        task = CTCTask(CharacterTokens("text"), beam=beam())
        task.prepare((5,), {"u1": {"text": "a b"}})
    differ = 0
    for seed in range(20):
        torch.manual_seed(seed)
        log_probs = torch.randn(1, 5, len(task.labels) + 1).log_softmax(-1)
        if kind == "labels":
            totals = all_paths(log_probs[0].exp())
        else:
            totals = {}
            for ids, p in all_paths(log_probs[0].exp()).items():
                text = " ".join(task.tokens.decode(ids))
                totals[text] = totals.get(text, 0.0) + p
        best = max(totals, key=totals.get)
        best = task.answer(best) if kind == "labels" else best
        # What lies in padding must not be read.
        padded = torch.cat([log_probs, torch.zeros_like(log_probs)], dim=1)
        (found,) = task._search(padded, torch.tensor([5]))
        assert found == best
        greedy = read(log_probs[0].argmax(-1).tolist())
        differ += task.answer(greedy) != best
    assert differ  # else it would be no better than the best path


def test_the_beam_is_for_the_test_only():
    task = made(beam=beam(beam_size=4)).eval()
    encoded, inputs = batch(task)
    with torch.no_grad():
        assert {*task.predict(encoded, inputs)[0]} == {"plain"}
        task.testing = True
        answers = task.predict(encoded, inputs)
        for row in range(3):
            assert task.predict(*single(encoded, inputs, row)) == [answers[row]]
    scores = task.score(dict(zip(PHONES, answers)), PHONES)
    assert [s.metric for s in scores] == ["PER", "PER with beam search"]
    assert not scores[1].higher_is_better


def test_a_missing_language_model_is_named_before_training(
    tmp_path, monkeypatch
):
    path = tmp_path / "words.arpa"
    make = functools.partial(CTCBeamSearcher, kenlm_model_path=str(path))
    with pytest.raises(ValueError, match="no such language model"):
        CTCTask(CharacterTokens("text"), beam=make)
    path.write_text("")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install kenlm"):
        CTCTask(CharacterTokens("text"), beam=make)


def test_the_checkpoint_knows_its_tokens():
    task = made()
    state = copy.deepcopy(task.state_dict())
    made().load_state_dict(state)
    other = CTCTask(LabelTokens("phones"), hidden_size=6)
    other.prepare((5,), {"u1": {"phones": ["s", "ow", "zz"]}})
    with pytest.raises(ValueError, match="zz"):
        other.load_state_dict(state)


def test_single_frames_are_normalised_alone():
    torch.manual_seed(0)
    trunk = RecurrentTrunk(4, layers=0).eval()
    x = torch.randn(1, 6, 4)
    out, _ = trunk(x, torch.tensor([6]))
    scaled = x * torch.tensor([1, 2, 3, 4, 5, 6.0])[None, :, None] + 3
    again, _ = trunk(scaled, torch.tensor([6]))
    np.testing.assert_allclose(out.detach(), again.detach(), atol=1e-3)
