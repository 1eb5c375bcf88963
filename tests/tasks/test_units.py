"""Discrete pretext tasks: masked cross-entropy of the nearest unit."""

import functools
import math

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks import FrameLabels, Inputs, PretextTask, UnitTask
from speechbrain_mtl.training import pretrain
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.workers import RMSEnergy, WorkerBank
from speechbrain_mtl.workers.kmeans_units import KMeansUnits
from speechbrain_mtl.workers.layers import EncoderLayer
from speechbrain_mtl.workers.random_projection import RandomProjectionUnits
from tests.helpers.encoders import small_crdnn

UNITS = 7


def small_encoder():
    return small_crdnn(mask_prob=0.0)


def labelled(units, lens, hop=0.01, offset=0.01):
    values = torch.as_tensor(units).float()
    labels = FrameLabels(values, torch.as_tensor(lens), hop, offset)
    return Inputs(None, None, {"unit": labels})


def random_units(batch=2, frames=9, dim=1):
    return torch.randint(UNITS, (batch, frames, dim))


@pytest.mark.parametrize("dim", [1, 2])
def test_loss_equals_a_loop_over_frames(dim):
    torch.manual_seed(0)
    task = UnitTask("unit", UNITS, input_size=4, dim=dim, hidden_size=3)
    lens = torch.tensor([9, 5])
    units = random_units(dim=dim)
    inputs = labelled(units, lens)
    task.calibrate(inputs)
    hidden = torch.randn(2, 9, 4)
    loss = task(Encoded((hidden,), lens, 0.01, 0.01), inputs)
    terms = []
    for b in range(2):
        for t in range(int(lens[b])):
            scores = task.head(hidden[b, t]).tolist()
            for d in range(dim):
                row = scores[d * UNITS : (d + 1) * UNITS]
                total = sum(math.exp(score) for score in row)
                terms.append(math.log(total) - row[int(units[b, t, d])])
    assert loss.item() == pytest.approx(sum(terms) / len(terms), rel=1e-5)


def test_equal_scores_cost_the_logarithm_of_the_number_of_units():
    task = UnitTask("unit", UNITS, input_size=4)
    torch.nn.init.zeros_(task.head[-1].weight)
    torch.nn.init.zeros_(task.head[-1].bias)
    inputs = labelled(random_units(), [9, 9])
    task.calibrate(inputs)
    encoded = Encoded((torch.randn(2, 9, 4),), torch.tensor([9, 9]), 0.01, 0.01)
    assert task(encoded, inputs).item() == pytest.approx(math.log(UNITS))


def test_targets_are_the_units_nearest_in_time_and_never_between():
    task = UnitTask("unit", 100, input_size=4)
    units = torch.tensor([0, 90, 7, 50, 3, 88])
    inputs = labelled(units.view(1, 6, 1), [6])
    # Encoder frames at 13, 33 and 53 ms; labels at 10, 20, ... 60 ms.
    encoded = Encoded((torch.zeros(1, 3, 4),), torch.tensor([3]), 0.02, 0.013)
    targets, mask = task.targets(encoded, inputs)
    assert targets.flatten().tolist() == [0, 7, 3]
    assert mask.all()


def test_what_lies_beyond_the_lengths_changes_no_loss_and_no_count():
    torch.manual_seed(0)
    task = UnitTask("unit", UNITS, input_size=4)
    lens = torch.tensor([9, 5])
    units, hidden = random_units(), torch.randn(2, 9, 4)
    task.calibrate(labelled(units, lens))
    counts = task.counts.clone()
    assert counts.sum() == 14
    loss = task(Encoded((hidden,), lens, 0.01, 0.01), labelled(units, lens))
    units, hidden = units.clone(), hidden.clone()
    units[1, 5:], hidden[1, 5:] = 6, 9.0
    task.calibrate(labelled(units, lens))
    assert torch.equal(task.counts, 2 * counts)
    again = task(Encoded((hidden,), lens, 0.01, 0.01), labelled(units, lens))
    torch.testing.assert_close(again, loss)


def test_padding_changes_no_loss_from_the_waveform_on():
    torch.manual_seed(0)
    bank = WorkerBank({"unit": RandomProjectionUnits(units=UNITS)})
    task = UnitTask("unit", UNITS, input_size=16)
    model = MultiTaskModel(small_encoder(), {"unit": task}, bank).eval()
    wavs = torch.randn(2, 16000) * torch.linspace(0.01, 0.3, 16000)
    model.calibrate(wavs, torch.ones(2))
    alone, _ = model(wavs[1:, :11000], torch.ones(1), ["unit"])
    padded = torch.cat([wavs[1:, :11000], torch.zeros(1, 9000)], dim=1)
    longer, _ = model(padded, torch.tensor([11000 / 20000]), ["unit"])
    torch.testing.assert_close(
        alone["unit"], longer["unit"], rtol=1e-4, atol=1e-5
    )


def test_the_gradient_reaches_the_encoder():
    torch.manual_seed(0)
    bank = WorkerBank({"unit": RandomProjectionUnits(units=UNITS)})
    tasks = {"unit": UnitTask("unit", UNITS, input_size=16)}
    model = MultiTaskModel(small_encoder(), tasks, bank)
    wavs = torch.randn(2, 16000)
    model.calibrate(wavs, torch.ones(2))
    losses, _ = model(wavs, torch.ones(2), ["unit"])
    losses["unit"].backward()
    assert model.encoder.projection.weight.grad.abs().sum() > 0


def test_one_and_the_same_unit_is_refused_but_not_in_a_single_batch():
    task = UnitTask("unit", UNITS, input_size=4)
    flat = labelled(torch.full((1, 6, 1), 3), [6])
    encoded = Encoded((torch.zeros(1, 6, 4),), torch.tensor([6]), 0.01, 0.01)
    with pytest.raises(ValueError, match="'unit': no units counted yet"):
        task(encoded, flat)
    task.calibrate(flat)
    with pytest.raises(ValueError, match="same unit in all 6 frames"):
        task(encoded, flat)
    task.calibrate(labelled(random_units(), [9, 9]))
    assert task(encoded, flat).isfinite()


@pytest.mark.parametrize("wrong", [-1.0, 7.0, 2.5])
def test_labels_that_are_no_units_are_refused(wrong):
    task = UnitTask("unit", UNITS, input_size=4)
    units = random_units().float()
    units[0, 0, 0] = wrong
    with pytest.raises(ValueError, match="are not 1 of 7 units"):
        task.calibrate(labelled(units, [9, 9]))
    with pytest.raises(ValueError, match="labels of 2 columns"):
        task.calibrate(labelled(random_units(dim=2), [9, 9]))


def test_discrete_tasks_train_beside_a_scalar_one(tmp_path):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    entries = {}
    for number in range(8):
        time = np.arange(16000) / 16000
        tone = 0.2 * np.sin(2 * np.pi * rng.uniform(100, 300) * time**2)
        path = tmp_path / f"{number}.wav"
        tone += 0.01 * rng.standard_normal(16000)
        soundfile.write(path, tone, 16000)
        entries[str(number)] = {"wav": str(path), "duration": 1.0}
    teacher = small_encoder()
    teacher.calibrate(torch.randn(2, 16000), torch.ones(2))
    clusters = KMeansUnits(5, EncoderLayer(teacher, layer=1)).fit(entries)
    codes = clusters.codes.clone()
    bank = WorkerBank(
        {
            "rms": RMSEnergy(),
            "unit": RandomProjectionUnits(units=UNITS),
            "cluster": clusters,
        }
    )
    tasks = {
        "cluster": UnitTask("cluster", 5, input_size=16, hidden_size=8),
        "rms": PretextTask("rms", 1, input_size=16, hidden_size=8),
        "unit": UnitTask("unit", UNITS, input_size=16, hidden_size=8),
    }
    encoder = small_encoder()
    before = encoder.projection.weight.detach().clone()
    summary = pretrain(
        encoder,
        tasks,
        bank,
        {"rms": 0.5, "unit": 0.5, "cluster": 0.5},
        entries,
        entries,
        tmp_path / "run",
        functools.partial(torch.optim.AdamW, lr=0.01),
        {"device": "cpu", "noprogressbar": True},
        hours=6 / 3600,
        epoch_hours=6 / 3600,
        batch_seconds=2.0,
        crop_seconds=1.0,
        grid_seconds=0.1,
        warmup_steps=1,
        grad_share_every=2,
        progressbar=False,
    )
    assert summary["steps"] == 3
    assert 0 < summary["final"]["unit"] < 3 * math.log(UNITS)
    assert 0 < summary["final"]["cluster"] < 3 * math.log(5)
    assert torch.equal(clusters.codes, codes)
    frozen, original = clusters.source.network, teacher
    for one, two in zip(frozen.parameters(), original.parameters()):
        assert torch.equal(one, two)
    assert not torch.equal(encoder.projection.weight, before)
