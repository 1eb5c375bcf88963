"""Speaker verification: are two recordings of one voice?"""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from speechbrain_mtl.data.manifest import ManifestError, raise_problems
from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.evaluation.scoring import Backend, cosine_scores
from speechbrain_mtl.evaluation.trial_intervals import (
    equal_error_rate_interval,
)
from speechbrain_mtl.evaluation.trials import (
    Trial,
    draw_trials,
    read_trials,
    trial_problems,
)
from speechbrain_mtl.evaluation.verification import equal_error_rate, min_dcf
from speechbrain_mtl.losses import am_softmax, known_cross_entropy
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.ecapa import ECAPA
from speechbrain_mtl.models.xvector import XVector
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.supervised import LISTED, SupervisedTask

HEADS = {"xvector": XVector, "ecapa": ECAPA}


class SpeakerVerification(SupervisedTask):
    """Learn to tell the training speakers apart, then compare new ones.

    Speakers of other parts need not train; their items do not count in the
    loss. Trials are scored by the cosine of two embeddings: ``EER`` and
    ``minDCF``. Each backend adds two of its own, such as ``EER with PLDA``, when
    the best checkpoint is tested.

    Arguments
    ---------
    field : str
        Manifest field with the speaker.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    head : str
        ``"xvector"`` or ``"ecapa"``: what makes an embedding of frames.
    sizes : dict, optional
        Arguments of `XVector` or `ECAPA`.
    margin : float, optional
        Angle, in radians, by which a speaker must lead in AAM-softmax; None
        for cross-entropy.
    scale : float
        Of the cosines in AAM-softmax.
    trials : path-like, optional
        What `read_trials` reads; they test the part that has their
        recordings. For other parts, and without it, pairs are drawn.
    pairs : int
        Pairs of one speaker, and of two, to draw.
    backends : sequence of Backend
        Scorers that learn from the training part, such as `PLDA`.
    seed : int
        Of the draw.

    Raises
    ------
    ValueError
        When there is no such head.

    Example
    -------
    >>> task = SpeakerVerification(sizes={"embedding_size": 8})
    >>> task.prepare((4,), {"u1": {"speaker": "ann"}, "u2": {"speaker": "bob"}})
    >>> task.encode({"speaker": "bob"}), task.encode({"speaker": "cat"})
    (tensor([1]), tensor([-1]))
    """

    # Any part of a recording is of its speaker.
    chunkable = True

    def __init__(
        self,
        field: str = "speaker",
        layer: int | str = -1,
        head: str = "xvector",
        sizes: dict | None = None,
        margin: float | None = None,
        scale: float = 30.0,
        trials: str | os.PathLike | None = None,
        pairs: int = 2000,
        backends: Sequence[Backend] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(field, layer)
        if head not in HEADS:
            raise ValueError(f"head '{head}' is none of {list(HEADS)}")
        self.kind = head
        self.sizes = dict(sizes or {})
        self.margin = margin
        self.scale = scale
        self.path = trials
        self.pairs = pairs
        self.backends = list(backends)
        self.seed = seed
        self.fitted = False

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Learn the training speakers, read the trials, make the head.

        Raises
        ------
        ValueError
            When there is but one speaker, or too little for a backend.
        ManifestError
            When trials cannot be read, or their recordings train.
        """
        values = {e[self.field] for e in entries.values() if e.get(self.field)}
        self.labels = sorted(values)
        if len(self.labels) < 2:
            raise ValueError(
                f"the training part has {len(self.labels)} speaker(s) in "
                f"'{self.field}' ({self.labels}); two are needed. Name another "
                "field, or add recordings"
            )
        self.official: list[Trial] = []
        if self.path is not None:
            self.official = read_trials(self.path)
        self.tested = {name for _, *pair in self.official for name in pair}
        if training := sorted(self.tested & set(entries)):
            raise ManifestError(
                f"{self.path}: {len(training)} recordings of the trials are "
                f"in the training part: {training[:LISTED]}. Split the "
                "manifest by speaker, or give other trials."
            )
        self.number = {label: i for i, label in enumerate(self.labels)}
        self.reader = LayerReader(self.layer, dims)
        self.make_head()

    def make_head(self) -> None:
        """Make what embeds frames, and what tells embeddings apart."""
        # Layers differ much in scale.
        self.norm = nn.LayerNorm(self.reader.size)
        self.embedder = HEADS[self.kind](self.reader.size, **self.sizes)
        classes = len(self.labels)
        if self.margin is None:
            self.classifier = nn.Sequential(
                nn.LeakyReLU(), nn.Linear(self.embedder.size, classes)
            )
        else:
            self.directions = nn.Parameter(
                torch.empty(classes, self.embedder.size)
            )
            nn.init.xavier_uniform_(self.directions)

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """Say which entries, or trials over them, are unfit, by id.

        Speakers that never trained are fit: they are what is asked.
        """
        lines = [
            f"{name}: {self.field} is {entry.get(self.field)!r}. Label the "
            "entry, or leave it out."
            for name, entry in entries.items()
            if not entry.get(self.field)
        ]
        if lines:
            return lines
        speakers = self._speakers(entries)
        if self.tested & set(entries):
            return trial_problems(self.official, speakers)
        try:
            draw_trials(speakers, self.pairs, self.seed)
        except ValueError as error:
            lines.append(str(error))
        return lines

    def encode(self, entry: Mapping) -> torch.Tensor:
        """Give the speaker's number, [1]; -1 for one who does not train."""
        return torch.tensor([self.number.get(entry[self.field], -1)])

    def embed(self, encoded: Encoded) -> torch.Tensor:
        """Make an embedding of each item, [B, E]."""
        frames = self.norm(self.reader(encoded.layers))
        return self.embedder(frames, encoded.lens)

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Tell the training speakers apart; 0 for a batch without any."""
        target = inputs.target.data[:, 0]
        embeddings = self.embed(encoded)
        if self.margin is None:
            return known_cross_entropy(self.classifier(embeddings), target)
        cosines = functional.linear(
            functional.normalize(embeddings.float(), dim=-1),
            functional.normalize(self.directions.float(), dim=-1),
        )
        return am_softmax(
            cosines, target, self.margin, self.scale, angular=True
        )

    def predict(self, encoded: Encoded, inputs: Inputs) -> list[torch.Tensor]:
        """Give the embedding of each item, [E]."""
        return list(self.embed(encoded).float().cpu())

    @property
    def learns(self) -> bool:
        """Whether the training part's embeddings are wanted before a test."""
        return bool(self.backends)

    def learn(
        self,
        predictions: Mapping[str, torch.Tensor],
        entries: Mapping[str, Mapping],
    ) -> None:
        """Fit the backends on embeddings of the training part.

        Arguments
        ---------
        predictions : dict
            Embeddings by id.
        entries : dict
            The training part of the manifest.
        """
        speakers = self._speakers(entries)
        names = sorted(predictions)
        table = torch.stack([predictions[name] for name in names]).numpy()
        for backend in self.backends:
            backend.fit(table, [speakers[name] for name in names])
        self.fitted = True

    def score(
        self,
        predictions: Mapping[str, torch.Tensor],
        entries: Mapping[str, Mapping],
    ) -> list[Score]:
        """Equal error rate, with its interval over speakers, and least cost.

        Raises
        ------
        ValueError
            When a trial's recording has no embedding.
        """
        speakers = self._speakers(entries)
        official = self.tested & set(entries)
        trials = (
            self.official
            if official
            else draw_trials(speakers, self.pairs, self.seed)
        )
        wanted = sorted({name for _, *pair in trials for name in pair})
        missing = [name for name in wanted if name not in predictions]
        if missing:
            raise ValueError(
                f"{len(missing)} recordings of the trials have no embedding: "
                f"{missing[:LISTED]}. Add them to the part that is tested."
            )
        place = {name: row for row, name in enumerate(wanted)}
        table = torch.stack([predictions[name] for name in wanted]).numpy()
        same, first, second = zip(*trials)
        rows = [
            np.array([place[name] for name in side]) for side in (first, second)
        ]
        voices = [[speakers[name] for name in side] for side in (first, second)]
        scorers = {"": cosine_scores}
        if self.fitted:
            scorers |= {f" with {found.name}": found for found in self.backends}
        scores = []
        for name, scorer in scorers.items():
            found = scorer(table, *rows)
            interval = equal_error_rate_interval(found, same, *voices)
            rate, cost = equal_error_rate(found, same), min_dcf(found, same)
            scores += [
                Score(
                    f"EER{name}", rate, len(trials), interval and list(interval)
                ),
                Score(f"minDCF{name}", cost, len(trials)),
            ]
        return scores

    def _speakers(self, entries: Mapping[str, Mapping]) -> dict[str, str]:
        """Speaker of each entry, by id."""
        return {name: entry[self.field] for name, entry in entries.items()}


def check_trials(
    trials: str | os.PathLike, entries: Mapping[str, Mapping]
) -> None:
    """Refuse trials that the test part cannot answer, before any training.

    Arguments
    ---------
    trials : path-like
        What `read_trials` reads.
    entries : dict
        The test part of the manifest, with ``speaker``.

    Raises
    ------
    ManifestError
        Naming all recordings that are missing.
    """
    speakers = {name: entry.get("speaker") for name, entry in entries.items()}
    raise_problems(trials, trial_problems(read_trials(trials), speakers))
