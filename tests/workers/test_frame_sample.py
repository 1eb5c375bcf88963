import pytest
import soundfile
import torch

from speechbrain_mtl.workers import RMSEnergy, Worker, frame_sample
from speechbrain_mtl.workers.frame_sample import sample_frames


class Place(Worker):
    """Number of the recording, told by its first sample, and of the frame."""

    def __init__(self):
        super().__init__(2, 400)

    def label(self, analysis):
        frames = torch.arange(float(analysis.rows)).expand(analysis.batch, -1)
        number = analysis.wavs[:, :1].expand_as(frames)
        return torch.stack([number, frames], dim=2)


def numbered(count, seconds=1.0):
    wavs = torch.zeros(count, int(16000 * seconds))
    wavs[:, 0] = torch.arange(count)
    return list(wavs)


def test_every_recording_gives_its_share_and_no_frame_comes_twice():
    sample = sample_frames(Place(), numbered(5), count=50)
    assert sample.shape == (50, 2)
    assert len(sample.unique(dim=0)) == 50
    recordings, counts = sample[:, 0].unique(return_counts=True)
    assert recordings.tolist() == [0, 1, 2, 3, 4]
    assert counts.tolist() == [10] * 5


def test_where_there_are_fewer_frames_all_are_taken():
    sample = sample_frames(Place(), numbered(3), count=1000)
    assert len(sample) == 3 * 98


def test_of_much_more_audio_than_needed_only_a_part_is_read():
    sample = sample_frames(Place(), numbered(50), count=30)
    recordings, counts = sample[:, 0].unique(return_counts=True)
    assert counts.tolist() == [10, 10, 10]
    assert recordings.tolist() != [0, 1, 2]


def test_the_draw_does_not_depend_on_what_is_worked_on_at_once(monkeypatch):
    wavs = [wav[: 16000 - 1111 * i] for i, wav in enumerate(numbered(9))]
    whole = sample_frames(Place(), wavs, count=100)
    monkeypatch.setattr(frame_sample, "BATCH_SECONDS", 2.0)
    assert torch.equal(sample_frames(Place(), wavs, count=100), whole)


def test_the_seed_fixes_the_draw_and_the_order_of_entries_does_not(tmp_path):
    entries = {}
    for number, wav in enumerate(0.1 * torch.randn(6, 8000)):
        path = str(tmp_path / f"{number}.wav")
        soundfile.write(path, wav.numpy(), 16000)
        entries[f"u{number}"] = {"wav": path, "duration": 0.5}
    worker = RMSEnergy()
    one = sample_frames(worker, entries, 40, seed=1)
    turned = dict(reversed(entries.items()))
    assert torch.equal(sample_frames(worker, turned, 40, seed=1), one)
    assert not torch.equal(sample_frames(worker, entries, 40, seed=2), one)


def test_frames_that_are_not_finite_are_refused_by_the_recording():
    wavs = numbered(3)
    wavs[1][0] = float("nan")
    with pytest.raises(ValueError, match="recording 1: Place gives NaN"):
        sample_frames(Place(), wavs, 1000)


@pytest.mark.parametrize("nothing", [{}, []])
def test_no_recordings_at_all_are_refused(nothing):
    with pytest.raises(ValueError, match="no recordings"):
        sample_frames(Place(), nothing, 10)
