import torch

from speechbrain_mtl.workers import F0, RMSEnergy, Voicing
from speechbrain_mtl.workers.prosody_clusters import Prosody, ProsodyClusters


def sound(kind, seconds=0.4):
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(int(16000 * seconds)) / 16000
    noise = torch.randn(len(time), generator=generator)
    if kind == "noise":
        return 0.1 * noise
    if kind == "quiet":
        return 1e-3 * noise
    pitch = {"low": 110, "high": 320}[kind]
    tone = sum(torch.sin(6.2832 * pitch * k * time) / k for k in range(1, 9))
    return 0.2 * tone + 1e-3 * noise


KINDS = ["low", "noise", "high", "quiet"]


def test_prosody_joins_contours_of_the_same_time_and_their_slopes():
    wav = torch.cat([sound(kind) for kind in KINDS])[None]
    one = torch.ones(1)
    contours = Prosody()(wav, one)[0]
    torch.testing.assert_close(contours[:, 0], F0()(wav, one)[0, :, 0])
    torch.testing.assert_close(contours[:, 1], Voicing()(wav, one)[0, :, 0])
    energy = RMSEnergy()
    # Pitch frames are centred at 20, 30, ... ms, energy frames at 10, 20, ...
    assert Prosody().offset - energy.offset == energy.hop
    level = 20 * energy(wav, one)[0, 1:-1, 0].log10()
    torch.testing.assert_close(contours[:, 2], level)
    slopes = 0.2 * (contours[4:, :3] - contours[:-4, :3])
    slopes += 0.1 * (contours[3:-1, :3] - contours[1:-3, :3])
    torch.testing.assert_close(contours[2:-2, 3:], slopes, rtol=1e-4, atol=1e-3)


def test_clusters_tell_pitch_noise_and_quiet_apart():
    wavs = [torch.cat([sound(kind) for kind in KINDS])] * 2
    worker = ProsodyClusters(units=12).fit(wavs)
    units = worker(wavs[0][None], torch.ones(1))[0, :, 0]
    # The inner frames of each kind: no unit belongs to two kinds.
    parts = [units[5 + 40 * i : 31 + 40 * i] for i in range(4)]
    named = [set(part.tolist()) for part in parts]
    for i in range(4):
        for j in range(i):
            assert not named[i] & named[j], (KINDS[i], KINDS[j])


def test_prosody_clusters_are_saved_and_know_no_padding(tmp_path):
    wav = torch.cat([sound(kind) for kind in KINDS])
    worker = ProsodyClusters(units=6).fit([wav])
    worker.save(tmp_path / "prosody.pt")
    loaded = ProsodyClusters.load(tmp_path / "prosody.pt")
    padded = torch.cat([wav, torch.full((5000,), 3.0)])[None]
    lens = torch.tensor([len(wav) / padded.shape[1]])
    alone = worker(wav[None], torch.ones(1))
    together = loaded(padded, lens)
    assert torch.equal(together[:, : alone.shape[1]], alone)
    assert not together[:, alone.shape[1] :].any()
