"""Learning rate by update: rise, then fall or stay."""

from speechbrain.nnet.schedulers import LinearWarmupScheduler


class ConstantRate:
    """Rise linearly, then stay: what Adadelta was published with.

    Arguments
    ---------
    peak : float
        Learning rate after the rise.
    warmup_steps : int
        Updates of the rise; 0 for none.

    Example
    -------
    >>> rate = ConstantRate(1.0, warmup_steps=4)
    >>> [rate.calculate_lr(update) for update in (1, 4, 9)]
    [0.25, 1.0, 1.0]
    """

    def __init__(self, peak: float, warmup_steps: int = 0) -> None:
        self.peak = peak
        self.warmup_steps = warmup_steps

    def calculate_lr(self, update: int) -> float:
        """Give the learning rate of an update, counted from 1."""
        return self.peak * min(1.0, update / max(1, self.warmup_steps))


def rates(
    peak: float, warmup_steps: int, last: int, decay: str
) -> LinearWarmupScheduler | ConstantRate:
    """Make the schedule of a run.

    Arguments
    ---------
    peak : float
        Highest learning rate.
    warmup_steps : int
        Updates of rising rate.
    last : int
        Update, counted from 1, at which a falling rate is 0.
    decay : str
        "linear" or "none".

    Returns
    -------
    schedule : object
        With ``calculate_lr(update)``.

    Raises
    ------
    ValueError
        For another decay.

    Example
    -------
    >>> [rates(1.0, 2, 6, "linear").calculate_lr(u) for u in (1, 2, 4, 6)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if decay == "linear":
        return LinearWarmupScheduler(peak, warmup_steps, last)
    if decay == "none":
        return ConstantRate(peak, warmup_steps)
    raise ValueError(f"decay is {decay!r}: choose linear or none")
