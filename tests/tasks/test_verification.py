"""Speaker verification: from frames to error rates of trials."""

import functools
import itertools
import json
import zlib

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.evaluation import equal_error_rate, min_dcf
from speechbrain_mtl.evaluation.plda import PLDA
from speechbrain_mtl.evaluation.scoring import NormalisedCosine
from speechbrain_mtl.models import ContextFbank, Encoded
from speechbrain_mtl.tasks import Inputs, SpeakerVerification
from speechbrain_mtl.tasks.verification import check_trials
from speechbrain_mtl.training import finetune

SMALL = {
    "xvector": {"channels": [8] * 5, "embedding_size": 6},
    "ecapa": {
        "channels": 8, "scale": 2, "attention_size": 4, "squeeze_size": 4,
        "embedding_size": 6,
    },
}  # fmt: skip
HEADS = [("xvector", None), ("xvector", 0.2), ("ecapa", None), ("ecapa", 0.2)]
TRAIN = {f"{s}{i}": {"speaker": s} for s in ("ann", "bob") for i in range(4)}
NEW = {f"{s}{i}": {"speaker": s} for s in ("cat", "dan") for i in range(3)}
TRIALS = [[1, "cat0", "cat1"], [0, "cat0", "dan2"], [1, "dan0", "dan2"]]


def prepared(head="xvector", entries=TRAIN, **settings):
    torch.manual_seed(0)
    task = SpeakerVerification(head=head, sizes=SMALL[head], **settings)
    task.prepare((5,), entries)
    return task


def batch(lens, targets=None):
    """Encoded frames whose padding is wild, and their targets."""
    torch.manual_seed(2)
    x = torch.randn(len(lens), max(lens), 5)
    for row, length in enumerate(lens):
        x[row, length:] = 1e3
    encoded = Encoded((x,), torch.tensor(lens), 0.02, 0.0)
    target = None
    if targets is not None:
        data = torch.tensor(targets)[:, None]
        target = type("Target", (), {"data": data})
    return encoded, Inputs(None, None, target=target)


@pytest.mark.parametrize(("head", "margin"), HEADS)
def test_padding_changes_neither_loss_nor_embedding(head, margin):
    task = prepared(head, margin=margin)
    for _ in range(3):
        task(*batch([30, 20, 9], [0, 1, 0]))
    task.eval()
    encoded, inputs = batch([30, 20, 9], [0, 1, -1])
    together = task.predict(encoded, inputs)
    losses = []
    for row, length in enumerate([30, 20, 9]):
        alone = Encoded(
            (encoded.layers[0][row : row + 1, :length],),
            encoded.lens[row : row + 1], 0.02, 0.0,
        )  # fmt: skip
        (embedding,) = task.predict(alone, inputs)
        torch.testing.assert_close(
            embedding, together[row], rtol=1e-4, atol=1e-5
        )
        losses.append(task(alone, batch([9], [[0, 1, -1][row]])[1]))
    # A mean over items of known speakers; one without any costs nothing.
    torch.testing.assert_close(
        task(encoded, inputs), sum(losses) / 2, rtol=1e-4, atol=1e-5
    )
    assert losses[2].item() == 0


def test_embeddings_are_vectors_on_the_host():
    task = prepared().eval()
    found = task.predict(*batch([9, 4]))
    assert [tuple(x.shape) for x in found] == [(6,), (6,)]
    assert {x.dtype for x in found} == {torch.float32}


def test_speakers_are_numbered_and_strangers_are_none():
    task = prepared()
    wanted = {"ann": 0, "bob": 1, "cat": -1}
    for speaker, number in wanted.items():
        assert task.encode({"speaker": speaker}).tolist() == [number]
    assert task.get_extra_state() == {"labels": ["ann", "bob"]}


def test_problems_are_unlabelled_entries_and_parts_without_pairs():
    task = prepared()
    assert task.problems(TRAIN) == task.problems(NEW) == []
    lines = task.problems({"x": {"speaker": None}, **NEW, "y": {}})
    assert [line[:2] for line in lines] == ["x:", "y:"]
    (line,) = task.problems({"x": {"speaker": "cat"}, "y": {"speaker": "dan"}})
    assert "2 speaker(s) cannot be drawn" in line


def trials_file(tmp_path, trials=TRIALS):
    path = tmp_path / "trials.json"
    path.write_text(json.dumps(trials))
    return path


def test_trials_are_checked_before_training(tmp_path):
    path = trials_file(tmp_path, [*TRIALS, [0, "cat0", "eve0"]])
    task = prepared(trials=path)
    (line,) = task.problems(NEW)
    assert line.startswith("eve0: named by the trials, but not among these")
    assert task.problems(TRAIN) == []
    with pytest.raises(ManifestError, match="trials.json(?s:.*)eve0: named by"):
        check_trials(path, NEW)
    check_trials(trials_file(tmp_path), NEW)
    with pytest.raises(ManifestError, match=r"\['ann1'\]. Split the manifest"):
        prepared(trials=trials_file(tmp_path, [[1, "cat0", "ann1"]]))


def embeddings(entries, seed=0):
    random = np.random.default_rng(seed)
    return {
        name: torch.tensor(random.normal(size=3), dtype=torch.float32)
        for name in entries
    }


def test_scores_are_those_of_the_trials_in_the_file(tmp_path):
    task = prepared(trials=trials_file(tmp_path))
    found = embeddings(NEW)
    cosines = [
        float(torch.cosine_similarity(found[a], found[b], dim=0))
        for _, a, b in TRIALS
    ]
    same = [same for same, *_ in TRIALS]
    rate, cost = task.score(found, NEW)
    assert (rate.metric, cost.metric) == ("EER", "minDCF")
    assert rate.value == pytest.approx(equal_error_rate(cosines, same))
    assert cost.value == pytest.approx(min_dcf(cosines, same))
    assert rate.n == cost.n == 3 and len(rate.interval) == 2
    # Validation has none of its recordings: pairs are drawn.
    assert task.score(embeddings(TRAIN), TRAIN)[0].n == 24


def test_a_trial_without_embedding_is_named(tmp_path):
    task = prepared(trials=trials_file(tmp_path))
    found = embeddings(NEW)
    del found["dan2"]
    with pytest.raises(ValueError, match=r"have no embedding: \['dan2'\]"):
        task.score(found, NEW)


def test_backends_score_once_they_learned():
    task = prepared(backends=[PLDA(rank=2), NormalisedCosine("s-norm")])
    assert task.learns and not prepared().learns
    found = embeddings(NEW)
    assert [s.metric for s in task.score(found, NEW)] == ["EER", "minDCF"]
    task.learn(embeddings(TRAIN, seed=1), TRAIN)
    scores = task.score(found, NEW)
    assert [s.metric for s in scores] == [
        "EER", "minDCF", "EER with PLDA", "minDCF with PLDA",
        "EER with s-norm", "minDCF with s-norm",
    ]  # fmt: skip
    assert not any(s.higher_is_better for s in scores)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="head 'x' is none of"):
        SpeakerVerification(head="x")
    with pytest.raises(ValueError, match=r"1 speaker\(s\) in 'speaker'"):
        prepared(entries={"u": {"speaker": "ann"}})


def write_voices(folder, names, seconds=0.5):
    """Two frequencies a voice, on and off: encoders remove what is constant."""
    folder.mkdir()
    time = np.arange(round(seconds * 16000)) / 16000
    paths = {}
    for number, name in enumerate(names):
        voice = np.random.default_rng(zlib.crc32(name[0].encode()))
        random = np.random.default_rng(number)
        wave = sum(
            np.sin(2 * np.pi * pitch * time)
            for pitch in voice.uniform(200, 5000, 2)
        )
        wave *= (time + random.random()) // 0.1 % 2
        wave = wave * 10 ** random.uniform(-1.4, -0.8)
        wave += 1e-3 * random.standard_normal(len(time))
        paths[name] = folder / f"{name}.wav"
        soundfile.write(paths[name], wave, 16000)
    return paths


def test_new_voices_are_told_apart_after_training_on_others(tmp_path):
    """Fourteen train, three validate, three test."""
    parts = {part: {} for part in ("train", "valid", "test")}
    voices = "abcdefghijklmnopqrst"
    names = [f"{voice}_{take}" for voice in voices for take in range(5)]
    other = dict.fromkeys("foq", "valid") | dict.fromkeys("bde", "test")
    for name, path in write_voices(tmp_path / "wavs", names).items():
        parts[other.get(name[0], "train")][name] = {
            "wav": str(path), "duration": 0.5, "speaker": name[0],
        }  # fmt: skip
    trials = [
        [int(a[0] == b[0]), a, b]
        for a, b in itertools.combinations(parts["test"], 2)
    ]
    encoder = ContextFbank()
    for entry in parts["train"].values():
        wav = read_audio(entry["wav"])
        encoder.calibrate(wav[None], torch.ones(1))
    task = SpeakerVerification(
        sizes={"channels": [32] * 5, "embedding_size": 16},
        trials=trials_file(tmp_path, trials),
        backends=[PLDA(rank=5)],
    )
    results = finetune(
        encoder,
        {"v": task},
        parts,
        tmp_path / "out",
        functools.partial(torch.optim.AdamW, lr=0.003),
        {"device": "cpu", "noprogressbar": True},
        epochs=8,
        batch_seconds=1.5,
        chunk_seconds=0.3,
        progressbar=False,
    )
    metrics = ["EER", "minDCF", "EER with PLDA", "minDCF with PLDA"]
    assert list(results) == [f"v/{metric}" for metric in metrics]
    assert results["v/EER"]["value"] < 0.2
    assert results["v/EER"]["n"] == 105
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert len(answers["test"]["v"]["d_0"]) == 16
    assert not task.fitted  # what was given is not touched
