"""Which pretext labels are to be weighed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from speechbrain_mtl.workers import (
    RandomProjectionUnits,
    Worker,
    default_bank,
    every_worker,
)
from speechbrain_mtl.workers.unit_files import load_units

Candidates = str | Sequence[str] | Mapping[str, Worker]


def choose_workers(workers: Candidates = "scalar") -> dict[str, Worker]:
    """Find workers by name, in alphabetical order.

    Arguments
    ---------
    workers : str, sequence of str or dict
        "scalar": the eight standard labels of one value a frame; "all":
        every worker that needs no fitting: voice quality, spectral shape,
        vectors, and random-projection units; names of these, as a list or
        with commas between, files of units (``*.pt``, see `fit_units`) among
        them, known by their stem; or workers of your own by name.

    Returns
    -------
    workers : dict
        Worker by name.

    Raises
    ------
    ValueError
        For an unknown name, a name given twice, no worker at all, and a file
        that holds no units.

    Example
    -------
    >>> list(choose_workers("zcr,f0"))
    ['f0', 'zcr']
    """
    if isinstance(workers, Mapping):
        chosen = dict(workers)
    else:
        every = {**every_worker(), "units": RandomProjectionUnits()}
        if workers == "all":
            names = list(every)
        elif workers == "scalar":
            dims = default_bank().dims
            names = [name for name, dim in dims.items() if dim == 1]
        else:
            names = workers.split(",") if isinstance(workers, str) else workers
            names = [name.strip() for name in names]
            files = {Path(n).stem: n for n in names if n.endswith(".pt")}
            every |= {stem: load_units(n) for stem, n in files.items()}
            names = [Path(n).stem if n.endswith(".pt") else n for n in names]
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
