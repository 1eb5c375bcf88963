"""Speaker verification: are two recordings of one voice, as in SUPERB."""

import os

import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.losses import am_softmax
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.plain_xvector import PlainXVector
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.verification import SpeakerVerification


class XVectorVerification(SpeakerVerification):
    """Learn the training speakers by AM-softmax, then compare new ones.

    6.73 million weights over 768 dimensions, for 1211 speakers. One layer
    more than the embedding has is trained. Trials are scored by cosine:
    ``EER`` and ``minDCF``.

    SUPERB reports the best checkpoint on its test; here, as for all tasks, the
    validation part chooses.

    Arguments
    ---------
    field : str
        Manifest field with the speaker.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection, pooled_size, embedding_size : int
        Of the `PlainXVector`.
    margin, scale : float
        Of `am_softmax`.
    trials, pairs, seed
        See `SpeakerVerification`.

    Example
    -------
    >>> task = XVectorVerification(projection=6, pooled_size=8)
    >>> task.prepare((4,), {"u1": {"speaker": "ann"}, "u2": {"speaker": "bob"}})
    >>> task.encode({"speaker": "bob"}), task.encode({"speaker": "cat"})
    (tensor([1]), tensor([-1]))
    """

    def __init__(
        self,
        field: str = "speaker",
        layer: int | str = "mix",
        projection: int = 512,
        pooled_size: int = 1500,
        embedding_size: int = 512,
        margin: float = 0.4,
        scale: float = 30.0,
        trials: str | os.PathLike | None = None,
        pairs: int = 2000,
        seed: int = 0,
    ) -> None:
        sizes = {
            "projection": projection,
            "pooled_size": pooled_size,
            "embedding_size": embedding_size,
        }
        super().__init__(
            field,
            layer,
            sizes=sizes,
            margin=margin,
            scale=scale,
            trials=trials,
            pairs=pairs,
            seed=seed,
        )

    def make_head(self) -> None:
        """Make the x-vector, the layer after it, and speakers' directions."""
        self.embedder = PlainXVector(self.reader.size, **self.sizes)
        size = self.embedder.size
        self.last = nn.Linear(size, size)
        self.directions = nn.Parameter(torch.empty(len(self.labels), size))
        nn.init.xavier_normal_(self.directions)

    def embed(self, encoded: Encoded) -> torch.Tensor:
        """Make an embedding of each item, [B, E]."""
        return self.embedder(self.reader(encoded.layers), encoded.lens)

    def cosines(self, encoded: Encoded) -> torch.Tensor:
        """Compare each item with each training speaker, [B, C]."""
        vectors = self.last(self.embed(encoded)).relu()
        return functional.linear(
            functional.normalize(vectors.float(), dim=-1),
            functional.normalize(self.directions.float(), dim=-1),
        )

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Tell the training speakers apart; 0 for a batch without any."""
        target = inputs.target.data[:, 0]
        return am_softmax(
            self.cosines(encoded), target, self.margin, self.scale
        )
