"""Random parts of long recordings, others in every epoch."""

import zlib

import numpy as np


def random_chunk(
    name: str, seconds: float, longest: float, seed: int, epoch: int
) -> tuple[float, float]:
    """Choose a part of a recording.

    The choice depends on nothing but the arguments, so that a resumed run
    repeats it.

    Arguments
    ---------
    name : str
        Id of the recording.
    seconds : float
        Its length.
    longest : float
        Length of the part, in seconds; a shorter recording is taken whole.
    seed, epoch : int
        Each gives other parts.

    Returns
    -------
    start, stop : float
        Seconds from the recording's begin.

    Example
    -------
    >>> random_chunk("u1", seconds=2.0, longest=3.0, seed=0, epoch=1)
    (0.0, 2.0)
    >>> start, stop = random_chunk("u1", 8.0, longest=3.0, seed=0, epoch=1)
    >>> 0 <= start <= 5, round(stop - start, 6)
    (True, 3.0)
    """
    if seconds <= longest:
        return 0.0, seconds
    random = np.random.default_rng([seed, epoch, zlib.crc32(name.encode())])
    start = float(random.uniform(0, seconds - longest))
    return start, min(start + longest, seconds)
