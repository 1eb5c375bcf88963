"""Phone recognition: two linear layers and CTC, as in SUPERB."""

from speechbrain_mtl.tasks.superb.ctc_head import SuperbCTC
from speechbrain_mtl.tasks.superb.symbols import PhoneTokens


class PhoneRecognition(SuperbCTC):
    """Tell the phones by two linear layers over each frame, by CTC.

    0.216 million weights over 768 dimensions, for 74 tokens. Scored by phone
    error rate.

    Arguments
    ---------
    field : str
        Manifest field with ``[[start, end, phone], ...]`` or a list of phones.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection : int
        Width between the layers.
    symbols : str
        ``"superb"`` for ARPAbet with the stress of vowels, ``"learned"`` for
        the phones of the training part.
    legacy : bool
        Decode as SUPERB once did: see `SuperbCTC`.

    Example
    -------
    >>> task = PhoneRecognition()
    >>> entry = {"phones": ["S", "OW1"]}
    >>> task.prepare((4,), {"u1": entry})
    >>> task.encode(entry), task.out
    (tensor([59, 52,  1]), Linear(in_features=256, out_features=74, bias=True))
    """

    def __init__(
        self,
        field: str = "phones",
        layer: int | str = "mix",
        projection: int = 256,
        symbols: str = "superb",
        legacy: bool = False,
    ) -> None:
        super().__init__(
            PhoneTokens(field, symbols),
            layer,
            projection,
            hidden_size=0,
            layers=0,
            dropout=0.0,
            augment=None,
            legacy=legacy,
        )
