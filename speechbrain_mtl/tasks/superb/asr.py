"""Speech recognition: letters by LSTMs and CTC, as in SUPERB."""

from collections.abc import Callable

from torch import nn

from speechbrain_mtl.models.spec_augment import SpecAugment
from speechbrain_mtl.tasks.superb.ctc_head import SuperbCTC
from speechbrain_mtl.tasks.superb.symbols import LetterTokens


class SpeechRecognition(SuperbCTC):
    """Spell what is said, by a linear layer, BiLSTMs and CTC.

    42.8 million weights over 768 dimensions, for 32 tokens. Scored by word
    error rate along the best path, without a language model.

    Arguments
    ---------
    field : str
        Manifest field with a text, or with ``[[start, end, word], ...]``.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection, hidden_size, layers, dropout, augment
        Of the `PlainTrunk`.
    symbols : str
        ``"superb"`` for the letters of English, ``"learned"`` for those of
        the training part.
    legacy : bool
        Decode as SUPERB once did for other tasks: see `SuperbCTC`.

    Example
    -------
    >>> task = SpeechRecognition(hidden_size=8, projection=4, augment=None)
    >>> entry = {"text": "so it is"}
    >>> task.prepare((4,), {"u1": entry})
    >>> task.encode(entry), task.out
    (tensor([12,  8,  4, 10,  6,  4, 10, 12,  4,  2]), \
Linear(in_features=16, out_features=32, bias=True))
    """

    def __init__(
        self,
        field: str = "text",
        layer: int | str = "mix",
        projection: int = 1024,
        hidden_size: int = 1024,
        layers: int = 2,
        dropout: float = 0.2,
        augment: Callable[[int], nn.Module] | None = SpecAugment,
        symbols: str = "superb",
        legacy: bool = False,
    ) -> None:
        super().__init__(
            LetterTokens(field, symbols),
            layer,
            projection,
            hidden_size,
            layers,
            dropout,
            augment,
            legacy,
        )
