"""How every recipe starts: YAML and command line in, objects and data out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.distributed import ddp_init_group

from speechbrain_mtl.training.settings import read_settings


@dataclass(frozen=True)
class Start:
    """What was asked for.

    Arguments
    ---------
    hparams_file, overrides : str
        The YAML and what the command line puts in its place.
    hparams : dict
        Both, as objects.
    settings : dict
        Both, as plain data: see `read_settings`.
    run_opts : dict
        SpeechBrain's run options.
    """

    hparams_file: str
    overrides: str
    hparams: dict[str, Any]
    settings: dict[str, Any]
    run_opts: dict[str, Any]


def start(arguments: Sequence[str]) -> Start:
    """Read a recipe's YAML and command line.

    The recipe itself calls `speechbrain.create_experiment_directory` next: it
    keeps a copy of the script it is called from.

    Arguments
    ---------
    arguments : sequence of str
        Of the command line: the YAML, run options, overrides.

    Returns
    -------
    started : Start

    Example
    -------
    >>> started = start(sys.argv[1:])  # doctest: +SKIP
    >>> started.hparams["output_folder"]  # doctest: +SKIP
    """
    hparams_file, run_opts, overrides = sb.parse_arguments(list(arguments))
    ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    settings = read_settings(hparams_file, overrides)
    return Start(hparams_file, overrides, hparams, settings, run_opts)
