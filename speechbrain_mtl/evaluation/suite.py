"""A table's column: every probe of one frozen encoder."""

from dataclasses import dataclass

import torch
from tqdm import tqdm

from speechbrain_mtl.evaluation.classify import classify
from speechbrain_mtl.evaluation.examples import (
    SILENCE,
    frame_examples,
    frequent_classes,
    segment_examples,
)
from speechbrain_mtl.evaluation.features import Features, extract
from speechbrain_mtl.evaluation.layers import best_layer
from speechbrain_mtl.evaluation.probes import ProbeResult
from speechbrain_mtl.evaluation.transcribe import transcribe, transcripts
from speechbrain_mtl.models import Encoder

# Kinds of probe, and the batch size of each when none is asked for.
BATCH_SIZES = {"frames": 1024, "segments": 128, "transcript": 3000}


@dataclass
class ProbeSpec:
    """One question to ask of frozen features.

    Arguments
    ---------
    kind : str
        ``"frames"`` (label of each frame), ``"segments"`` (label of each
        pooled segment or utterance) or ``"transcript"`` (CTC).
    field : str
        Manifest field with the labels.
    heads : list of str
        Heads to train: linear, and mlp (rnn for transcripts).
    lrs : list of float
        Learning rates to choose from on the validation set.
    epochs : int
        Passes over the training set.
    batch_size : int
        Frames or segments a batch; padded frames for transcripts.
    split : str
        Manifest field that says train, valid or test.
    least : int
        Training examples a class needs to take part.
    few : bool
        Train on the suite's few labelled minutes only.
    """

    kind: str
    field: str
    heads: list[str]
    lrs: list[float]
    epochs: int
    batch_size: int = 0
    split: str = "split"
    least: int = 1
    few: bool = False

    def __post_init__(self) -> None:
        if self.kind not in BATCH_SIZES:
            raise ValueError(
                f"probe kind '{self.kind}' is none of {list(BATCH_SIZES)}"
            )
        self.batch_size = self.batch_size or BATCH_SIZES[self.kind]


class ProbeSuite:
    """Probes to run on any frozen encoder.

    Arguments
    ---------
    probes : dict
        Arguments of `ProbeSpec` by probe name.
    few_minutes : float
        Labelled speech for the probes with ``few: True``.
    seed : int
        Fixes the heads' initial values and the few labelled utterances.
    """

    def __init__(
        self,
        probes: dict[str, dict],
        few_minutes: float = 2.0,
        seed: int = 0,
    ) -> None:
        self.probes = {n: ProbeSpec(**spec) for n, spec in probes.items()}
        self.few_minutes = few_minutes
        self.seed = seed

    def run(
        self,
        encoder: Encoder,
        entries: dict[str, dict],
        device: str | torch.device = "cpu",
        title: str = "probes",
    ) -> dict[str, ProbeResult]:
        """Extract features once and run every probe with every head.

        Arguments
        ---------
        encoder : Encoder
            Frozen; put into eval mode.
        entries : dict
            Manifest entries with resolved ``wav`` paths.
        device : str or torch.device
            Where the encoder runs. Probes run on the host.
        title : str
            Shown beside the progress bar.

        Returns
        -------
        results : dict
            `ProbeResult` by ``"<probe>/<head>"``.
        """
        wanted = {spec.field for spec in self.probes.values()}
        entries = {
            name: entry
            for name, entry in entries.items()
            if any(entry.get(field) for field in wanted)
        }
        features = extract(encoder, entries, device, progress=False)
        results = {}
        jobs = [(n, h) for n, spec in self.probes.items() for h in spec.heads]
        with tqdm(jobs, desc=title) as bar:
            for name, head in bar:
                bar.set_postfix_str(f"{name}/{head}")
                results[f"{name}/{head}"] = self._one(
                    name, head, features, entries
                )
        return results

    def _one(
        self, name: str, head: str, features: Features, entries: dict
    ) -> ProbeResult:
        spec = self.probes[name]
        parts = {
            part: {
                i: e
                for i, e in entries.items()
                if e.get(spec.field) and e.get(spec.split) == part
            }
            for part in ("train", "valid", "test")
        }
        empty = [part for part, chosen in parts.items() if not chosen]
        if empty:
            raise ValueError(
                f"probe '{name}': no entry has the field '{spec.field}' and "
                f"{spec.split} = {' or '.join(empty)}"
            )
        labels = [
            segment[2] if isinstance(segment, list) else segment
            for entry in parts["train"].values()
            for segment in _as_list(entry[spec.field])
        ]
        classes = frequent_classes(
            [label for label in labels if label not in SILENCE], spec.least
        )
        if spec.few:
            parts["train"] = self._few(parts["train"])
        settings = (len(classes), head, spec.lrs, spec.epochs, spec.batch_size)
        if spec.kind == "segments":
            sets = [
                segment_examples(features, part, spec.field, classes)
                for part in parts.values()
            ]
            return classify(*sets, *settings, seed=self.seed)
        sets = [
            frame_examples(features, part, spec.field, classes)
            for part in parts.values()
        ]
        if spec.kind == "frames":
            return classify(*sets, *settings, seed=self.seed)
        start = best_layer(*sets[:2], len(classes))
        sets = [
            transcripts(features, part, spec.field, classes)
            for part in parts.values()
        ]
        return transcribe(*sets, *settings, start=start, seed=self.seed)

    def _few(self, entries: dict[str, dict]) -> dict[str, dict]:
        """Choose utterances at random until there are enough minutes."""
        names = sorted(entries)
        generator = torch.Generator().manual_seed(self.seed)
        chosen, seconds = {}, 0.0
        for index in torch.randperm(len(names), generator=generator).tolist():
            if seconds >= 60 * self.few_minutes:
                break
            chosen[names[index]] = entries[names[index]]
            seconds += entries[names[index]]["duration"]
        return chosen


def _as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]
