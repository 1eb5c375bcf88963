"""A transparent encoder and recordings whose content is known."""

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.models import Encoded, Encoder, frame_mask


class Windows(Encoder):
    """Two layers: mean level of 20 ms windows, and its square plus noise."""

    dims = (1, 2)
    hop = 0.02
    offset = 0.01

    def forward(self, wavs, lens):
        frames = wavs.unfold(1, 320, 320)
        level = frames.abs().mean(-1, keepdim=True)
        counts = (lens * wavs.shape[1]).round().long() // 320
        mask = frame_mask(counts, level.shape[1])[..., None]
        second = torch.cat([level.square(), torch.sin(1e4 * level)], -1)
        return Encoded((level * mask, second * mask), counts, 0.02, 0.01)


@pytest.fixture
def encoder():
    return Windows()


@pytest.fixture
def entries(tmp_path):
    """Thirty recordings of four levels; each second has one level."""
    rng = np.random.default_rng(0)
    made = {}
    for number in range(30):
        split = ("train", "train", "valid", "test")[number % 4]
        labels = [str(x) for x in rng.permutation(4)[: 2 + number % 3]]
        levels = [0.1 * (int(label) + 1) for label in labels]
        wav = np.repeat(levels, 8000) * np.sign(
            rng.standard_normal(8000 * len(labels))
        )
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, wav, 16000, subtype="FLOAT")
        made[f"u{number}"] = {
            "wav": str(path),
            "duration": len(wav) / 16000,
            "speaker": f"s{number % 8}",
            "split": split,
            "phones": [
                [0.5 * i, 0.5 * (i + 1), label]
                for i, label in enumerate(labels)
            ],
            "first": labels[0] if len(labels) > 1 else None,
        }
    return made
