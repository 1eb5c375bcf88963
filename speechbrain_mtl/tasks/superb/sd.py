"""Speaker diarization: who speaks when, as in SUPERB."""

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from speechbrain_mtl.data.audio import entry_seconds
from speechbrain_mtl.data.rttm import Turn
from speechbrain_mtl.data.turns import turns_of
from speechbrain_mtl.evaluation.activity import (
    frames_to_segments,
    median_filter,
)
from speechbrain_mtl.evaluation.diarization import (
    DiarizationErrors,
    diarization_errors,
)
from speechbrain_mtl.evaluation.intervals import bootstrap_interval
from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks.base import Inputs
from speechbrain_mtl.tasks.layer_mix import LayerReader
from speechbrain_mtl.tasks.superb.permutation import permutation_free_bce
from speechbrain_mtl.tasks.supervised import SupervisedTask

logger = logging.getLogger(__name__)


class SpeakerDiarization(SupervisedTask):
    """Tell of each frame which of a few speakers are heard.

    An LSTM and a linear layer; 2.63 million weights over 768 dimensions. A
    speaker is heard where a probability, median-filtered, exceeds a
    threshold. Both are chosen by `tune`, on the validation part, and are part
    of the checkpoint.

    An answer is a dict: by `decision`, a list of ``[start, end, speaker]``.
    All decisions are listed until the best checkpoint is tested, then only
    the chosen one.

    Arguments
    ---------
    field : str
        Manifest field with the turns: see `turns_of`.
    layer : int or str
        What to read of the encoder: see `LayerReader`.
    speakers : int
        Most speakers of an entry.
    hidden_size : int
        Units of an LSTM.
    layers : int
        LSTMs on top of each other.
    thresholds : sequence of float
        Of the probability, to choose from.
    medians : sequence of int
        Frames of the median filter, odd, to choose from.
    collar : float
        Of the score: see `diarization_error_rate`.

    Raises
    ------
    ValueError
        When there is nothing to choose from, or a value is impossible.

    Example
    -------
    >>> task = SpeakerDiarization(hidden_size=8)
    >>> entry = {"duration": 3.0, "turns": [[0, 1, "ann"], [1, 2.5, "bob"]]}
    >>> task.prepare((4, 4), {"u1": entry})
    >>> task.encode(entry)
    tensor([[0.0000, 1.0000, 0.0000],
            [1.0000, 2.5000, 1.0000]])
    """

    def __init__(
        self,
        field: str = "turns",
        layer: int | str = "mix",
        speakers: int = 2,
        hidden_size: int = 512,
        layers: int = 1,
        thresholds: Sequence[float] = (0.3, 0.4, 0.5, 0.6, 0.7),
        medians: Sequence[int] = (1, 11),
        collar: float = 0.0,
    ) -> None:
        super().__init__(field, layer)
        self.choices = list(itertools.product(thresholds, medians))
        if not self.choices or speakers < 1:
            raise ValueError(
                f"{speakers} speakers, thresholds {list(thresholds)}, medians "
                f"{list(medians)}: give one or more of each"
            )
        for threshold, median in self.choices:
            if not 0 < threshold < 1 or median < 1 or median % 2 == 0:
                raise ValueError(
                    f"threshold {threshold}, median {median}: give thresholds "
                    "between 0 and 1 and odd numbers of frames"
                )
        self.speakers = speakers
        self.hidden_size = hidden_size
        self.layers = layers
        self.collar = collar
        # Until it is tuned: the middle one, filtered as little as may be.
        middle = sorted(thresholds)[len(thresholds) // 2]
        self.chosen = (middle, min(medians))

    def prepare(
        self, dims: Sequence[int], entries: Mapping[str, Mapping]
    ) -> None:
        """Make the head; there is no label set."""
        self.reader = LayerReader(self.layer, dims)
        self.lstm = nn.LSTM(
            self.reader.size, self.hidden_size, self.layers, batch_first=True
        )
        self.out = nn.Linear(self.hidden_size, self.speakers)

    def problems(self, entries: Mapping[str, Mapping]) -> list[str]:
        """Say which entries' turns cannot be used, by id."""
        lines, spoken = [], False
        for name, entry in entries.items():
            try:
                turns = turns_of(entry, self.field)
            except ValueError as error:
                lines.append(f"{name}: {self.field}: {error}. Correct it.")
                continue
            spoken = spoken or bool(turns)
            voices = {speaker for *_, speaker in turns}
            if len(voices) > self.speakers:
                lines.append(
                    f"{name}: {len(voices)} speakers in {self.field}, but "
                    f"there are outputs for {self.speakers}. Set speakers to "
                    f"{len(voices)}, or leave the entry out."
                )
        if entries and not lines and not spoken:
            lines.append(
                f"nobody speaks in any entry's {self.field}. Give entries "
                "with turns."
            )
        return lines

    def encode(self, entry: Mapping[str, Any]) -> torch.Tensor:
        """Give start, end and number of speaker of each turn, [K, 3].

        Times, not frames: only the encoder knows where its frames are. An
        entry without turns gets one of no length.
        """
        number: dict[str, int] = {}
        rows = [
            (start, end, number.setdefault(speaker, len(number)))
            for start, end, speaker in turns_of(entry, self.field)
        ]
        return torch.tensor(rows or [(0.0, 0.0, 0)], dtype=torch.float32)

    def active(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Tell who speaks at the centre of each frame, [B, F, S] bool."""
        turns, lengths = inputs.target.data, inputs.target.lengths
        place = torch.arange(turns.shape[1], device=turns.device)
        there = place < (lengths * turns.shape[1]).round()[:, None]
        frames = encoded.layers[0].shape[1]
        times = torch.arange(frames, device=turns.device) * encoded.hop
        times = (times + encoded.offset)[:, None]
        start, end, speaker = turns[:, None].unbind(dim=-1)
        within = (start <= times) & (times < end) & there[:, None]
        own = speaker.long().transpose(1, 2) == torch.arange(
            self.speakers, device=turns.device
        )
        return within.float() @ own.float() > 0

    def logits(self, encoded: Encoded) -> torch.Tensor:
        """Score whether each speaker is heard, [B, F, S]."""
        # Nothing flows back from padding through a forward LSTM.
        frames, _ = self.lstm(self.reader(encoded.layers))
        return self.out(frames)

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Cross-entropy in the best order of speakers, a mean over frames."""
        logits, active = self.logits(encoded), self.active(encoded, inputs)
        return permutation_free_bce(logits, active, encoded.lens)[0]

    def predict(
        self, encoded: Encoded, inputs: Inputs
    ) -> list[dict[str, list[Turn]]]:
        """Give the turns of each item under each decision to choose from."""
        probabilities = self.logits(encoded).float().sigmoid()
        wanted = dict.fromkeys([*self.choices, self.chosen])
        if self.testing:
            wanted = {self.chosen: None}
        lens = encoded.lens.tolist()
        answers: list[dict[str, list[Turn]]] = [{} for _ in lens]
        for choice in wanted:
            threshold, median = choice
            smooth = median_filter(probabilities, median, encoded.lens)
            active = (smooth > threshold).cpu()
            for answer, item, frames in zip(answers, active, lens):
                answer[decision(*choice)] = frames_to_segments(
                    item[:frames], encoded.hop, encoded.offset
                )
        return answers

    def tune(
        self, predictions: Mapping[str, Any], entries: Mapping[str, Mapping]
    ) -> None:
        """Choose threshold and filter: give the validation part, never a test.

        Arguments
        ---------
        predictions : dict
            What `predict` answered, by id.
        entries : dict
            The validation part of the manifest.
        """
        errors = {
            choice: _total(
                self._errors(predictions, entries, decision(*choice))
            ).total
            for choice in self.choices
        }
        self.chosen = min(errors, key=errors.get)
        logger.info(f"diarization by {decision(*self.chosen)}")

    def score(
        self, predictions: Mapping[str, Any], entries: Mapping[str, Mapping]
    ) -> list[Score]:
        """Diarization error rate by the chosen decision, overlap scored."""
        name = decision(*self.chosen)
        errors = self._errors(predictions, entries, name)
        total = _total(errors)
        values = [found.total for found in errors.values()]
        sizes = [found.speech for found in errors.values()]
        # Parts of one recording are not independent.
        clusters = [entry.get("wav", key) for key, entry in entries.items()]
        interval = None
        spoken = {c for c, size in zip(clusters, sizes) if size}
        if len(spoken) > 1 and spoken == set(clusters):
            interval = list(bootstrap_interval(values, clusters, sizes))
        rate = total.total / total.speech
        return [Score("DER", rate, len(values), interval)]

    def _errors(
        self,
        predictions: Mapping[str, Any],
        entries: Mapping[str, Mapping],
        name: str,
    ) -> dict[str, DiarizationErrors]:
        """Compare the turns of one decision with those of the manifest."""
        reference, hypothesis = {}, {}
        for key, entry in entries.items():
            # The last frame may reach beyond the recording.
            last = entry_seconds(entry)
            reference[key] = turns_of(entry, self.field)
            hypothesis[key] = [
                (start, min(end, last), speaker)
                for start, end, speaker in predictions[key][name]
                if start < last
            ]
        return diarization_errors(reference, hypothesis, self.collar)

    def get_extra_state(self) -> dict[str, Any]:
        """Keep what `tune` chose in the checkpoint."""
        return {**super().get_extra_state(), "chosen": list(self.chosen)}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Decide as the checkpoint did."""
        super().set_extra_state(state)
        threshold, median = state["chosen"]
        self.chosen = (threshold, median)


def decision(threshold: float, median: int) -> str:
    """Name a way to decide.

    Example
    -------
    >>> decision(0.5, 11)
    'threshold 0.5, median 11'
    """
    return f"threshold {threshold:g}, median {median}"


def _total(errors: Mapping[str, DiarizationErrors]) -> DiarizationErrors:
    """Add up the seconds of recordings."""
    return DiarizationErrors(*map(sum, zip(*errors.values())))
