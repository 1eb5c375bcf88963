"""Where a run computes."""

from collections.abc import Mapping
from typing import Any

from speechbrain.utils.distributed import infer_device


def chosen_device(run_opts: Any) -> str:
    """Give the device of SpeechBrain's run options, or the one at hand.

    Arguments
    ---------
    run_opts : RunOptions, dict or None
        What the Brain gets.

    Returns
    -------
    device : str

    Example
    -------
    >>> chosen_device({"device": "cpu"})
    'cpu'
    """
    if isinstance(run_opts, Mapping):
        return run_opts.get("device") or infer_device()
    return getattr(run_opts, "device", None) or infer_device()
