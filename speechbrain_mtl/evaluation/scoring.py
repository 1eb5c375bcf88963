"""How alike two embeddings are: cosines, also beside those of a cohort."""

from collections.abc import Sequence

import numpy as np

NORMALISATIONS = ("z-norm", "t-norm", "s-norm")


class Backend:
    """A scorer of trials that learns from the training part's embeddings.

    Subclasses set ``name``, which is what results are told apart by, and
    define `fit` and ``__call__``.
    """

    name: str

    def fit(self, embeddings: np.ndarray, speakers: Sequence[str]) -> None:
        """Learn from embeddings [N, D] and the speaker of each."""
        raise NotImplementedError(f"{type(self).__name__} learns nothing")

    def __call__(
        self, embeddings: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> np.ndarray:
        """Score trials, [T]: rows `first` [T] against rows `second` [T]."""
        raise NotImplementedError(f"{type(self).__name__} scores nothing")


def unit_length(embeddings: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; a row of zeros stays one.

    Example
    -------
    >>> unit_length(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.where(length > 0, length, 1)


def cosine_scores(
    embeddings: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Score trials by the cosine of the angle between embeddings.

    Arguments
    ---------
    embeddings : np.ndarray
        [N, D].
    first, second : np.ndarray
        Rows of both sides of each trial, integers [T].

    Returns
    -------
    scores : np.ndarray
        [T], between -1 and 1.

    Example
    -------
    >>> table = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    >>> cosine_scores(table, np.array([0, 0]), np.array([1, 2]))
    array([1., 0.])
    """
    unit = unit_length(embeddings)
    return np.einsum("td,td->t", unit[first], unit[second])


class NormalisedCosine(Backend):
    """Cosines in units of what strangers score.

    A score is centred and scaled by those of its first side (z-norm), of its
    second side (t-norm, Auckenthaler et al., DSP 10, 2000), or both ways and
    averaged (s-norm, Kenny, Odyssey 2010), against a cohort: the mean
    embedding of each training speaker.

    Arguments
    ---------
    name : str
        ``"z-norm"``, ``"t-norm"`` or ``"s-norm"``.
    nearest : int, optional
        Only the cohort's nearest so many count, recording by recording
        (adaptive, Matejka et al., Interspeech 2017); all by default.

    Raises
    ------
    ValueError
        When there is no such normalisation, or fewer than two count.

    Example
    -------
    >>> scorer = NormalisedCosine("s-norm")
    >>> table = np.array([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0]])
    >>> scorer.fit(np.eye(2), ["ann", "bob"])
    >>> scorer(table, np.array([0, 0]), np.array([1, 2])).round(2)
    array([ 1.02, -0.78])
    """

    def __init__(
        self, name: str = "s-norm", nearest: int | None = None
    ) -> None:
        if name not in NORMALISATIONS:
            raise ValueError(
                f"normalisation '{name}' is none of {list(NORMALISATIONS)}"
            )
        if nearest is not None and nearest < 2:
            raise ValueError(f"nearest is {nearest}; give 2 or more, or null")
        self.name = name
        self.nearest = nearest
        self.cohort: np.ndarray | None = None

    def fit(self, embeddings: np.ndarray, speakers: Sequence[str]) -> None:
        """Make the cohort: a vector a speaker.

        Arguments
        ---------
        embeddings : np.ndarray
            Of the training part, [N, D].
        speakers : sequence of str
            Of each.

        Raises
        ------
        ValueError
            When there is but one speaker.
        """
        names, index = np.unique(speakers, return_inverse=True)
        if len(names) < 2:
            raise ValueError(
                f"a cohort of {len(names)} speaker(s) has no spread; train on "
                "two or more"
            )
        sums = np.zeros((len(names), embeddings.shape[1]))
        np.add.at(sums, index, unit_length(embeddings))
        self.cohort = unit_length(sums)

    def __call__(
        self, embeddings: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> np.ndarray:
        """Score trials; arguments as for `cosine_scores`.

        Returns
        -------
        scores : np.ndarray
            [T], in standard deviations of the cohort's.
        """
        if self.cohort is None:
            raise ValueError(f"{self.name} has no cohort yet: call fit first")
        against = unit_length(embeddings) @ self.cohort.T
        if self.nearest is not None and self.nearest < against.shape[1]:
            place = against.shape[1] - self.nearest
            against = np.partition(against, place, axis=1)[:, place:]
        mean = against.mean(axis=1)
        spread = against.std(axis=1).clip(min=1e-6)
        raw = cosine_scores(embeddings, first, second)
        sides = {
            "z-norm": (first,),
            "t-norm": (second,),
            "s-norm": (first, second),
        }[self.name]
        normal = [(raw - mean[side]) / spread[side] for side in sides]
        return sum(normal) / len(normal)
