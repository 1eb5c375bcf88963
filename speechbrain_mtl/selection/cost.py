"""What a run has cost."""

import sys


def peak_memory_mb() -> float | None:
    """The most memory this process has held so far.

    Returns
    -------
    peak : float or None
        Megabytes of resident memory; None where the system does not tell.

    Example
    -------
    >>> peak = peak_memory_mb()
    >>> peak is None or peak > 10
    True
    """
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
