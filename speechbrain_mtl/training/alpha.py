"""Speech alone, speech with images, or both: at once, or one by one.

The total loss of VGS+ (Khorrami et al., EUSIPCO 2023) is alpha times that of
grounding and 1 - alpha times that of wav2vec 2.0.
"""

from collections.abc import Sequence
from typing import Any

from speechbrain_mtl.training.mixes import LinearRamp, TasksInTurn
from speechbrain_mtl.training.schedule import Phase
from speechbrain_mtl.training.weighting import FixedWeights

#: alpha of each name of the paper.
ALPHAS = {"W2V2": 0.0, "VGS": 1.0, "VGS+": 0.5}

#: The paper's nine runs: alpha of their stages.
VARIANTS = {
    "W2V2": ("W2V2",),
    "VGS": ("VGS",),
    "VGS+": ("VGS+",),
    "(W2V2, VGS+)": ("W2V2", "VGS+"),
    "(VGS, VGS+)": ("VGS", "VGS+"),
    "(W2V2, VGS)": ("W2V2", "VGS"),
    "(VGS, W2V2)": ("VGS", "W2V2"),
    "(VGS+, W2V2)": ("VGS+", "W2V2"),
    "(VGS+, VGS)": ("VGS+", "VGS"),
}


def published_stages(variant: str, epochs: int = 70) -> list[dict[str, Any]]:
    """Give the stages of one of the paper's runs, for `alpha_phases`.

    Arguments
    ---------
    variant : str
        A name of `VARIANTS`.
    epochs : int
        Of all stages; two of the seventh parts are the first of two stages.

    Returns
    -------
    stages : list of dict

    Raises
    ------
    ValueError
        When there is no such run, or it has fewer epochs than stages.

    Example
    -------
    >>> published_stages("(W2V2, VGS)")
    [{'epochs': 20, 'alpha': 0.0}, {'epochs': 50, 'alpha': 1.0}]
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant '{variant}' is none of {list(VARIANTS)}")
    alphas = [ALPHAS[name] for name in VARIANTS[variant]]
    if epochs < len(alphas):
        raise ValueError(
            f"variant '{variant}' has {len(alphas)} stages, and {epochs} epochs"
        )
    if len(alphas) == 1:
        return [{"epochs": epochs, "alpha": alphas[0]}]
    first = max(1, round(epochs * 2 / 7))
    return [
        {"epochs": first, "alpha": alphas[0]},
        {"epochs": epochs - first, "alpha": alphas[1]},
    ]


def alpha_phases(
    stages: Sequence[dict[str, Any]],
    epoch_hours: float,
    speech: str = "wav2vec2",
    grounding: str = "grounding",
) -> list[Phase]:
    """Make the phases of a schedule of alphas.

    All weights go from a phase to the next; the optimiser begins anew. Where
    alpha is 0 or 1 the other task is not executed, and what only it uses stays
    as it is: no weight decay.

    Arguments
    ---------
    stages : sequence of dict
        Each has ``epochs`` and ``alpha``: a number; or two, from which and to
        which alpha rises or falls by the step; or, in its place,
        ``alternate``: for how many steps each task has its turn.
    epoch_hours : float
        Audio an epoch.
    speech, grounding : str
        Names of the tasks.

    Returns
    -------
    phases : list of Phase

    Raises
    ------
    ValueError
        When alpha is not between 0 and 1, or a stage says something else.

    Example
    -------
    >>> stages = [{"epochs": 20, "alpha": 0}, {"epochs": 50, "alpha": 0.5}]
    >>> [phase.weighting.weights for phase in alpha_phases(stages, 1.0)]
    [{'wav2vec2': 1.0, 'grounding': 0.0}, {'wav2vec2': 0.5, 'grounding': 0.5}]
    """

    def weights(alpha: float) -> dict[str, float]:
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha is {alpha}: it lies between 0 and 1")
        return {speech: 1.0 - alpha, grounding: float(alpha)}

    phases = []
    for number, stage in enumerate(stages):
        if set(stage) not in ({"epochs", "alpha"}, {"epochs", "alternate"}):
            raise ValueError(
                f"stage {number + 1} is {dict(stage)}: give epochs, and either "
                "alpha or alternate"
            )
        if "alternate" in stage:
            equal = {speech: 1.0, grounding: 1.0}
            weighting = TasksInTurn(equal, stage["alternate"])
        elif isinstance(stage["alpha"], Sequence):
            first, last = stage["alpha"]
            weighting = LinearRamp(weights(first), weights(last))
        else:
            weighting = FixedWeights(weights(stage["alpha"]))
        hours = stage["epochs"] * epoch_hours
        phases.append(Phase(hours, weighting, restart_optimizer=bool(number)))
    return phases
