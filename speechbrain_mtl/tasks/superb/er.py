"""Emotion recognition: one of a few emotions, as in SUPERB."""

from speechbrain_mtl.tasks.classification import UtteranceClassification


class EmotionRecognition(UtteranceClassification):
    """Tell the emotion by two linear layers around a mean over frames.

    0.198 million weights over 768 dimensions, for 4 emotions.

    Arguments
    ---------
    field : str
        Manifest field with the emotion.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    projection : int
        Width between the layers.

    Example
    -------
    >>> task = EmotionRecognition("emotion")
    >>> task.prepare((4,), {"u1": {"emotion": "sad"}, "u2": {"emotion": "hap"}})
    >>> task.encode({"emotion": "sad"})
    tensor([1])
    """

    def __init__(
        self,
        field: str = "emotion_label",
        layer: int | str = "mix",
        projection: int = 256,
    ) -> None:
        super().__init__(field, layer, projection=projection)
