"""From labelled data to a tested task: what every downstream recipe runs.

Weigh pretext tasks for the labels, pretrain on any speech, then train the
recipe's tasks on the encoder, frozen or finetuned, beside encoders of the same
size that were pretrained with equal weights, or not at all.
"""

import copy
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from speechbrain_mtl.data.corpora.folder import prepare_folder
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.data.splits import pretraining_parts
from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.inference import MTLEncoder
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.report import probe_table
from speechbrain_mtl.selection import Selection
from speechbrain_mtl.training.finetune import prepare_tasks
from speechbrain_mtl.training.stages import (
    discard_training,
    file_digest,
    fingerprint,
)

logger = logging.getLogger(__name__)

UNTRAINED, UNIFORM = "random_init", "uniform"


class DownstreamExperiment(PretextExperiment):
    """One downstream recipe.

    Arguments
    ---------
    hparams : dict
        The loaded YAML. ``tasks`` (`SupervisedTask` by name) and ``finetune``
        say what is trained on the encoder and how; ``baselines`` which other
        encoders are treated alike, of ``random_init`` and ``uniform``;
        ``encoder`` what they are. With ``pretrain`` other than None the
        encoder is first pretrained, on ``pretrain_folder`` or
        ``pretrain_manifest``, as for `PretextExperiment`. ``pretrained`` names
        the folder of an earlier training to take the encoder from instead.
    settings : dict
        The same YAML as plain data.
    run_opts : RunOptions
        SpeechBrain's run options.
    """

    def __init__(self, hparams: dict, settings: dict, run_opts: object) -> None:
        # An encoder that comes pretrained has no pretext tasks.
        hparams = {"pretext": {"tasks": {}}, **hparams}
        super().__init__(hparams, settings, run_opts)
        unknown = set(hparams["baselines"]) - {UNTRAINED, UNIFORM}
        if unknown:
            raise ValueError(
                f"baselines {sorted(unknown)}: choose of {UNTRAINED}, {UNIFORM}"
            )

    def run(
        self, parts: Mapping[str, dict[str, dict]], data: str, note: dict
    ) -> dict[str, dict]:
        """Do everything that is not done yet; print the table.

        Arguments
        ---------
        parts : dict
            Labelled entries: train, valid, and one or more test sets.
        data : str
            Digest of their manifest: a change redoes what depends on it.
        note : dict
            What the data are, for the record.

        Returns
        -------
        results : dict
            ``{row: {"<task>/<metric>": score}}``; row "this" is the encoder
            that was asked for.

        Raises
        ------
        ManifestError
            Before anything is selected or trained: when there is no encoder
            to take, or no speech to pretrain one on; or when a task cannot
            use entries, all of which are named.
        """
        selection, summary = None, None
        rows: dict[str, Callable[[], Encoder]] = {}
        made: dict[str, str] = {}
        if self.hparams.get("pretrained"):
            source = self.hparams["pretrained"]
            rows["this"] = lambda: MTLEncoder.from_hparams(source).mods.encoder
            path = Path(source) / "encoder.ckpt"
            if not path.is_file():
                raise ManifestError(
                    f"{path}: no such encoder. Set pretrained to the output "
                    "folder of a training that came to its end."
                )
            made["this"] = file_digest(path)
        elif self.hparams.get("pretrain") is None:
            rows["this"] = lambda: self.encoder
            made["this"] = fingerprint(self.settings["encoder"])
        else:
            # What no task can use is named before anything is trained.
            with torch.random.fork_rng(devices=[]):
                tasks = copy.deepcopy(self.hparams["tasks"])
                prepare_tasks(tasks, self.encoder.dims, parts)
            speech = self._speech(parts)
            selection = self.select(parts["train"], data)
            print(selection.table())
            folders, summary, heard = self._pretrain(selection, *speech)
            note = {**note, "pretraining": heard}
            for row, folder in folders.items():
                rows[row] = lambda r=row, f=folder: self._row_encoder(r, f)
                stage_file = folder / "pretraining.stage.json"
                made[row] = fingerprint([row, stage_file.read_text()])
        results = dict(
            zip(
                rows,
                self.pool.map(
                    lambda row: self._finetune(
                        row, rows[row], made[row], parts, data
                    ),
                    rows,
                ),
            )
        )
        print(probe_table(results))
        page = self.finish(selection, summary, results, note)
        print(f"report: {page}")
        return results

    def _speech(
        self, parts: Mapping[str, dict[str, dict]]
    ) -> tuple[dict[str, dict], dict[str, dict], str]:
        """Find what to pretrain on, what to watch, and their digest."""
        speech, manifest = unlabelled(self.hparams, self.folder)
        tested = {
            f"{part}/{name}": entry
            for part, entries in parts.items()
            if part not in ("train", "valid")
            for name, entry in entries.items()
        }
        shortest = 2 * self.hparams["pretrain"].keywords["grid_seconds"]
        train, valid = pretraining_parts(speech, tested, shortest)
        return train, valid, file_digest(manifest)

    def _pretrain(
        self,
        selection: Selection,
        train: dict[str, dict],
        valid: dict[str, dict],
        data: str,
    ) -> tuple[dict[str, Path], dict, str]:
        """Pretrain with the selected weights, and the baselines."""
        hparams = self.hparams
        runs = {self.folder: selection.weights}
        folders = {"this": self.folder}
        if UNIFORM in hparams["baselines"]:
            shared = Path(hparams["uniform_folder"])
            labels = selection.weights
            runs[shared] = dict.fromkeys(labels, 1 / len(labels))
            folders[UNIFORM] = shared
        if UNTRAINED in hparams["baselines"]:
            folders[UNTRAINED] = self.folder
        summaries = self.pretrain(runs, train, valid, data)
        hours = sum(entry["duration"] for entry in train.values()) / 3600
        heard = f"{len(train)} recordings, {hours:.2f} h"
        return folders, summaries[self.folder], heard

    def _finetune(
        self,
        row: str,
        encoder: Callable[[], Encoder],
        made: str,
        parts: Mapping[str, dict[str, dict]],
        data: str,
    ) -> dict[str, dict]:
        """Train and test the tasks on one row's encoder."""
        folder = self.folder / f"downstream_{row}"
        settings = {
            "data": data,
            "encoder": made,
            "tasks": self.settings["tasks"],
            "finetune": self.settings["finetune"],
            "seed": self.hparams["seed"],
        }

        def make() -> dict:
            arguments = {
                "encoder": encoder(),
                "tasks": self.hparams["tasks"],
                "parts": parts,
                "folder": folder,
                "run_opts": self.run_opts,
                # Bars of runs side by side would overwrite each other.
                "progressbar": None if row == "this" else False,
            }
            return self.pool.run(
                run_finetuning, self.hparams["finetune"], arguments
            )

        clear = partial(discard_training, folder)
        return self._stage(f"downstream_{row}", folder, settings, make, clear)


def unlabelled(hparams: Mapping, folder: Path) -> tuple[dict[str, dict], Path]:
    """Find the speech that a YAML pretrains on.

    Arguments
    ---------
    hparams : dict
        With ``pretrain_folder`` and ``pretrain_manifest``.
    folder : pathlib.Path
        A manifest of the folder is written to ``speech/`` in it.

    Returns
    -------
    entries, path
        As of `ready_manifest`.

    Raises
    ------
    ManifestError
        When neither is given, or entries are bad.
    """
    source, given = hparams["pretrain_folder"], hparams["pretrain_manifest"]
    if source is None and given is None:
        raise ManifestError(
            "there is no speech to pretrain on. Add "
            "--pretrain_folder=/any/folder/of/audio or "
            "--pretrain_manifest=/a/manifest.json; or take the encoder of an "
            "earlier training by --pretrained=/its/output_folder."
        )
    return ready_manifest(prepare_folder, source, folder / "speech", given)


def run_finetuning(finetune: Callable, arguments: dict[str, Any]) -> dict:
    """Train and test tasks on one encoder: what a worker process does."""
    return finetune(**copy.deepcopy(arguments))
