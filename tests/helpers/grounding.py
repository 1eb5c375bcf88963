"""A small encoder with both halves of VGS+ on it, and pairs to learn from."""

from types import SimpleNamespace

import torch
from speechbrain.dataio.batch import PaddedData

from speechbrain_mtl.models import (
    AudioHead,
    RegionEncoder,
    SceneEncoder,
    Wav2Vec2Encoder,
)
from speechbrain_mtl.tasks import GroundingTask, Wav2Vec2Task
from speechbrain_mtl.training import MultiTaskModel

SMALL = {"heads": 2, "feedforward_size": 32, "output_size": 8, "dropout": 0.0}


def small_encoder(**more):
    """Three layers of 32, a frame every 20 ms; nothing is dropped."""
    return Wav2Vec2Encoder(
        32, 3, 2, 64,
        conv_channels=16, conv_kernels=(10, 8, 4, 4), conv_strides=(5, 4, 4, 4),
        position_kernel=8, position_groups=4, dropout=0.0, cls_token=True,
        **more,
    )  # fmt: skip


def small_model(pixels=False, **settings):
    """Grounding on layer 2 of 3, wav2vec 2.0 on the last."""
    torch.manual_seed(0)
    if pixels:
        image = SceneEncoder((8, 8), pixels=16, hidden_size=16, output_size=8)
    else:
        image = RegionEncoder(6, 16, 1, boxes=False, **SMALL)
    speech = AudioHead(32, (8, 16), kernel=3, **SMALL)
    grounding = GroundingTask(speech, image, **{"layer": 2, **settings})
    ssl = Wav2Vec2Task(
        32, 16, codes=8, code_size=8, project_size=8, negatives=5, dropout=0.0
    )
    tasks = {"wav2vec2": ssl, "grounding": grounding}
    return MultiTaskModel(small_encoder(), tasks)


def pairs(seconds=(0.5, 0.4, 0.3, 0.5), regions=(5, 3, 4, 5), more=0):
    """Noise and random regions, padded, the last two of one image."""
    generator = torch.Generator().manual_seed(4)
    sizes = [round(16000 * s) for s in seconds]
    wavs = torch.full((len(sizes), max(sizes) + 1000 * more), 3.0)
    for row, size in zip(wavs, sizes):
        row[:size] = 0.1 * torch.randn(size, generator=generator)
    image = torch.full((len(sizes), max(regions) + more, 6), 5.0)
    for row, n in zip(image, regions):
        row[:n] = torch.randn(n, 6, generator=generator)
    names = [f"{n}.jpg" for n in range(len(sizes) - 1)]
    batch = SimpleNamespace(
        image=PaddedData(image, torch.tensor(regions) / image.shape[1]),
        image_id=[*names, names[-1]],
    )
    return wavs, torch.tensor(sizes) / wavs.shape[1], batch
