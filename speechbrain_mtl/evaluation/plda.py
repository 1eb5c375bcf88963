"""Probabilistic linear discriminant analysis of embeddings."""

import logging
from collections.abc import Sequence

import numpy as np
from speechbrain.processing import PLDA_LDA

from speechbrain_mtl.evaluation.scoring import Backend, unit_length

logger = logging.getLogger(__name__)

FLAT = 1e-6  # variances below this share of the largest are rounding


class PLDA(Backend):
    """How much likelier two embeddings are of one speaker than of two.

    S. Prince and J. Elder, ICCV 2007, as SpeechBrain trains it. Embeddings are
    centred, whitened and scaled to length 1 before (Garcia-Romero and
    Espy-Wilson, Interspeech 2011). Directions in which the training part does
    not vary, or has too few recordings to tell, are left out.

    Arguments
    ---------
    rank : int
        Dimensions in which speakers differ, at most.
    iterations : int
        Of expectation maximisation.
    scaling : float
        What counts are multiplied by, below 1 where recordings of a speaker
        are not independent. A speaker's recordings times this should stay
        well above 1, else no differences between speakers are found.

    Raises
    ------
    ValueError
        When an argument is not positive.

    Example
    -------
    >>> random = np.random.default_rng(0)
    >>> voices = np.repeat(random.normal(size=(20, 2)), 10, axis=0)
    >>> plda = PLDA(rank=2)
    >>> plda.fit(
    ...     voices + 0.1 * random.normal(size=voices.shape),
    ...     np.repeat(range(20), 10),
    ... )
    >>> same, other = plda(voices, np.array([0, 0]), np.array([1, 10]))
    >>> bool(same > other)
    True
    """

    name = "PLDA"

    def __init__(
        self, rank: int = 100, iterations: int = 10, scaling: float = 1.0
    ) -> None:
        if not (rank > 0 and iterations > 0 and scaling > 0):
            raise ValueError(
                f"rank {rank}, iterations {iterations}, scaling {scaling}: "
                "give values above 0"
            )
        self.rank = rank
        self.iterations = iterations
        self.scaling = scaling
        self.model: PLDA_LDA.PLDA | None = None

    def fit(self, embeddings: np.ndarray, speakers: Sequence[str]) -> None:
        """Learn how speakers differ, and recordings of one.

        Arguments
        ---------
        embeddings : np.ndarray
            Of the training part, [N, D].
        speakers : sequence of str
            Of each.

        Raises
        ------
        ValueError
            When there are too few recordings, or they do not vary.
        """
        names, index = np.unique(speakers, return_inverse=True)
        spare = len(embeddings) - len(names)
        if len(names) < 2 or spare < 2:
            raise ValueError(
                f"PLDA of {len(embeddings)} recordings by {len(names)} "
                "speaker(s): give two speakers or more, and two recordings "
                "more than speakers"
            )
        embeddings = np.asarray(embeddings, dtype=np.float64)
        self.centre = embeddings.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(embeddings.T, bias=True))
        order = values.argsort()[::-1][: spare // 2]
        order = order[values[order] > FLAT * values.max()]
        if not len(order):
            raise ValueError(
                "PLDA of embeddings that are all equal: nothing was learned. "
                "Train longer."
            )
        self.whitening = vectors[:, order] / np.sqrt(values[order])
        self.model = PLDA_LDA.PLDA(
            rank_f=min(self.rank, len(order)),
            nb_iter=self.iterations,
            scaling_factor=self.scaling,
        )
        self.model.plda(_statistics(self.project(embeddings), index))
        self._factorise()

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """Centre, whiten and scale to length 1: [N, D] to [N, d].

        A single dimension is not scaled: its sign alone would be left.
        """
        white = (embeddings - self.centre) @ self.whitening
        return white if white.shape[1] == 1 else unit_length(white)

    def _factorise(self) -> None:
        """Matrices of the likelihood ratio, a quadratic form of two sides."""
        between = self.model.F @ self.model.F.T
        total = between + self.model.Sigma
        inverse = np.linalg.inv(total)
        joint = np.linalg.inv(total - between @ inverse @ between)
        self.own = inverse - joint
        self.cross = inverse @ between @ joint
        # log |total| - log |joint covariance| / 2, of 2 x 2 blocks
        self.constant = 0.5 * (
            np.linalg.slogdet(total)[1] + np.linalg.slogdet(joint)[1]
        )
        if np.trace(between) < FLAT * np.trace(total):
            logger.warning(
                "PLDA found no differences between speakers, and its scores "
                "mean nothing. Train longer, or raise its scaling of "
                f"{self.scaling}."
            )

    def __call__(
        self, embeddings: np.ndarray, first: np.ndarray, second: np.ndarray
    ) -> np.ndarray:
        """Score trials.

        Arguments
        ---------
        embeddings : np.ndarray
            [N, D].
        first, second : np.ndarray
            Rows of both sides of each trial, integers [T].

        Returns
        -------
        scores : np.ndarray
            Log likelihood ratios in nats, [T].
        """
        if self.model is None:
            raise ValueError("PLDA is not trained yet: call fit first")
        x = self.project(embeddings) - self.model.mean
        alone = 0.5 * np.einsum("nd,de,ne->n", x, self.own, x, optimize=True)
        both = np.einsum("td,td->t", (x @ self.cross)[first], x[second])
        return alone[first] + alone[second] + both + self.constant


def _statistics(
    embeddings: np.ndarray, speakers: np.ndarray
) -> PLDA_LDA.StatObject_SB:
    """Embeddings [N, D] of speakers [N] as SpeechBrain takes them."""
    none = np.full(len(embeddings), None)
    return PLDA_LDA.StatObject_SB(
        modelset=speakers,
        segset=np.arange(len(embeddings)),
        start=none,
        stop=none,
        stat0=np.ones((len(embeddings), 1)),
        stat1=embeddings.copy(),
    )
