"""Everything the data say of each label: scores, tests, resampled scores."""

from dataclasses import dataclass

import torch

from speechbrain_mtl.selection.comparison import Block, Comparison
from speechbrain_mtl.selection.hsic import hsic, hsic_coefficients
from speechbrain_mtl.selection.intervals import ClusterBootstrap, group_pairs
from speechbrain_mtl.selection.precision import (
    block_errors,
    pair_variance,
    rounding_error,
)
from speechbrain_mtl.selection.processes import mine, total
from speechbrain_mtl.selection.relevance import (
    between_pairs,
    class_coefficients,
    thin,
)
from speechbrain_mtl.selection.significance import (
    Significance,
    exact_test,
    permutation_moments,
)

COLUMNS = (
    "reference",
    "centered",
    "unbiased",
    "normalised",
    "relevance",
    "mean_similarity",
    "within_class_spread",
    "spread",
)
# Of one block, and what is resampled of it.
SCORES = (
    *("reference", "mean_similarity", "centered", "unbiased", "speech_scale"),
    *("label_scale", "mean", "variance", "room", "within"),
)
TERMS = ("unbiased", "within", "reference")
VARIANCES = tuple(f"{term}_variance" for term in TERMS)
SPLITS = 25  # of the speakers into halves
SILENT = 1e-10  # kernels that vary less than rounding lets them


@dataclass(frozen=True)
class Evidence:
    """What is known of k labels.

    Arguments
    ---------
    columns : dict
        Scores by name, float64 [k]: "reference" (published), "centered"
        (biased HSIC), "unbiased", "normalised" (debiased alignment),
        "relevance", "mean_similarity" (published kernel, within classes),
        "within_class_spread", and "spread" over all segments (in deviations
        of the label's frames).
    dependence : list of Significance
        Of speech and label within classes.
    relevance : list of Significance
        Of label and class.
    draws : dict
        Resampled "unbiased", "relevance" and "reference", [draws, k].
    halves : dict
        The same of random halves of the speakers, a half and its complement
        in turn, [2 * splits, k].
    speech_scale : float
        Root of the speech kernel's HSIC with itself, meaned over classes: the
        unit of dependence.
    errors : dict
        Standard errors [k] of "unbiased", "relevance" and "reference" against
        all pairs, where large classes are compared in blocks; else 0.
    rounding : float
        Difference of single precision, see `rounding_error`.
    """

    columns: dict[str, torch.Tensor]
    dependence: list[Significance]
    relevance: list[Significance]
    draws: dict[str, torch.Tensor]
    halves: dict[str, torch.Tensor]
    speech_scale: float
    errors: dict[str, torch.Tensor]
    rounding: float


def gather(
    comparison: Comparison,
    classes: torch.Tensor,
    clusters: torch.Tensor,
    draws: int = 500,
    seed: int = 0,
) -> Evidence:
    """Measure every label's dependence on speech, and on the class.

    Arguments
    ---------
    comparison : Comparison
        Of N segments.
    classes, clusters : torch.Tensor
        Class and speaker of each segment, [N].
    draws : int
        Bootstrap draws.
    seed : int
        Of draws and pairs.

    Returns
    -------
    evidence : Evidence

    Raises
    ------
    ValueError
        When all segments of a class sound the same.

    Example
    -------
    >>> from speechbrain_mtl.selection.features import Measurements
    >>> classes = torch.arange(60) // 30
    >>> labels = {"class": classes[:, None].double()}
    >>> measured = Measurements(torch.randn(60, 10, 40), labels, seconds=60.0)
    >>> comparison = Comparison(measured, classes)
    >>> gather(comparison, classes, classes).columns["relevance"]
    tensor([0.3935], dtype=torch.float64)
    """
    bootstrap = ClusterBootstrap(
        int(clusters.max()) + 1, draws, seed, clusters.device, SPLITS
    )
    share = torch.tensor(
        [share for _, share in comparison.cuts],
        dtype=torch.float64,
        device=classes.device,
    )
    stacked, resampled = _over_blocks(comparison, clusters, bootstrap)
    columns = {key: share @ table for key, table in stacked.items()}
    dependence = exact_test(
        *(stacked[key] for key in ("unbiased", "mean", "variance", "room")),
        share,
    )
    first, second = between_pairs(classes, seed=seed)
    apart = comparison.log_pairs(first, second).exp()
    columns["relevance"] = columns["within"] - apart.double().mean(dim=1)
    resampled["relevance"] = resampled["within"] - bootstrap.pairs(
        apart, clusters[first], clusters[second]
    )
    speech_scale = float(columns["speech_scale"][0])
    if speech_scale < SILENT:
        raise ValueError(
            "within every class all segments sound the same, so nothing can "
            "depend on speech. Check that the recordings are not silent, nor "
            "copies of one another."
        )
    scale = columns["label_scale"] * speech_scale
    columns["normalised"] = torch.where(
        scale > 0, columns["unbiased"] / scale.clamp(min=1e-30).sqrt(), 0.0
    )
    columns["within_class_spread"] = comparison.spreads(classes)
    columns["spread"] = comparison.spreads(torch.zeros_like(classes))
    sizes = [len(index) for index, _ in comparison.cuts]
    errors = {
        kind: block_errors(
            stacked[f"{term}_variance"], sizes, comparison.strata
        )
        for kind, term in (
            ("unbiased", "unbiased"),
            ("relevance", "within"),
            ("reference", "reference"),
        )
    }
    kept = ("unbiased", "relevance", "reference")
    return Evidence(
        {key: columns[key] for key in COLUMNS},
        dependence,
        _relevance_test(comparison, classes, seed),
        {key: resampled[key][:draws] for key in kept},
        {key: resampled[key][draws:] for key in kept},
        speech_scale**0.5,
        errors,
        rounding_error(comparison),
    )


def _over_blocks(
    comparison: Comparison, clusters: torch.Tensor, bootstrap: ClusterBootstrap
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Scores of all blocks [B, k], and their resampled means [draws, k]."""
    labels, draws = len(comparison.names), len(bootstrap.counts)
    double = {"dtype": torch.float64, "device": clusters.device}
    keys = (*SCORES, *VARIANCES)
    scored = torch.zeros(len(comparison.cuts), len(keys), labels, **double)
    drawn = torch.zeros(len(TERMS), draws, labels + 1, **double)
    for _, stratum in mine(comparison.strata):
        sums, mass = _over_stratum(
            comparison, clusters, bootstrap, stratum, scored
        )
        left = sums[:, -1:]
        mass = torch.where(left > 0, mass[:, None], 0.0)
        means = sums[:, :-1] / left.clamp(min=0.5)
        for row, mean in zip(drawn, means.split(labels, dim=1)):
            row += torch.cat([mean * mass, mass], dim=1)
    scored, drawn = total(scored), total(drawn)
    means = drawn[..., :-1] / drawn[..., -1:].clamp(min=1e-12)
    return dict(zip(keys, scored.transpose(0, 1))), dict(zip(TERMS, means))


def _over_stratum(
    comparison: Comparison,
    clusters: torch.Tensor,
    bootstrap: ClusterBootstrap,
    stratum: list[int],
    scored: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Score the blocks of one class, into `scored`; resample their pairs.

    Returns sums over pairs, the number of pairs last [draws, 3 k + 1], and
    the share of segments drawn [draws].
    """
    sums, mass = 0.0, 0.0
    pairs = comparison.pairs_of(stratum[0])
    for part in _parts(comparison, clusters, stratum):
        index = torch.cat([comparison.cuts[number][0] for number in part])
        there = clusters[index].unique()
        size = len(there)
        rows = len(TERMS) * len(comparison.names) + 1
        grouped = torch.zeros(rows, size * size, device=clusters.device)
        for number, block in zip(part, comparison.blocks(part)):
            scores, terms = _scores(block)
            found = [scores[key].double() for key in SCORES]
            if len(stratum) > 1:
                found += [pair_variance(terms[k]).double() for k in TERMS]
            scored[number, : len(found)] = torch.stack(found)
            own, values = group_pairs(
                torch.cat([terms[key] for key in TERMS]), clusters[block.index]
            )
            at = torch.searchsorted(there, own)
            place = (at[:, None] * size + at).flatten()
            # Blocks count alike, though they may differ by a segment.
            values *= pairs / comparison.pairs_of(number)
            grouped.index_add_(1, place, values.flatten(1))
            times = bootstrap.counts[:, clusters[block.index]]
            mass += block.share * times.double().mean(dim=1)
        grouped = grouped.view(rows, size, size)
        sums += bootstrap.sums(there, grouped).double()
    return sums, mass


def _parts(
    comparison: Comparison, clusters: torch.Tensor, stratum: list[int]
) -> list[list[int]]:
    """Blocks of a class whose pairs to add up before resampling them.

    All at once where they share clusters, one by one where together there
    were more pairs of clusters to resample.
    """
    members = [clusters[comparison.cuts[number][0]] for number in stratum]
    apart = sum(len(member.unique()) ** 2 for member in members)
    if len(torch.cat(members).unique()) ** 2 <= apart:
        return [stratum]
    return [[number] for number in stratum]


def _scores(
    block: Block,
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Scores [k] of one block, and the terms [k, n, n] they are means of."""
    n = len(block.index)
    pairs = n * (n - 1)
    K, L = block.K, block.log_L.exp()
    published = block.log_L_published.exp()
    A = hsic_coefficients(K, estimator="unbiased")
    B = hsic_coefficients(L, estimator="unbiased")
    reference = hsic_coefficients(block.K_published, "reference") * published
    mean, variance = permutation_moments(A, L)
    similarity = L.mean(dim=(1, 2))
    scores = {
        "reference": reference.sum(dim=(1, 2)),
        "mean_similarity": published.mean(dim=(1, 2)),
        "centered": hsic(K, L),
        "unbiased": (A * L).sum(dim=(1, 2)),
        "speech_scale": (A * K).sum().expand(len(L)),
        "label_scale": (B * L).sum(dim=(1, 2)),
        "mean": mean,
        "variance": variance,
        "room": (1 - K.mean()) * (1 - similarity) / (n - 1),
        "within": (similarity * n - 1) / (n - 1),
    }
    # Means over pairs; of two centred kernels, so that a resample moves them
    # to first order as it would move the score.
    diagonal = reference.diagonal(0, -2, -1).sum(dim=-1)[:, None, None]
    terms = {
        "unbiased": A * B * (n * (n - 3) * pairs),
        "within": L,
        "reference": reference * pairs + diagonal,
    }
    return scores, terms


def _relevance_test(
    comparison: Comparison, classes: torch.Tensor, seed: int
) -> list[Significance]:
    """Permute the class over a sample of all segments."""
    index = thin(classes, seed=seed)
    A = class_coefficients(classes[index]).float()
    counts = classes[index].bincount().double()
    tests = []
    # One label at a time: these kernels are the largest of all.
    for log_L in comparison.each_log_label(index):
        L = log_L.exp()
        mean, variance = permutation_moments(A, L)
        room = (1 - L.mean()) * (1 / counts).mean()
        score = (A * L).sum(dtype=torch.float64)
        row = (score, mean, variance, room)
        one = torch.ones(1, device=L.device)
        tests += exact_test(*(x.reshape(1, 1) for x in row), one)
    return tests
