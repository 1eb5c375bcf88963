"""One measured number, with what it was measured on."""

from dataclasses import asdict, dataclass

# What a metric is called, and whether more of it is better.
HIGHER_IS_BETTER = {
    "accuracy": True,
    "mean F1": True,
    "mAP": True,
    "slot F1": True,
    "recall": True,
    "PER": False,
    "CER": False,
    "WER": False,
    "EER": False,
    "minDCF": False,
    "DER": False,
    "slot CER": False,
}


@dataclass(frozen=True)
class Score:
    """A metric's value on one set.

    Arguments
    ---------
    metric : str
        One of `HIGHER_IS_BETTER`; " with ..." may follow, to tell the ways to
        decode apart.
    value : float
        A fraction.
    n : int
        Items it was measured on.
    interval : list of float, optional
        95 % interval.

    Example
    -------
    >>> Score("WER", 0.25, n=400).error
    0.25
    >>> Score("accuracy", 0.75, n=400).error
    0.25
    >>> Score("WER with LM", 0.25, n=400).higher_is_better
    False
    """

    metric: str
    value: float
    n: int
    interval: list[float] | None = None

    @property
    def higher_is_better(self) -> bool:
        """Tell an accuracy from an error rate."""
        return HIGHER_IS_BETTER[self.metric.split(" with ")[0]]

    @property
    def error(self) -> float:
        """The value where lower is better, else what it lacks to 1."""
        return 1 - self.value if self.higher_is_better else self.value

    def as_dict(self) -> dict:
        """Give the JSON form of `metrics.json`."""
        return {**asdict(self), "higher_is_better": self.higher_is_better}
