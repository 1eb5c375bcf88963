"""Which pretext labels are to be weighed."""

from collections.abc import Mapping, Sequence

from speechbrain_mtl.workers import Worker, default_bank, every_worker

Candidates = str | Sequence[str] | Mapping[str, Worker]


def choose_workers(workers: Candidates = "scalar") -> dict[str, Worker]:
    """Find workers by name, in alphabetical order.

    Arguments
    ---------
    workers : str, sequence of str or dict
        "scalar": the eight standard labels of one value a frame; "all":
        every worker that needs no parameters, voice quality, spectral shape
        and vectors too; names of these, as a list or with commas between; or
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
        every = dict(every_worker().items())
        if workers == "all":
            names = list(every)
        elif workers == "scalar":
            dims = default_bank().dims
            names = [name for name, dim in dims.items() if dim == 1]
        else:
            names = workers.split(",") if isinstance(workers, str) else workers
            names = [name.strip() for name in names]
        unknown = sorted(set(names) - set(every))
        if unknown or len(set(names)) < len(names):
            raise ValueError(
                f"workers {', '.join(names)!r}: "
                f"{unknown or 'a name twice'}. Choose each once from "
                f"{', '.join(every)}; or 'scalar', or 'all'."
            )
        chosen = {name: every[name] for name in names}
    if not chosen:
        raise ValueError("no workers. Give at least one, or 'scalar'.")
    return dict(sorted(chosen.items()))
