"""Phases, weights and progress."""

import json

import pytest
import torch

from speechbrain_mtl.training import FixedWeights, Phase, Schedule
from speechbrain_mtl.training.progress import (
    JsonLinesLog,
    LossMeter,
    Progress,
)


def test_weights_multiply_losses():
    losses = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert float(FixedWeights({"a": 0.5, "b": 2.0})(losses)) == 7.0


@pytest.mark.parametrize(
    "weights, message",
    [
        ({"a": -1.0}, "weight -1.0 of task 'a'"),
        ({"a": float("nan")}, "weight nan"),
        ({"a": 0.0}, "all weights are 0"),
    ],
)
def test_senseless_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        FixedWeights(weights)


def test_a_loss_without_weight_is_refused():
    with pytest.raises(ValueError, match=r"no weight for task\(s\) \['b'\]"):
        FixedWeights({"a": 1.0})({"b": torch.tensor(1.0)})


def test_every_epoch_belongs_to_the_phase_of_its_hours():
    weights = FixedWeights({"a": 1.0})
    phases = [Phase(h, weights) for h in (1.0, 0.1, 2.0)]
    schedule = Schedule(phases, epoch_hours=0.5)
    owners = [schedule.index(e) for e in range(1, schedule.epochs + 1)]
    # A phase shorter than an epoch still gets one.
    assert owners == [0, 0, 1, 2, 2, 2, 2]
    starts = [e for e in range(1, 8) if schedule.starts(e)]
    assert starts == [1, 3, 4]
    with pytest.raises(ValueError, match="beyond the last"):
        schedule.at(8)


@pytest.mark.parametrize("hours", [0, -1.0])
def test_an_empty_phase_is_refused(hours):
    with pytest.raises(ValueError, match="trains nothing"):
        Phase(hours, FixedWeights({"a": 1.0}))


def test_meter_averages_over_seconds_not_batches():
    meter = LossMeter()
    meter.add({"a": torch.tensor(1.0)}, 9.0)
    meter.add({"a": torch.tensor(11.0)}, 1.0)
    assert meter.result() == {"a": pytest.approx(2.0)}
    assert meter.result() == {}


def test_progress_survives_its_checkpoint_exactly(tmp_path):
    progress, again = Progress(), Progress()
    for loss in torch.rand(50):
        progress.advance({"a": loss}, 1.7)
    progress.save(str(tmp_path / "p"))
    again.load(str(tmp_path / "p"), end_of_epoch=False)
    assert again.steps == 50 and again.hours == progress.hours
    assert again.meter.result() == progress.meter.result()


def test_log_forgets_what_will_be_repeated_and_half_lines(tmp_path):
    log = JsonLinesLog(tmp_path / "log.jsonl")
    for step in (10, 20, 30):
        log.append({"step": step})
    with open(log.path, "a") as file:
        file.write('{"step": 4')
    log.rewind(20)
    lines = log.path.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [10, 20]
