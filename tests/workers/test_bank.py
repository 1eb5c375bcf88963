"""Laws that hold for every worker."""

import pytest
import torch

from speechbrain_mtl.workers import (
    F0,
    WorkerBank,
    analysis,
    default_bank,
    every_worker,
)
from speechbrain_mtl.workers.analysis import HOP, SAMPLE_RATE
from tests.helpers.batches import padded

NAMES = list(every_worker())
DIMS = dict.fromkeys(NAMES, 1) | {
    "fbank": 80,
    "mfcc": 60,
    "log_spectrum": 257,
    "gammatone": 64,
    "chroma": 12,
}


def voice(samples, seed=0):
    """A gliding harmonic tone in noise, with a pause, [samples]."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(samples) / SAMPLE_RATE
    phase = (
        2
        * torch.pi
        * torch.cumsum(
            (120 + 20 * seed + 30 * torch.sin(5 * time)) / SAMPLE_RATE, 0
        )
    )
    tone = sum(torch.sin(k * phase) / k for k in range(1, 20))
    gate = (torch.sin(9 * time + seed) > -0.5).float()
    noise = torch.randn(samples, generator=generator)
    return 0.1 * tone * gate + 0.005 * noise


def batch():
    """Utterances of very different lengths."""
    sizes = [16000, 7001, 961, 12345, 100]
    return padded([voice(size, seed=row) for row, size in enumerate(sizes)])


def test_the_ten_standard_names_have_their_sizes():
    names = [
        "f0",
        "voicing",
        "log_hnr",
        "alpha_ratio",
        "zcr",
        "rms",
        "loudness",
        "rasta_l1",
        "fbank",
        "mfcc",
    ]
    assert default_bank().dims == {name: DIMS[name] for name in names}
    assert NAMES[:10] == names and every_worker().dims == DIMS


@pytest.mark.parametrize("name", NAMES)
def test_labels_have_a_frame_for_every_whole_window_and_zeros_after(name):
    worker = every_worker()[name]
    wavs, lens, sizes = batch()
    labels = worker(wavs, lens)
    counts = [
        len(range(0, max(size - worker.window, 0) + 1, HOP)) for size in sizes
    ]
    assert worker.frame_lens(torch.tensor(sizes)).tolist() == counts
    assert labels.shape == (5, max(counts), DIMS[name])
    assert labels.dtype == torch.float32
    assert torch.isfinite(labels).all()
    for row, count in zip(labels, counts):
        assert not row[count:].any()
        assert count < 3 or row[:count].any()
    assert worker.hop == 0.01
    assert worker.offset == worker.window / 2 / 16000


@pytest.mark.parametrize("name", NAMES)
def test_an_utterance_is_labelled_alike_alone_and_in_a_batch(name):
    worker = every_worker()[name]
    wavs, lens, sizes = batch()
    together = worker(wavs, lens)
    for row, size in enumerate(sizes):
        alone = worker(wavs[row : row + 1, :size], torch.ones(1))[0]
        torch.testing.assert_close(
            together[row, : len(alone)], alone, rtol=1e-5, atol=2e-5
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_worker_alone_gives_what_it_gives_in_the_bank(name):
    wavs, lens, _ = batch()
    torch.testing.assert_close(
        every_worker()[name](wavs, lens),
        every_worker()(wavs, lens)[name],
        rtol=1e-6,
        atol=1e-6,
    )


def test_the_bank_transforms_each_frame_once(monkeypatch):
    frames = []
    rfft = torch.fft.rfft

    def counted(values, *args, **kwargs):
        frames.append(values.shape)
        return rfft(values, *args, **kwargs)

    default_bank()(torch.randn(1, 16000), torch.ones(1))  # makes the tables
    monkeypatch.setattr(torch.fft, "rfft", counted)
    default_bank()(torch.randn(1, 16000), torch.ones(1))
    assert sorted(frames) == [(97, 864), (99, 512)]
    frames.clear()
    every_worker()(torch.randn(1, 16000), torch.ones(1))
    assert frames.count((97, 864)) == frames.count((99, 512)) == 1


# F0, voicing and shimmer look at the whole utterance, flux at its past.
@pytest.mark.parametrize(
    "name",
    ["alpha_ratio", "zcr", "rms", "loudness", "entropy", "centroid"]
    + ["rolloff", "slope", "kurtosis"]
    + ["fbank", "log_spectrum", "gammatone", "chroma"],
)
def test_a_shift_by_a_hop_shifts_local_labels_by_a_frame(name):
    worker = every_worker()[name]
    wav = voice(16000)[None]
    labels = worker(wav, torch.ones(1))
    later = worker(wav[:, HOP:], torch.ones(1))
    torch.testing.assert_close(labels[:, 1:], later, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    ["f0", "voicing", "log_hnr", "mfcc", "jitter", "flux"],
)
def test_a_shift_by_a_hop_shifts_inner_frames_by_a_frame(name):
    worker = every_worker()[name]
    wav = voice(16000)[None]
    labels = worker(wav, torch.ones(1))[:, 6:-5]
    later = worker(wav[:, HOP:], torch.ones(1))[:, 5:-5]
    torch.testing.assert_close(labels, later, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "name",
    ["f0", "voicing", "log_hnr", "alpha_ratio", "zcr", "jitter", "shimmer"]
    + ["entropy", "centroid", "rolloff", "kurtosis", "chroma"],
)
def test_loudness_of_the_recording_does_not_matter_to(name):
    worker = every_worker()[name]
    wav = voice(16000)[None]
    torch.testing.assert_close(
        worker(wav, torch.ones(1)),
        worker(wav / 64, torch.ones(1)),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "name",
    ["f0", "voicing", "log_hnr", "jitter", "shimmer"],
)
def test_an_offset_of_the_recording_does_not_matter_to(name):
    worker = every_worker()[name]
    wav = voice(16000)[None]
    torch.testing.assert_close(
        worker(wav, torch.ones(1)),
        worker(wav + 0.5, torch.ones(1)),
        rtol=1e-3,
        atol=2e-2,
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "wavs",
    [torch.zeros(1, 8000), torch.full((1, 8000), 0.3), torch.ones(1, 1)],
    ids=["silence", "constant", "one sample"],
)
def test_labels_of_signals_without_content_are_finite(name, wavs):
    labels = every_worker()[name](wavs, torch.ones(1))
    assert torch.isfinite(labels).all()


def test_silence_is_unvoiced_and_quiet():
    labels = every_worker()(torch.zeros(1, 8000), torch.ones(1))
    quiet = ["f0", "voicing", "rms", "alpha_ratio", "jitter", "shimmer"]
    quiet += ["flux", "entropy", "centroid", "slope", "kurtosis", "chroma"]
    for name in quiet:
        assert not labels[name].any(), name
    assert (labels["log_hnr"] == -20).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_waveforms_are_cast_up(dtype):
    wavs = voice(8000)[None].to(dtype)
    half = every_worker()(wavs, torch.ones(1))
    full = every_worker()(wavs.float(), torch.ones(1))
    torch.testing.assert_close(half, full, rtol=0, atol=0)


def test_labels_do_not_follow_the_precision_or_gradients_of_training():
    wavs = voice(8000)[None]
    plain = every_worker()(wavs, torch.ones(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = every_worker()(wavs.requires_grad_(), torch.ones(1))
    torch.testing.assert_close(mixed, plain, rtol=0, atol=0)
    assert not any(labels.requires_grad for labels in mixed.values())


def test_the_caller_may_change_what_it_gets():
    wavs = voice(8000)[None]
    labels = every_worker()(wavs, torch.ones(1))
    spectrum_of = labels["fbank"].clone()
    labels["mfcc"].zero_()
    labels["f0"].zero_()
    assert torch.equal(labels["fbank"], spectrum_of)
    again = every_worker()(wavs, torch.ones(1))
    assert again["f0"].any() and again["mfcc"].any()


@pytest.mark.parametrize("block", [7, 10**6])
def test_the_size_of_blocks_changes_nothing(block, monkeypatch):
    wavs, lens, _ = batch()
    before = every_worker()(wavs, lens)
    monkeypatch.setattr(analysis, "BLOCK", block)
    after = every_worker()(wavs, lens)
    torch.testing.assert_close(before, after, rtol=1e-5, atol=2e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda_gives_the_labels_of_the_cpu():
    wavs, lens, _ = batch()
    on_gpu = every_worker()(wavs.cuda(), lens.cuda())
    on_cpu = every_worker()(wavs, lens)
    for name, labels in on_gpu.items():
        torch.testing.assert_close(
            labels.cpu(), on_cpu[name], rtol=1e-3, atol=1e-3
        )


def test_names_that_modules_use_themselves_are_refused():
    with pytest.raises(KeyError):
        WorkerBank({"forward": F0()})
