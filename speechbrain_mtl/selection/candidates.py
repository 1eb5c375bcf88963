"""Which pretext labels are to be weighed."""

from collections.abc import Mapping, Sequence

from speechbrain_mtl.workers import Worker, default_bank

Candidates = str | Sequence[str] | Mapping[str, Worker]


def choose_workers(workers: Candidates = "scalar") -> dict[str, Worker]:
    """Find workers by name, in alphabetical order.

    Arguments
    ---------
    workers : str, sequence of str or dict
        "scalar": the standard labels of one value a frame; "all": with mel
        and cepstral vectors too; names, as a list or with commas between; or
        workers of your own by name.

    Returns
    -------
    workers : dict
        Worker by name.

    Raises
    ------
    ValueError
        For an unknown name, a name given twice, and no worker at all.

    Example
    -------
    >>> list(choose_workers("zcr,f0"))
    ['f0', 'zcr']
    """
    if isinstance(workers, Mapping):
        chosen = dict(workers)
    else:
        standard = dict(default_bank().items())
        if workers == "all":
            names = list(standard)
        elif workers == "scalar":
            names = [name for name, w in standard.items() if w.dim == 1]
        else:
            names = workers.split(",") if isinstance(workers, str) else workers
            names = [name.strip() for name in names]
        unknown = sorted(set(names) - set(standard))
        if unknown or len(set(names)) < len(names):
            raise ValueError(
                f"workers {', '.join(names)!r}: "
                f"{unknown or 'a name twice'}. Choose each once from "
                f"{', '.join(standard)}; or 'scalar', or 'all'."
            )
        chosen = {name: standard[name] for name in names}
    if not chosen:
        raise ValueError("no workers. Give at least one, or 'scalar'.")
    return dict(sorted(chosen.items()))
