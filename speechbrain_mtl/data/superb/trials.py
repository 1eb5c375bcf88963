"""Pairs for speaker verification where a corpus brings none."""

from collections.abc import Mapping
from typing import Any

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.evaluation.trials import Trial, draw_trials

PAIRS = 200  # of each kind


def verification_trials(
    parts: Mapping[str, Mapping[str, Mapping[str, Any]]],
    pairs: int = PAIRS,
    seed: int = 0,
    least: int = 20,
) -> dict[str, list[Trial]]:
    """Draw trials over the parts whose speakers never train.

    Arguments
    ---------
    parts : dict
        Entries with ``speaker`` of ``"valid"`` and ``"test"``.
    pairs : int
        Pairs of one speaker, and as many of two; fewer where there are fewer.
    seed : int
        Equal seeds draw equal trials, whatever the order of entries.
    least : int
        Pairs of each kind without which an error rate says nothing.

    Returns
    -------
    trials : dict
        Of both parts, ``(1 or 0, id, id)``; no pair twice, no recording
        with itself.

    Raises
    ------
    ManifestError
        When a part has fewer than `least` of a kind.

    Example
    -------
    >>> entries = {f"{s}{i}": {"speaker": s} for s in "ab" for i in range(3)}
    >>> parts = {"valid": entries, "test": entries}
    >>> len(verification_trials(parts, pairs=3, least=3)["test"])
    6
    """
    trials = {}
    for part in ("valid", "test"):
        speakers = {name: e["speaker"] for name, e in parts[part].items()}
        try:
            trials[part] = draw_trials(speakers, pairs, seed)
        except ValueError as error:
            raise ManifestError(f"asv, {part}: {error}") from error
        if len(trials[part]) < 2 * least:
            raise ManifestError(
                f"asv, {part}: {len(trials[part]) // 2} pairs of each kind, "
                f"at least {least} are needed. Add recordings of these "
                f"{len(set(speakers.values()))} speakers."
            )
    return trials
