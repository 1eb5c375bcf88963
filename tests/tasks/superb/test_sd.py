"""Diarization: the loss, frames in time, decisions chosen on validation."""

import copy
import itertools
import math

import pytest
import torch
from speechbrain.dataio.batch import PaddedBatch, PaddedData

from speechbrain_mtl.data.superb import chunk_mixtures
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import Inputs
from speechbrain_mtl.tasks.superb import SpeakerDiarization
from speechbrain_mtl.tasks.superb.permutation import permutation_free_bce

ENTRIES = {
    "m1": {
        "wav": "m1.wav",
        "duration": 0.5,
        "turns": [[0.0, 0.21, "ann"], [0.11, 0.5, "bob"], [0.3, 0.4, "ann"]],
    },
    "m2": {"wav": "m2.wav", "duration": 0.3, "turns": [[0.05, 0.2, "cat"]]},
    "m3": {"wav": "m3.wav", "duration": 0.1, "turns": []},
}
HOP, OFFSET = 0.02, 0.0125
FRAMES = [24, 14, 4]


def made(**settings):
    torch.manual_seed(0)
    settings = {"hidden_size": 6, **settings}
    task = SpeakerDiarization(**settings)
    task.prepare((5, 5), ENTRIES)
    return task.eval()


def batch(task, dim=5, entries=ENTRIES, frames=FRAMES):
    """Frames with something in the padding, and targets as loaders pad."""
    torch.manual_seed(1)
    layers = tuple(torch.randn(len(frames), max(frames), dim) for _ in "ab")
    target = PaddedBatch(
        [{"t": task.encode(entry)} for entry in entries.values()]
    ).t
    encoded = Encoded(layers, torch.tensor(frames), HOP, OFFSET)
    return encoded, Inputs(None, None, target=target)


def single(encoded, inputs, row, task, entry):
    frames = int(encoded.lens[row])
    layers = tuple(x[row : row + 1, :frames] for x in encoded.layers)
    target = PaddedData(task.encode(entry)[None], torch.ones(1))
    return (
        Encoded(layers, encoded.lens[row : row + 1], HOP, OFFSET),
        Inputs(None, None, target=target),
    )


def test_the_loss_of_the_reference_implementation():
    logits = torch.tensor([[[3.0, -3], [-3, 3], [3, 3]]])
    labels = torch.tensor([[[0, 1], [1, 0], [1, 1]]])
    loss, order = permutation_free_bce(logits, labels, torch.tensor([3]))
    assert float(loss) == pytest.approx(0.0485873, abs=1e-7)
    assert order.tolist() == [1]


@pytest.mark.parametrize("speakers", [1, 2, 3])
def test_the_loss_is_that_of_loops(speakers):
    torch.manual_seed(0)
    logits = 2 * torch.randn(4, 9, speakers)
    labels = torch.rand(4, 9, speakers) > 0.5
    lens = torch.tensor([9, 5, 1, 7])
    total = 0.0
    for item, truth, frames in zip(logits.tolist(), labels, lens.tolist()):
        costs = []
        for order in itertools.permutations(range(speakers)):
            cost = 0.0
            for f in range(frames):
                for output, label in enumerate(order):
                    p = 1 / (1 + math.exp(-item[f][output]))
                    p = p if truth[f, label] else 1 - p
                    cost -= math.log(p) / speakers
            costs.append(cost)
        total += min(costs)
    loss, _ = permutation_free_bce(logits, labels, lens)
    assert float(loss) == pytest.approx(total / 22, rel=1e-5)
    # Neither the names of speakers nor padding matter.
    for item, frames in zip(labels, lens.tolist()):
        item[frames:] = ~item[frames:]
    logits = torch.nn.functional.pad(logits, (0, 0, 0, 3), value=1e4)
    labels = torch.nn.functional.pad(labels.flip(-1), (0, 0, 0, 3), value=True)
    again, _ = permutation_free_bce(logits, labels, lens)
    assert float(again) == pytest.approx(float(loss), rel=1e-6)


def test_a_speaker_is_active_where_a_turn_covers_the_frame_centre():
    task = made()
    encoded, inputs = batch(task)
    active = task.active(encoded, inputs)
    assert active.shape == (3, 24, 2)
    for row, entry in enumerate(ENTRIES.values()):
        who = list(dict.fromkeys(s for *_, s in entry["turns"]))
        for f in range(24):
            time = OFFSET + f * HOP
            for speaker in range(2):
                heard = speaker < len(who) and any(
                    start <= time < end and name == who[speaker]
                    for start, end, name in entry["turns"]
                )
                assert bool(active[row, f, speaker]) == heard


def test_the_hop_is_the_encoders():
    task = made()
    encoded, inputs = batch(task)
    coarse = Encoded(encoded.layers, encoded.lens, 0.1, 0.05)
    rows = task.active(coarse, inputs)[0, :5].int().tolist()
    # At 0.05, 0.15, 0.25, 0.35 and 0.45 s.
    assert rows == [[1, 0], [1, 1], [0, 1], [1, 1], [0, 1]]


def test_a_padded_batch_is_like_single_recordings():
    task = made(medians=(1, 5))
    encoded, inputs = batch(task)
    whole, answers = task(encoded, inputs), task.predict(encoded, inputs)
    total = 0.0
    for row, entry in enumerate(ENTRIES.values()):
        one = single(encoded, inputs, row, task, entry)
        total += float(task(*one)) * FRAMES[row]
        assert task.predict(*one) == [answers[row]]
    assert float(whole) == pytest.approx(total / sum(FRAMES), rel=1e-5)


def test_the_head_has_the_published_size():
    task = SpeakerDiarization()
    task.prepare((768,) * 13, ENTRIES)
    count = {n: p.numel() for n, p in task.named_parameters()}
    assert count.pop("reader.mix.logits") == 13
    assert sum(count.values()) == 2_626_562


def learned(task, encoded, inputs, steps=60):
    task.train()
    optimizer = torch.optim.Adam(task.parameters(), lr=0.03)
    for _ in range(steps):
        loss = task(encoded, inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return task.eval()


def test_it_learns_who_speaks_and_answers_in_seconds():
    task = made(hidden_size=24, layer=0)
    encoded, inputs = batch(task)
    # Frames that tell who speaks.
    encoded.layers[0][..., :2] = 3 * task.active(encoded, inputs).float()
    learned(task, encoded, inputs)
    with torch.no_grad():
        answers = dict(zip(ENTRIES, task.predict(encoded, inputs)))
    assert len(answers["m1"]) == 10
    (score,) = task.score(answers, ENTRIES)
    assert (score.metric, score.n, score.higher_is_better) == ("DER", 3, False)
    # Frames of 20 ms: borders are off by up to 10 ms.
    assert score.value < 0.12
    start, end, _ = answers["m2"]["threshold 0.5, median 1"][0]
    assert abs(start - 0.05) <= 0.0125 and abs(end - 0.2) <= 0.0125


def answered(**by_decision):
    """Answers of m1 that are right under one decision and else silent."""
    right = [(0.0, 0.21, "1"), (0.11, 0.5, "2"), (0.3, 0.4, "1")]
    names = ["threshold 0.3, median 1", "threshold 0.3, median 3",
             "threshold 0.6, median 1", "threshold 0.6, median 3"]  # fmt: skip
    return {
        "m1": {n: right if n in by_decision["right"] else [] for n in names}
    }


def test_the_decision_is_chosen_on_validation_and_kept():
    entries = {"m1": ENTRIES["m1"]}
    task = made(thresholds=(0.3, 0.6), medians=(1, 3))
    valid = answered(right=["threshold 0.6, median 3"])
    assert task.score(valid, entries)[0].value == 1.0
    task.tune(valid, entries)
    assert task.score(valid, entries)[0].value == 0.0
    # Scoring a test set never changes it, however bad.
    test = answered(right=["threshold 0.3, median 1"])
    assert task.score(test, entries)[0].value == 1.0
    assert task.chosen == (0.6, 3)
    other = made(thresholds=(0.3, 0.6), medians=(1, 3))
    other.load_state_dict(copy.deepcopy(task.state_dict()))
    assert other.chosen == (0.6, 3)
    # Ties: the first.
    task.tune(answered(right=[]), entries)
    assert task.chosen == (0.3, 1)


def test_the_best_checkpoint_answers_once_and_names_its_decision():
    task = made(thresholds=(0.3, 0.6), medians=(1, 3))
    encoded, inputs = batch(task)
    with torch.no_grad():
        before = dict(zip(ENTRIES, task.predict(encoded, inputs)))
        task.tune(before, ENTRIES)
        task.testing = True
        answers = dict(zip(ENTRIES, task.predict(encoded, inputs)))
    name = "threshold {:g}, median {}".format(*task.chosen)
    assert answers == {n: {name: a[name]} for n, a in before.items()}
    [score] = task.score(answers, ENTRIES)
    assert score.metric == "DER" and not score.higher_is_better


def test_the_end_of_the_recording_ends_a_turn():
    entries = {"m1": {**ENTRIES["m1"], "turns": [[0.0, 0.5, "ann"]]}}
    task = made(thresholds=(0.5,), medians=(1,))
    said = {"m1": {"threshold 0.5, median 1": [(0.0, 0.51, "1")]}}
    assert task.score(said, entries)[0].value == 0.0


def test_intervals_are_over_recordings():
    task = made(thresholds=(0.5,), medians=(1,))
    name = "threshold 0.5, median 1"
    turns = [[0.0, 4.0, "ann"]]
    long = {
        n: {"wav": f"{n}.wav", "duration": 8.0, "turns": turns} for n in "abcd"
    }
    said = {n: {name: [(0.0, 4.0 - i, "1")]} for i, n in enumerate(long)}
    (score,) = task.score(said, long)
    assert score.value == 6 / 16
    low, high = score.interval
    assert low < score.value < high
    # Two silent halves more: of the same recordings.
    chunks = chunk_mixtures(
        {n: {**e, "turns": [{"start": 0.0, "end": 4.0, "speaker": "ann"}]}
         for n, e in long.items()}, 4.0
    )  # fmt: skip
    said = {n: {name: [(0.0, 4.0, "1")] if e["turns"] else []}
            for n, e in chunks.items()}  # fmt: skip
    (score,) = task.score(said, chunks)
    assert (score.value, score.n, score.interval) == (0.0, 8, [0.0, 0.0])


def test_a_turn_that_fills_a_chunk_is_heard_in_all_of_it():
    turns = [{"start": 0.1, "end": 0.9, "speaker": "ann"}]
    long = {"m": {"wav": "m.wav", "duration": 1.0, "turns": turns}}
    chunks = chunk_mixtures(long, 0.25)
    task = made()
    assert task.problems(chunks) == []
    encoded, inputs = batch(task, entries=chunks, frames=[12] * 4)
    active = task.active(encoded, inputs)
    assert active[1].int().tolist() == active[2].int().tolist() == [[1, 0]] * 12
    assert 0 < active[0].sum() < 12


def test_problems_are_named_by_id():
    task = made()
    good = ENTRIES["m1"]
    three = [[0, 0.1, "a"], [0.1, 0.2, "b"], [0.2, 0.3, "c"]]
    bad = {
        "gone": {**good, "turns": None},
        "late": {**good, "turns": [[0.0, 0.7, "ann"]]},
        "many": {**good, "turns": three},
        "good": good,
    }
    lines = task.problems(bad)
    assert [line.split(":")[0] for line in lines] == list(bad)[:-1]
    assert "0.7 s of 0.5 s" in lines[1] and "Set speakers to 3" in lines[2]
    assert task.problems(ENTRIES) == []
    assert "nobody speaks" in task.problems({"m3": ENTRIES["m3"]})[0]


@pytest.mark.parametrize(
    "settings",
    [
        {"thresholds": ()},
        {"speakers": 0},
        {"thresholds": (0.5, 1.0)},
        {"medians": (1, 4)},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match="give"):
        SpeakerDiarization(**settings)
