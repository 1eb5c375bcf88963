"""Visually grounded speech: which image does an utterance speak of?"""

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from speechbrain_mtl.collectives import gather_rows
from speechbrain_mtl.models import Encoded, frame_mask
from speechbrain_mtl.tasks.base import Inputs, Task
from speechbrain_mtl.tasks.matching import MarginMatching, Matching

SETTLED = 2000  # batches after which guessing is no start any more
LUCK = 1.5  # times chance, below which pairs are guessed


class GroundingTask(Task):
    """Bring utterances and their images together, and others apart.

    The grounding half of VGS+ (Khorrami et al., EUSIPCO 2023,
    https://arxiv.org/abs/2306.02972): one vector an utterance, from a layer of
    the encoder, and one an image are scored by their dot product, the dual
    encoder or "coarse" score; negatives are the other pairs of the batch, of
    all processes while training. The self-supervised half is `Wav2Vec2Task`
    on the same encoder; where both are active, a batch is encoded once.

    The batch carries

    * ``image``: features of regions [B, N, D], padded or not, or pixels
      [B, 3, height, width], whatever the image branch takes;
    * ``image_id``: one integer or string a pair, by which utterances about
      the same image are known;
    * ``image_boxes``, where the image branch wants them: [B, N, 4].

    Arguments
    ---------
    speech : nn.Module
        From frames [B, F, D], their numbers [B] and the state [B, D] of the
        encoder's CLS token, or None, to vectors: an `AudioHead`.
    image : nn.Module
        From images, valid regions [B, N] or None, and boxes or None to
        vectors of that length: a `RegionEncoder` or `SceneEncoder`.
    matching : Matching, optional
        Similarity and loss; `MarginMatching` by default, as published.
    layer : int
        Encoder layer to read, from 1. Layers above it are not run where no
        other active task reads them.
    mask_in_av : bool
        Hide spans of frames in training also where no active task predicts
        them, as published. Else speech is hidden from this task only where
        it shares the batch with one that predicts it.

    Raises
    ------
    ValueError
        When the layer is below 1.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> from speechbrain_mtl.models import AudioHead, RegionEncoder
    >>> head = AudioHead(8, channels=(4, 8), encoder_cls=False)
    >>> task = GroundingTask(head, RegionEncoder(6, boxes=False), layer=1)
    >>> layers = (None, torch.randn(2, 30, 8))
    >>> encoded = Encoded(layers, torch.tensor([30, 9]), 0.02, 0.0125)
    >>> image = torch.randn(2, 36, 6)
    >>> batch = SimpleNamespace(image=image, image_id=["a.jpg", "b.jpg"])
    >>> task(encoded, Inputs(None, None, batch=batch)).shape
    torch.Size([])
    """

    def __init__(
        self,
        speech: nn.Module,
        image: nn.Module,
        matching: Matching | None = None,
        layer: int = 8,
        mask_in_av: bool = False,
    ) -> None:
        super().__init__()
        if layer < 1:
            raise ValueError(
                f"grounding reads layer {layer}: layers are counted from 1, "
                "the lowest of the transformer"
            )
        self.speech, self.image = speech, image
        self.matching = MarginMatching() if matching is None else matching
        self.deepest = layer
        self.allows_hidden = mask_in_av
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))
        self.done = 0  # the buffer's value, known without asking the device
        self.register_load_state_dict_post_hook(_count_on)

    def embed_speech(self, encoded: Encoded) -> torch.Tensor:
        """Give a vector for each utterance, [B, D]."""
        states = encoded.cls_states
        return self.speech(
            encoded.layers[self.deepest],
            encoded.lens,
            None if states is None else states[self.deepest],
        )

    def embed_images(self, batch: Any) -> torch.Tensor:
        """Give a vector for the image of each pair of a batch, [B, D].

        Raises
        ------
        ValueError
            When the batch has no images.
        """
        found = getattr(batch, "image", None)
        if found is None:
            raise ValueError(
                "the batch has no 'image': grounding needs data that gives "
                "'image' and 'image_id' beside the waveforms"
            )
        images, valid = _data(found), None
        if images is not found and images.ndim == 3:
            regions = images.shape[1]
            valid = frame_mask((found.lengths * regions).round(), regions)
        boxes = getattr(batch, "image_boxes", None)
        return self.image(
            images, valid, None if boxes is None else _data(boxes)
        )

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Compute the loss over all pairs, both ways.

        Arguments
        ---------
        encoded : Encoded
            Up to the layer that is read, at least.
        inputs : Inputs
            Whose batch has the images.

        Returns
        -------
        loss : torch.Tensor
            A scalar.
        """
        images = self.embed_images(inputs.batch)
        speech = self.embed_speech(encoded)
        ids = image_numbers(inputs.batch.image_id, speech.device)
        self._measure(speech.detach(), images.detach(), ids)
        if self.training:
            self.done += 1
            self.batches += 1
            speech, images, ids = map(gather_rows, (speech, images, ids))
        return self.matching(speech, images, ids)

    @torch.no_grad()
    def _measure(
        self, speech: torch.Tensor, images: torch.Tensor, ids: torch.Tensor
    ) -> None:
        """Measure how often the right one is first, both ways, in the batch."""
        scores = self.matching.similarity(speech, images)
        same = (ids[:, None] == ids).float()
        self.measured = {
            name: same.gather(1, table.argmax(dim=1, keepdim=True)).mean()
            for name, table in (
                ("speech_to_image", scores),
                ("image_to_speech", scores.T),
            )
        }
        self.measured["chance"] = same.mean()

    def advice(self, means: dict[str, float]) -> str | None:
        """Warn of a run that learns nothing, while there is time.

        Arguments
        ---------
        means : dict
            What was measured lately.

        Returns
        -------
        advice : str or None
        """
        chance = means["chance"]
        best = max(means["speech_to_image"], means["image_to_speech"])
        if self.done < SETTLED or best > LUCK * chance or chance > 0.5:
            return None
        return (
            f"pairs are guessed after {self.done} batches: the right one is "
            f"first in {best:.3f} of all cases, and in {chance:.3f} by "
            "chance. Lower the learning rate or warm it up for longer; with "
            "raw dot products try CosineMatching; and look whether images "
            "belong to their utterances."
        )


def _data(padded: Any) -> torch.Tensor:
    """The tensor itself, of SpeechBrain's padded data or alone."""
    return padded if isinstance(padded, torch.Tensor) else padded.data


def image_numbers(
    ids: torch.Tensor | Sequence[int] | Sequence[str],
    device: torch.device | str | None = None,
) -> torch.Tensor:
    """Number images, the same way in every process.

    Arguments
    ---------
    ids : torch.Tensor or sequence of int or str
        One an image.
    device : torch.device or str, optional
        Where the numbers are wanted.

    Returns
    -------
    numbers : torch.Tensor
        Integers [B], equal where `ids` are: of strings, 63 bits of a hash.

    Example
    -------
    >>> numbers = image_numbers(["a.jpg", "b.jpg", "a.jpg"])
    >>> bool(numbers[0] == numbers[2]), bool(numbers[0] == numbers[1])
    (True, False)
    """
    if isinstance(ids, torch.Tensor):
        return ids.to(device)
    return torch.tensor(
        [_number(i) if isinstance(i, str) else int(i) for i in ids],
        device=device,
    )


def _number(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _count_on(task: GroundingTask, _: object) -> None:
    """Go on counting where a loaded state had come to."""
    task.done = int(task.batches)
