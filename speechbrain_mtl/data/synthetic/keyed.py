"""Chance that depends on a name only, never on the order of work."""

import functools
import hashlib
import math

import numpy as np


def draws(*key: object) -> np.random.Generator:
    """Give the random generator that belongs to a key.

    Every item draws from its own generator, so that neither the number of
    workers nor an interruption can change what is made.

    Arguments
    ---------
    *key : object
        Parts of the key; their ``str()`` counts.

    Returns
    -------
    generator : numpy.random.Generator
        Freshly seeded.

    Example
    -------
    >>> draws(0, "a").random() == draws(0, "a").random()
    True
    """
    text = "\x1f".join(map(str, key))
    seed = hashlib.sha256(text.encode()).digest()[:16]
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "little")))


def shuffled(index: int, size: int, *key: object) -> int:
    """Look up one place of a keyed permutation without making all of it.

    Arguments
    ---------
    index : int
        Place; places `size` and beyond begin the permutation again.
    size : int
        Length of the permutation.
    *key : object
        Which permutation.

    Returns
    -------
    value : int
        In ``range(size)``; no value comes twice within `size` places.

    Example
    -------
    >>> sorted(shuffled(i, 6, "dice") for i in range(6))
    [0, 1, 2, 3, 4, 5]
    """
    random = draws("shuffled", size, *key)
    steps = _coprime(size)
    # x -> step * x + start is a permutation when step and size are coprime
    step = steps[random.integers(len(steps))]
    return int((step * index + random.integers(size)) % size)


@functools.cache
def _coprime(size: int) -> list[int]:
    return [step for step in range(1, size + 1) if math.gcd(step, size) == 1]
