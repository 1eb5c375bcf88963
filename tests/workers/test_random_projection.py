import numpy as np
import pytest
import torch

from speechbrain_mtl.workers import Fbank, WorkerBank
from speechbrain_mtl.workers.random_projection import RandomProjectionUnits
from tests.helpers.batches import padded


def batch():
    """Noise of moving colour."""
    generator = torch.Generator().manual_seed(0)
    utterances = []
    for size in (16000, 9001, 801, 100):
        noise = torch.randn(size, generator=generator)
        wave = torch.sin(torch.arange(size) ** 1.5 / 700)
        noise = 0.05 * noise.cumsum(0).diff(prepend=noise[:1])
        utterances.append(noise + wave)
    return padded(utterances)


def slow_units(worker, wav):
    """The definition, frame by frame, in double precision."""
    mels = Fbank(worker.n_mels)(wav[None], torch.ones(1))[0].double().numpy()
    mels = (mels - mels.mean(0)) / np.maximum(mels.std(0), 1e-5)
    units = []
    for first in range(0, len(mels) - worker.stack + 1, worker.stack):
        x = np.concatenate([mels[first + i] for i in range(worker.stack)])
        row = []
        for projection, codes in zip(worker.projections, worker.codes):
            y = x @ projection.double().numpy()
            y /= np.linalg.norm(y)
            gaps = [np.linalg.norm(y - c) for c in codes.double().numpy()]
            row.append(int(np.argmin(gaps)))
        units.append(row)
    return units


@pytest.mark.parametrize("stack", [1, 4])
def test_units_are_their_definition(stack):
    worker = RandomProjectionUnits(units=50, codebooks=2, stack=stack)
    wavs, _, sizes = batch()
    wav = wavs[1, : sizes[1]]
    units = worker(wav[None], torch.ones(1))[0]
    slow = slow_units(worker, wav)
    assert units.tolist() == slow
    assert len({row[0] for row in slow}) > 5


def test_codes_have_length_one_and_nothing_is_trained():
    worker = RandomProjectionUnits(units=20, code_dim=3)
    torch.testing.assert_close(worker.codes.norm(dim=-1), torch.ones(1, 20))
    assert not list(worker.parameters())
    assert set(worker.state_dict()) == {"projections", "codes"}


def test_a_label_for_every_whole_stack_and_zeros_after():
    worker = RandomProjectionUnits(units=50)
    wavs, lens, sizes = batch()
    labels = worker(wavs, lens)
    window, step = 800, 640
    counts = [len(range(0, max(s - window, 0) + 1, step)) for s in sizes]
    assert worker.frame_lens(torch.tensor(sizes)).tolist() == counts
    assert labels.shape == (4, max(counts), 1)
    assert labels.dtype == torch.float32
    assert worker.offset == window / 2 / 16000
    assert worker.hop == step / 16000
    for row, count in zip(labels, counts):
        assert not row[count:].any()


def test_an_utterance_has_the_same_units_alone_in_a_batch_and_in_a_bank():
    worker = RandomProjectionUnits(units=50, codebooks=2)
    wavs, lens, sizes = batch()
    together = worker(wavs, lens)
    for row, size in enumerate(sizes):
        alone = worker(wavs[row : row + 1, :size], torch.ones(1))[0]
        assert torch.equal(together[row, : len(alone)], alone)
    bank = WorkerBank({"fbank": Fbank(), "unit": worker})
    assert torch.equal(bank(wavs, lens)["unit"], together)


def test_the_seed_fixes_the_units_and_more_codebooks_do_not_move_the_first():
    wavs, lens, _ = batch()
    one = RandomProjectionUnits(units=50, seed=3)
    labels = one(wavs, lens)
    assert torch.equal(
        RandomProjectionUnits(units=50, seed=3)(wavs, lens), labels
    )
    other = RandomProjectionUnits(units=50, seed=4)
    assert not torch.equal(other(wavs, lens), labels)
    many = RandomProjectionUnits(units=50, codebooks=3, seed=3)(wavs, lens)
    assert torch.equal(many[..., :1], labels)
    assert not torch.equal(many[..., 1:2], labels)
    other.load_state_dict(one.state_dict())
    assert torch.equal(other(wavs, lens), labels)


def test_the_level_of_a_recording_does_not_matter():
    worker = RandomProjectionUnits(units=50)
    wavs, lens, _ = batch()
    assert torch.equal(worker(wavs, lens), worker(wavs / 4, lens))


@pytest.mark.parametrize("wavs", [torch.zeros(1, 8000), torch.ones(1, 1)])
def test_signals_without_content_have_units_too(wavs):
    labels = RandomProjectionUnits(units=50)(wavs, torch.ones(1))
    assert ((labels >= 0) & (labels < 50)).all()


@pytest.mark.parametrize(
    "sizes", [{"units": 1}, {"stack": 0}, {"codebooks": 0}, {"code_dim": 0}]
)
def test_sizes_that_make_no_quantiser_are_refused(sizes):
    with pytest.raises(ValueError, match="give at least two units"):
        RandomProjectionUnits(**sizes)
