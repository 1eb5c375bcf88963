"""Keyword spotting: which of a few words is said, as in SUPERB."""

from speechbrain_mtl.tasks.classification import UtteranceClassification


class KeywordSpotting(UtteranceClassification):
    """Tell the word by two linear layers around a mean over frames.

    0.200 million weights over 768 dimensions, for 12 words.

    Arguments
    ---------
    field : str
        Manifest field with the word.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection : int
        Width between the layers.

    Example
    -------
    >>> task = KeywordSpotting()
    >>> task.prepare((4,), {"u1": {"keyword": "up"}, "u2": {"keyword": "on"}})
    >>> task.encode({"keyword": "up"})
    tensor([1])
    """

    def __init__(
        self,
        field: str = "keyword",
        layer: int | str = "mix",
        projection: int = 256,
    ) -> None:
        super().__init__(field, layer, projection=projection)
