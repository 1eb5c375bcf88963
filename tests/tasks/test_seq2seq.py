"""Attention and CTC: loss against a loop, searches, language model, padding."""

import copy
import functools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.batch import PaddedData

from speechbrain_mtl.models import ContextFbank, Encoded
from speechbrain_mtl.tasks import Inputs, Seq2SeqTask
from speechbrain_mtl.tasks.attention_search import AttentionSearch
from speechbrain_mtl.tasks.language_model import LanguageModel
from speechbrain_mtl.tasks.sentence_pieces import SentencePieces
from speechbrain_mtl.tasks.tokens import CharacterTokens
from speechbrain_mtl.training import finetune

ENTRIES = {
    "u1": {"text": "ab ba"},
    "u2": {"text": "bab"},
    "u3": {"text": "a"},
}
LM = {"embedding_size": 8, "hidden_size": 16, "dnn_size": 16, "epochs": 3}


def made(**settings):
    torch.manual_seed(0)
    sizes = {
        "hidden_size": 8,
        "decoder_size": 12,
        "attention_size": 10,
        "attention_kernel": 3,
        "embedding_size": 6,
        "dropout": 0.0,
        "pooling": 1,
    }
    task = Seq2SeqTask(CharacterTokens("text"), **{**sizes, **settings})
    task.prepare((5,), ENTRIES)
    return task


def batch(task, sizes=(14, 11, 5)):
    """Frames with something in the padding, and the targets."""
    torch.manual_seed(1)
    frames = torch.randn(len(sizes), max(sizes), 5)
    lens = torch.tensor(sizes)
    ids = [task.encode(entry) for entry in ENTRIES.values()]
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


def attention_of(task, frames, ids):
    """Smoothed cross-entropy of one utterance, step by step."""
    decoder, total = task.decoder, 0.0
    decoder.attn.reset()
    context = torch.zeros(1, decoder.attn_dim)
    state, token = None, task.bos
    for wanted in [*ids, task.bos + 1]:
        out, state, context, _ = decoder.forward_step(
            task.embedding(torch.tensor([token])),
            state,
            context,
            frames,
            torch.tensor([frames.shape[1]]),
        )
        logs = task.out(out)[0].log_softmax(-1)
        total -= 0.9 * logs[wanted].item() + 0.1 * logs.mean().item()
        token = wanted
    decoder.attn.reset()
    return total


@pytest.mark.parametrize("pooling", [1, 2])
def test_the_attention_loss_is_that_of_single_steps(pooling):
    task = made(ctc_weight=0.0, pooling=pooling).eval()
    encoded, inputs = batch(task)
    found = task(encoded, inputs).item()
    total, count = 0.0, 0
    for row, entry in enumerate(ENTRIES.values()):
        one, _ = single(encoded, inputs, row)
        frames, _ = task.frames(one)
        ids = task.encode(entry).tolist()
        total += attention_of(task, frames, ids)
        count += len(ids) + 1
    assert found == pytest.approx(total / count, rel=1e-5)


def test_ctc_and_attention_are_weighed():
    losses = {}
    for weight in (0.0, 0.25, 1.0):
        task = made(ctc_weight=weight).eval()
        losses[weight] = task(*batch(task)).item()
    expected = 0.25 * losses[1.0] + 0.75 * losses[0.0]
    assert losses[0.25] == pytest.approx(expected, rel=1e-5)
    assert task.measured["ctc"].item() == pytest.approx(losses[1.0])
    assert task.measured["attention"].item() == pytest.approx(losses[0.0])
    with pytest.raises(ValueError, match="ctc_weight is 1.5"):
        made(ctc_weight=1.5)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_padded_batch_costs_what_single_utterances_cost(weight):
    task = made(ctc_weight=weight, pooling=2).eval()
    encoded, inputs = batch(task)
    total, count = 0.0, 0
    for row, entry in enumerate(ENTRIES.values()):
        size = len(entry["text"]) + (weight == 0.0)
        total += task(*single(encoded, inputs, row)).item() * size
        count += size
    assert task(encoded, inputs).item() == pytest.approx(total / count)


@pytest.mark.parametrize("ctc_weight", [0.0, 0.4])
@pytest.mark.parametrize("testing", [False, True])
def test_a_padded_batch_is_decoded_like_single_utterances(testing, ctc_weight):
    search = AttentionSearch(beam_size=4, ctc_weight=ctc_weight)
    answers = set()
    for seed in range(3):
        task = made(search=search, language_model=LanguageModel(**LM))
        torch.manual_seed(seed)
        for parameter in task.parameters():
            parameter.data.normal_(0, 0.5)
        task.eval().testing = testing
        encoded, inputs = batch(task)
        whole = task.predict(encoded, inputs)
        kinds = ["plain", "with LM"] if testing else ["plain"]
        assert [*whole[0]] == kinds
        for row in range(3):
            assert task.predict(*single(encoded, inputs, row)) == [whole[row]]
        answers |= {text for answer in whole for text in answer.values()}
    assert len(answers) > 3  # else there was nothing to tell apart


def test_padding_in_every_item_changes_nothing():
    search = AttentionSearch(beam_size=4, ctc_weight=0.4)
    task = made(search=search).eval()
    task.testing = True
    encoded, inputs = batch(task)
    found = task.predict(encoded, inputs)
    layers = (torch.nn.functional.pad(encoded.layers[0], (0, 0, 0, 4)),)
    longer = Encoded(layers, encoded.lens, 0.01, 0.0)
    assert task.predict(longer, inputs) == found


def trained(**settings):
    task = made(hidden_size=16, decoder_size=24, **settings)
    encoded, inputs = batch(task)
    optimizer = torch.optim.Adam(task.parameters(), lr=0.01)
    for _ in range(150):
        loss = task(encoded, inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return task.eval(), encoded, inputs


def test_it_learns_and_every_search_finds_it():
    # Little coverage: few frames are looked at for many tokens.
    search = AttentionSearch(beam_size=4, coverage=0.1, temperature=1.0)
    task, encoded, inputs = trained(
        label_smoothing=0.0,
        search=search,
        language_model=LanguageModel(**{**LM, "epochs": 30}),
    )
    said = [entry["text"] for entry in ENTRIES.values()]
    greedy = task.predict(encoded, inputs)
    assert [answer["plain"] for answer in greedy] == said
    task.testing = True
    found = task.predict(encoded, inputs)
    assert [answer["plain"] for answer in found] == said
    scores = task.score(dict(zip(ENTRIES, found)), ENTRIES)
    names = ["WER", "CER", "WER with LM", "CER with LM"]
    assert [score.metric for score in scores] == names
    assert scores[0].value == scores[1].value == 0
    # A language model that outshouts the decoder says something else.
    task.search = AttentionSearch(beam_size=4, coverage=0.0, lm_weight=50.0)
    loud = task.predict(encoded, inputs)
    assert [answer["with LM"] for answer in loud] != said


def test_the_language_model_is_no_part_of_the_model():
    task = made(language_model=LanguageModel(**LM)).eval()
    before = set(task.state_dict())
    task.testing = True
    task.predict(*batch(task))
    network = task.trained_language_model[0]
    own = {id(p) for p in task.parameters()}
    assert not own & {id(p) for p in network.parameters()}
    assert set(task.state_dict()) == before
    # Trained once.
    task.predict(*batch(task))
    assert task.trained_language_model[0] is network


def test_a_stored_language_model_is_checked_before_training(tmp_path):
    path = tmp_path / "lm.ckpt"
    LanguageModel(**LM, output_file=path).train([[1], [2]], ["a", "b"])
    with pytest.raises(ValueError, match="others than"):
        made(language_model=LanguageModel(**LM, model_file=path))


def test_gradients_reach_the_encoder_and_the_task_can_be_copied():
    task = made()
    encoded, inputs = batch(task)
    encoded.layers[0].requires_grad_()
    task(encoded, inputs).backward()
    grad = encoded.layers[0].grad
    assert grad[0].any() and not grad[2, 5:].any()
    copy.deepcopy(task)  # it keeps no graph of the last batch


def test_transcripts_that_pieces_cannot_spell_are_listed(tmp_path):
    path = tmp_path / "pieces.model"
    SentencePieces("text", size=5, output_file=path).fit(ENTRIES)
    tokens = SentencePieces("text", model_file=path)
    task = Seq2SeqTask(tokens)
    entries = {**ENTRIES, "u4": {"text": "abc"}}
    task.prepare((5,), entries)
    (problem,) = task.problems(entries)
    assert problem.startswith("u4: text has ['c']")


def test_the_test_alone_searches_and_both_scores_are_kept(tmp_path):
    texts = {0: "ab", 1: "ba", 2: "bab"}
    entries = {}
    for i in range(12):
        rng = np.random.default_rng(i)
        path = tmp_path / f"u{i}.wav"
        soundfile.write(path, 0.1 * rng.standard_normal(4000), 16000)
        entries[f"u{i}"] = {
            "wav": str(path),
            "duration": 0.25,
            "speaker": f"s{i % 2}",
            "text": texts[i % 3],
        }
    names = list(entries)
    parts = {
        "train": {n: entries[n] for n in names[:8]},
        "valid": {n: entries[n] for n in names[8:10]},
        "one": {n: entries[n] for n in names[10:11]},
        "two": {n: entries[n] for n in names[11:]},
    }
    tokens = SentencePieces(
        "text", size=5, output_file=tmp_path / "out" / "pieces.model"
    )
    task = Seq2SeqTask(
        tokens,
        hidden_size=8,
        decoder_size=8,
        attention_size=8,
        search=AttentionSearch(beam_size=2),
        language_model=LanguageModel(**LM),
    )
    opt_class = functools.partial(torch.optim.Adam, lr=0.001)
    encoder = ContextFbank()
    encoder.calibrate(0.1 * torch.randn(2, 16000), torch.ones(2))
    results = finetune(
        encoder,
        {"asr": task},
        parts,
        tmp_path / "out",
        opt_class,
        epochs=1,
        progressbar=False,
    )
    rates = ["WER", "CER", "WER with LM", "CER with LM"]
    wanted = [f"asr.{part}/{rate}" for part in ("one", "two") for rate in rates]
    assert list(results) == wanted
    assert all(0 <= r["value"] and r["n"] for r in results.values())
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert set(answers["two"]["asr"]["u11"]) == {"plain", "with LM"}
    log = (tmp_path / "out" / "train_log.jsonl").read_text()
    assert '"WER"' in log and "with LM" not in log
    assert (tmp_path / "out" / "pieces.model").is_file()


@pytest.mark.parametrize(
    "settings", [{"ctc_weight": 1.0}, {"ctc_weight": -0.1}, {"beam_size": 0}]
)
def test_bad_settings_of_the_search_are_refused(settings):
    with pytest.raises(ValueError, match="beam_size is"):
        AttentionSearch(**settings)


def test_the_papers_recogniser_is_built(tmp_path):
    block = Path(__file__).parents[2] / "hparams" / "blocks" / "asr_paper.yaml"
    (tmp_path / "a.yaml").write_text(f"asr: !include:{block}\n")
    with open(tmp_path / "a.yaml") as file:
        task = load_hyperpyyaml(file)["asr"]
    assert task.trunk_settings["hidden_size"] == 1024
    assert task.decoder_settings["hidden_size"] == 1024
    assert (task.search.beam_size, task.tokens.size) == (60, 1000)
    assert task.language_model.sizes["rnn_neurons"] == 2048
