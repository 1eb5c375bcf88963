import pytest
import torch

from speechbrain_mtl.workers.analysis import Analysis, shared, valid_samples


@pytest.mark.parametrize("window", [161, 320, 640, 960])
@pytest.mark.parametrize("time", [1, 159, 160, 400, 960, 5000])
def test_frames_are_the_slices_of_each_utterance(window, time):
    wavs = torch.randn(3, time)
    lens = torch.tensor([1.0, 0.5, 0.75])
    analysis = Analysis(wavs, lens)
    rows = analysis.per_row(analysis.frames(window))
    for wav, n, frames in zip(wavs, valid_samples(wavs, lens), rows):
        whole = max((int(n) - window) // 160 + 1, 1)
        wav = torch.cat([wav[:n], torch.zeros(window)])
        for t in range(whole):
            assert torch.equal(frames[t], wav[160 * t : 160 * t + window])


def test_what_padding_holds_does_not_matter():
    wavs = torch.randn(2, 1000)
    wavs[1, 600:] = torch.inf
    analysis = Analysis(wavs, torch.tensor([1.0, 0.6]))
    assert torch.equal(analysis.wavs[1, :600], wavs[1, :600])
    assert not analysis.wavs[1, 600:].any()


def test_the_callers_waveforms_are_left_alone():
    wavs = torch.ones(2, 320)
    Analysis(wavs, torch.tensor([1.0, 0.5]))
    assert wavs.all()


def test_a_shared_result_is_computed_once_for_equal_arguments():
    calls = []

    @shared
    def compute(analysis, argument=2):
        calls.append(argument)
        return object()

    one = Analysis(torch.ones(1, 320), torch.ones(1))
    other = Analysis(torch.ones(1, 320), torch.ones(1))
    assert compute(one, 1) is compute(one, argument=1)
    assert compute(one, 1) is not compute(one, 2)
    assert compute(one) is compute(one, 2)
    assert compute(one, 1) is not compute(other, 1)
    assert calls == [1, 2, 1]


@pytest.mark.parametrize(
    "wavs, lens",
    [
        (torch.ones(320), torch.ones(1)),
        (torch.ones(2, 320), torch.ones(1)),
        (torch.ones(2, 0), torch.ones(2)),
        (torch.ones(2, 320, 1), torch.ones(2)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(wavs, lens):
    with pytest.raises(ValueError, match="wavs .batch, time. and lens"):
        Analysis(wavs, lens)
