"""Pretraining alone: weights that are known, one encoder, no labels."""

import math
import zlib
from collections.abc import Mapping

from speechbrain.utils.distributed import if_main_process

from speechbrain_mtl.data.splits import pretraining_parts
from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.inference import export_huggingface
from speechbrain_mtl.models import TransformerEncoder
from speechbrain_mtl.models.mixed import inside
from speechbrain_mtl.selection import Selection
from speechbrain_mtl.training.stages import fingerprint


class PretrainingExperiment(PretextExperiment):
    """One pretraining recipe.

    Everything that can be wrong with weights and sizes is found here, before
    any data are looked at.

    Arguments
    ---------
    hparams : dict
        The loaded YAML, as for `PretextExperiment`. ``selection_file`` is the
        ``selection.json`` of a downstream task; without it ``weights`` are
        taken. ``base_weights`` are added to either. ``valid_hours`` of audio,
        at most, watch. ``export_folder``, where there is one, gets the
        encoder as a checkpoint of HuggingFace's.
    settings : dict
        The same YAML as plain data.
    run_opts : RunOptions
        SpeechBrain's run options.

    Raises
    ------
    SelectionError
        When the selection file is missing or is none.
    ValueError
        When weights are no numbers, all zero, or of unknown tasks; when the
        tasks read another width than the encoder has; when an encoder is to
        be exported that HuggingFace does not know.
    """

    def __init__(self, hparams: dict, settings: dict, run_opts: object) -> None:
        # There is one run, and a GPU or two cores are all it needs.
        super().__init__({"processes": 1, **hparams}, settings, run_opts)
        self.selection = None
        weights, source = hparams["weights"], "weights"
        if hparams["selection_file"] is not None:
            self.selection = Selection.load(hparams["selection_file"])
            weights, source = self.selection.weights, hparams["selection_file"]
        known = [n for n in self.tasks if n not in hparams["base_weights"]]
        self.weights = checked_weights(weights, known, source)
        self.every = {**hparams["base_weights"], **self.weights}
        if not self.every:
            raise ValueError(
                f"{source}: every weight is 0, so there is nothing to train on"
            )
        wanted, width = hparams["pretext"]["layer_size"], self.encoder.dims[-1]
        if wanted != width:
            raise ValueError(
                f"the tasks read {wanted} values a frame (layer_size of "
                f"pretext), the encoder's last layer has {width}: make them "
                "equal"
            )
        exported = hparams.get("export_folder") is not None
        encoder = inside(self.encoder)
        if exported and not isinstance(encoder, TransformerEncoder):
            raise ValueError(
                f"export_folder is {hparams['export_folder']}, but "
                f"{type(encoder).__name__} has no counterpart in "
                "HuggingFace's transformers: leave it out"
            )

    @property
    def title(self) -> str:
        """What the run is called in its report."""
        return f"{self.hparams['strategy']} pretraining"

    def run(self, entries: dict[str, dict], data: str, note: dict) -> dict:
        """Pretrain unless it is done; export; write metrics and report.

        Arguments
        ---------
        entries : dict
            Manifest entries; see `watched_parts` for who trains.
        data : str
            Digest of their manifest: a change redoes the pretraining.
        note : dict
            What the data are, for the record.

        Returns
        -------
        summary : dict
            Hours, steps and final losses.
        """
        hparams = self.hparams
        hours = hparams["valid_hours"]
        shortest = 2 * hparams["pretrain"].keywords["grid_seconds"]
        train, valid = watched_parts(entries, shortest, hours)
        runs = {self.folder: self.weights}
        digest = fingerprint([data, hours])
        summary = self.pretrain(runs, train, valid, digest)[self.folder]
        if not if_main_process():
            return summary
        note = {
            **note,
            "pretraining": f"{len(train)} recordings, {total_hours(train):.2f} "
            f"h, watched by {len(valid)}, {total_hours(valid):.2f} h",
        }
        if self.selection is not None:
            self.selection.save(self.folder / "selection.json")
            note["selection"] = f"of {hparams['selection_file']}"
        if hparams.get("export_folder") is not None:
            export_huggingface(self.folder, hparams["export_folder"])
            print(f"HuggingFace checkpoint: {hparams['export_folder']}")
        page = self.finish(
            self.selection, summary, {"this": {}}, note, self.every
        )
        print(f"report: {page}")
        return summary


def checked_weights(
    weights: Mapping[str, float] | None, known: list[str], source: str
) -> dict[str, float]:
    """Refuse weights that cannot be trained with; leave out those of 0.

    Arguments
    ---------
    weights : dict
        Weight by task.
    known : list of str
        Tasks that may be weighed.
    source : str
        Where the weights come from, for messages.

    Returns
    -------
    weights : dict
        Those above 0.

    Raises
    ------
    ValueError
        When there are none, or one is negative, no number, or of an unknown
        task.

    Example
    -------
    >>> checked_weights({"f0": 0.4, "zcr": 0.0}, ["f0", "zcr"], "weights")
    {'f0': 0.4}
    """
    if not isinstance(weights, Mapping):
        raise ValueError(
            f"{source}: {weights!r} holds no weights. Give "
            "--selection_file=/a/selection.json, or weights such as {f0: 0.4}"
        )
    for name, weight in weights.items():
        number = isinstance(weight, int | float) and math.isfinite(weight)
        if isinstance(weight, bool) or not number or weight < 0:
            raise ValueError(
                f"{source}: the weight of '{name}' is {weight!r}, not a "
                "number of 0 or more"
            )
    kept = {name: float(weight) for name, weight in weights.items() if weight}
    unknown = sorted(set(kept) - set(known))
    if unknown:
        raise ValueError(
            f"{source}: no task {', '.join(unknown)} in this YAML; it can "
            f"weigh {', '.join(sorted(known))}"
        )
    return kept


def watched_parts(
    entries: dict[str, dict], shortest: float, valid_hours: float
) -> tuple[dict[str, dict], dict[str, dict]]:
    """Part recordings into those to train on and those to watch.

    Recordings whose ``split`` is test are left out; those of split valid
    watch, or, when there are none, one in twenty by a hash of its id. Of the
    watchers the first in the order of that hash are taken, up to
    `valid_hours`; the rest of an official valid part is left out.

    Arguments
    ---------
    entries : dict
        Manifest entries.
    shortest : float
        Seconds; shorter recordings hold no crop and are left out.
    valid_hours : float
        Of audio, at most; one recording at least.

    Returns
    -------
    train, valid : dict

    Raises
    ------
    ValueError
        When fewer than two recordings are left, or none to train on.

    Example
    -------
    >>> entries = {
    ...     name: {"wav": name, "duration": 9.0, "split": split}
    ...     for name, split in zip("abcd", ("train", "train", "valid", "test"))
    ... }
    >>> train, valid = watched_parts(entries, 1.0, valid_hours=1.0)
    >>> list(train), list(valid)
    (['a', 'b'], ['c'])
    """
    tested = {n: e for n, e in entries.items() if e.get("split") == "test"}
    train, valid = pretraining_parts(entries, tested, shortest)
    every = {n: e for n, e in entries.items() if n in train or n in valid}
    official = {n: e for n, e in every.items() if e.get("split") == "valid"}
    if len(official) == len(every):
        raise ValueError(
            f"all {len(official)} recordings left are of split valid: there "
            "is nothing to train on"
        )
    watchers = official or valid
    chosen, seconds = {}, 0.0
    for name in sorted(watchers, key=lambda name: zlib.crc32(name.encode())):
        seconds += watchers[name]["duration"]
        if chosen and seconds > valid_hours * 3600:
            break
        chosen[name] = watchers[name]
    aside = {**official, **chosen}
    return {n: e for n, e in every.items() if n not in aside}, chosen


def total_hours(entries: Mapping[str, dict]) -> float:
    """Sum the durations of manifest entries, in hours."""
    return sum(entry["duration"] for entry in entries.values()) / 3600
