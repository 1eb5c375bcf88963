"""What a task loses while others are trained: one number a measure."""

from collections.abc import Mapping, Sequence

#: By task, what is looked at, and whether more of it is better.
MEASURES = {
    "grounding": {
        "speech_to_image_R@1": True,
        "image_to_speech_R@1": True,
        "speech_to_image_R@10": True,
        "image_to_speech_R@10": True,
        "loss": False,
    },
    "wav2vec2": {
        "loss": False,
        "accuracy": True,
        "abx_within": False,
        "abx_across": False,
    },
}


def forgetting(
    history: Mapping[int, Mapping[str, float]],
    ends: Sequence[int],
    trained: Sequence[Sequence[str]],
    measures: Mapping[str, Mapping[str, bool]] = MEASURES,
) -> list[dict]:
    """Compare what a task could at the end of its phase with what came after.

    Arguments
    ---------
    history : dict
        ``{epoch: {"task/measure": value}}``; an epoch need not have all.
    ends : sequence of int
        Last epoch of each phase.
    trained : sequence of sequences of str
        Tasks of each phase.
    measures : dict
        ``{task: {measure: whether higher is better}}``.

    Returns
    -------
    lost : list of dict
        One for each phase but the last, task trained in it, and measure that
        was taken at its end and at the end of all: ``phase`` (from 1),
        ``task``, ``measure``, ``at_switch``, ``at_end``, ``lost``, above 0
        where it became worse, and ``most_lost``, the same at the worst moment
        after the switch, 0 where none is worse.

    Example
    -------
    >>> loss = {2: 1.0, 3: 4.0, 4: 1.5}
    >>> history = {epoch: {"asr/loss": value} for epoch, value in loss.items()}
    >>> measures = {"asr": {"loss": False}}
    >>> [row] = forgetting(history, [2, 4], [["asr"], ["sid"]], measures)
    >>> row["lost"], row["most_lost"]
    (0.5, 3.0)
    """
    lost = []
    for phase, (end, tasks) in enumerate(zip(ends[:-1], trained), start=1):
        for task in tasks:
            for measure, higher in measures.get(task, {}).items():
                key = f"{task}/{measure}"
                found = {e: v[key] for e, v in history.items() if key in v}
                if end not in found or ends[-1] not in found:
                    continue
                sign = -1 if higher else 1
                worse = {
                    epoch: sign * (value - found[end])
                    for epoch, value in found.items()
                    if epoch > end
                }
                lost.append(
                    {
                        "phase": phase,
                        "task": task,
                        "measure": measure,
                        "at_switch": found[end],
                        "at_end": found[ends[-1]],
                        "lost": worse[ends[-1]],
                        "most_lost": max(0.0, *worse.values()),
                    }
                )
    return lost
