import math

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.data.audio import AudioError, read_audio


def sine(rate, seconds=0.5, frequency=440.0):
    return np.sin(2 * math.pi * frequency * np.arange(rate * seconds) / rate)


@pytest.fixture
def tone(tmp_path):
    """A second of a ramp, so that each sample tells where it stood."""
    path = tmp_path / "ramp.wav"
    ramp = np.arange(16000) / 16000
    soundfile.write(path, ramp, 16000, subtype="FLOAT")
    return path


@pytest.mark.parametrize("ending", ["wav", "flac"])
@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_resampled_sine_is_the_sine_of_the_wanted_rate(tmp_path, rate, ending):
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, 0.5 * sine(rate), rate)
    wav = read_audio(path)
    assert wav.shape == (8000,)
    assert wav.dtype == torch.float32
    # The filter needs some samples at both ends to settle.
    middle = slice(200, -200)
    expected = torch.from_numpy(0.5 * sine(16000)).float()
    assert torch.allclose(wav[middle], expected[middle], atol=2e-3)


def test_same_rate_is_read_bit_by_bit(tone):
    assert torch.equal(read_audio(tone), torch.arange(16000) / 16000)


def test_channels_are_averaged(tmp_path):
    path = tmp_path / "stereo.wav"
    both = np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1)
    soundfile.write(path, both, 16000, subtype="FLOAT")
    assert torch.equal(read_audio(path), torch.full((100,), 0.125))


def test_part_equals_slice_of_the_whole(tone):
    part = read_audio(tone, start=0.25, stop=0.5)
    assert torch.equal(part, read_audio(tone)[4000:8000])


def test_default_dtype_of_torch_does_not_matter(tone):
    torch.set_default_dtype(torch.float64)
    try:
        assert read_audio(tone).dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


def test_stop_may_reach_ten_milliseconds_beyond_the_end(tone):
    assert len(read_audio(tone, start=0.5, stop=1.009)) == 8000


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0.5, 0.5), (0.5, 0.25), (-0.25, 0.5), (0.5, 1.02), (1.5, None)],
)
def test_part_without_samples_names_times_and_length(tone, start, stop):
    with pytest.raises(AudioError, match=r"ramp.wav: no samples") as raised:
        read_audio(tone, start=start, stop=stop)
    assert "it is 1.000 s long" in str(raised.value)
    assert "Correct the times" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [("none.wav", b""), ("noise.wav", b"not audio" * 99)],
)
def test_unreadable_file_is_named_with_remedy(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        AudioError, match=f"{name}: not readable.*Copy it again"
    ):
        read_audio(tmp_path / name)


def test_flac_cut_short_is_not_readable(tmp_path):
    path = tmp_path / "cut.flac"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 32000)
    soundfile.write(path, noise, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"cut.flac: not readable"):
        read_audio(path)


def test_missing_file_points_at_data_root(tmp_path):
    with pytest.raises(AudioError, match=r"gone.wav: no such file.*data_root"):
        read_audio(tmp_path / "gone.wav")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    path = tmp_path / "bad.wav"
    wav = sine(16000)
    wav[77] = value
    soundfile.write(path, wav, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"bad.wav: holds NaN or infinite"):
        read_audio(path)


def test_every_shared_format_is_read_at_its_stated_length(shared_data):
    from speechbrain_mtl.data.manifest import load_manifest

    for name in ("fsdd", "esc10_fold1", "ljspeech_aligned"):
        entries = load_manifest(shared_data(name) / "manifest.json").values()
        for entry in list(entries)[::40]:
            seconds = len(read_audio(entry["wav"])) / 16000
            assert seconds == pytest.approx(entry["duration"], abs=1e-3)
