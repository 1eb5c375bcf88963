import pytest
import soundfile
import torch

from speechbrain_mtl.workers import MFCC, RMSEnergy, WorkerBank
from speechbrain_mtl.workers.kmeans_units import KMeansUnits
from speechbrain_mtl.workers.layers import EncoderLayer
from tests.helpers.batches import padded
from tests.helpers.encoders import calibrated_crdnn

LEVELS = [0.02, 0.1, 0.3, 0.8]


def staircase(order, seed=0):
    """Noise of one level after the other, 0.2 s each."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(len(order), 3200, generator=generator) - 0.5
    noise = noise.sign() * (1 + 0.1 * noise)
    return (noise * torch.tensor([LEVELS[i] for i in order])[:, None]).flatten()


def batch():
    sizes = [12800, 6405, 100]
    stairs = [staircase([row, 1, 2, 3], seed=row) for row in range(3)]
    return padded([wav[:size] for wav, size in zip(stairs, sizes)])


def encoder(seed=0):
    return calibrated_crdnn(seed, dropout=0.3)


def test_clusters_are_the_levels_there_are():
    wavs = [staircase([0, 2, 1, 3, 2]), staircase([3, 1, 0], seed=1)]
    worker = KMeansUnits(4, RMSEnergy()).fit(wavs)
    centers = (worker.codes + worker.center).flatten().sort().values
    torch.testing.assert_close(centers, torch.tensor(LEVELS), rtol=0.2, atol=0)
    units = worker(staircase([3, 0, 1, 0, 2])[None], torch.ones(1))
    inside = [units[0, 5 + 20 * step : 15 + 20 * step] for step in range(5)]
    assert all((part == part[0]).all() for part in inside)
    named = [int(part[0]) for part in inside]
    assert named[1] == named[3] and len(set(named)) == 4


@pytest.mark.parametrize("standardize", [False, True])
def test_a_label_is_the_nearest_center(standardize):
    wavs, lens, sizes = batch()
    worker = KMeansUnits(6, MFCC(5), standardize).fit(list(wavs[:2, :6400]))
    units = worker(wavs, lens)
    features = MFCC(5)(wavs[:1, : sizes[0]], torch.ones(1))[0].double()
    if standardize:
        sample = MFCC(5)(wavs[:2, :6400], torch.ones(2)).flatten(0, 1)
        torch.testing.assert_close(1 / worker.scale, sample.std(0))
    for frame, unit in zip(features, units[0, :, 0]):
        scaled = (frame - worker.center.double()) * worker.scale.double()
        gaps = [float((scaled - code).norm()) for code in worker.codes]
        assert gaps.index(min(gaps)) == unit


@pytest.mark.parametrize("kind", ["mfcc", "encoder"])
def test_units_have_the_frames_of_their_features_and_know_no_padding(kind):
    source = MFCC() if kind == "mfcc" else EncoderLayer(encoder(), layer=1)
    wavs, lens, sizes = batch()
    worker = KMeansUnits(5, source).fit(list(wavs[:2, :6400]))
    bank = WorkerBank({"unit": worker}).train()
    units = bank(wavs, lens)["unit"]
    assert (worker.hop, worker.offset) == (source.hop, source.offset)
    assert units.shape[1] == source(wavs, lens).shape[1]
    assert (worker.dim, worker.units) == (1, 5)
    counts = worker.frame_lens(torch.tensor(sizes)).tolist()
    assert counts == source.frame_lens(torch.tensor(sizes)).tolist()
    for row, (size, count) in enumerate(zip(sizes, counts)):
        alone = worker(wavs[row : row + 1, :size], torch.ones(1))[0]
        assert torch.equal(units[row, :count], alone)
        assert not units[row, count:].any()
    assert units.unique().numel() > 2


def test_the_seed_fixes_the_clusters_and_files_are_as_good_as_waveforms(
    tmp_path,
):
    wavs = [staircase([0, 1, 2, 3], seed=s) for s in range(3)]
    entries = {}
    for number, wav in enumerate(wavs):
        path = str(tmp_path / f"{number}.wav")
        soundfile.write(path, wav.numpy(), 16000, subtype="FLOAT")
        entries[f"u{number}"] = {"wav": path, "duration": len(wav) / 16000}
    one = KMeansUnits(4).fit(wavs, seed=1)
    two = KMeansUnits(4).fit(entries, seed=1)
    assert torch.equal(one.codes, two.codes)
    other = KMeansUnits(4).fit(wavs, seed=2)
    assert not torch.equal(one.codes, other.codes)


def test_what_is_saved_gives_the_same_units_and_holds_tensors_and_text(
    tmp_path,
):
    wavs, lens, _ = batch()
    path = tmp_path / "sub" / "units.pt"
    worker = KMeansUnits(5, standardize=True).fit(list(wavs[:2, :6400]))
    worker.save(path)
    loaded = KMeansUnits.load(path)
    assert torch.equal(loaded(wavs, lens), worker(wavs, lens))
    content = torch.load(path, weights_only=True)
    assert content["source"] == "MFCC() of 60 values"
    assert [p.name for p in path.parent.iterdir()] == ["units.pt"]


def test_clusters_of_other_features_or_weights_are_refused(tmp_path):
    wavs, lens, _ = batch()
    path = tmp_path / "units.pt"
    source = EncoderLayer(encoder(), layer=1)
    worker = KMeansUnits(5, source).fit(list(wavs[:2, :6400]))
    worker.save(path)
    same = KMeansUnits.load(path, EncoderLayer(encoder(), layer=1))
    assert torch.equal(same(wavs, lens), worker(wavs, lens))
    others = [
        None,
        EncoderLayer(encoder(), layer=0),
        EncoderLayer(encoder(seed=1), layer=1),
    ]
    for other in others:
        with pytest.raises(ValueError, match="units.pt: clusters of Encoder"):
            KMeansUnits.load(path, other)


def test_a_checkpoint_of_the_module_brings_its_clusters():
    wavs, lens, _ = batch()
    worker = KMeansUnits(5).fit(list(wavs[:2, :6400]))
    fresh = KMeansUnits(5)
    fresh.load_state_dict(worker.state_dict())
    assert torch.equal(fresh(wavs, lens), worker(wavs, lens))
    fresh.load_state_dict(KMeansUnits(5).state_dict())
    with pytest.raises(ValueError, match="KMeansUnits has no clusters yet"):
        fresh(wavs, lens)


def test_before_fitting_there_is_nothing_to_ask_or_save(tmp_path):
    with pytest.raises(ValueError, match="no clusters yet. Call fit()"):
        KMeansUnits()(torch.randn(1, 8000), torch.ones(1))
    with pytest.raises(ValueError, match="no clusters to save"):
        KMeansUnits().save(tmp_path / "units.pt")
    with pytest.raises(ValueError, match="units is 1"):
        KMeansUnits(units=1)


def test_fewer_distinct_frames_than_units_are_refused():
    with pytest.raises(ValueError, match="29 frames, 29 of them distinct"):
        KMeansUnits(units=50).fit([torch.randn(4800)])
    silence = [torch.zeros(16000)]
    with pytest.raises(ValueError, match="99 frames, 1 of them distinct"):
        KMeansUnits(units=5).fit(silence)
