"""A pool of captions and their images: each is embedded once, then ranked."""

from collections.abc import Mapping, Sequence

import torch
from torch.nn.utils.rnn import pad_sequence

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.pictures import Images
from speechbrain_mtl.evaluation.retrieval import KS, Retrieval, retrieve
from speechbrain_mtl.tasks.grounding import GroundingTask, image_numbers

AT_ONCE = 64  # images


class CaptionPool:
    """What captions and images are searched in, and how well they are found.

    Arguments
    ---------
    name : str
        Of the part, for messages.
    entries : dict
        Manifest entries with ``image_id``.
    images : Images
        By ``image_id``.
    ks : sequence of int
        Recall is measured among the first so many.
    seed : int
        Of intervals.

    Raises
    ------
    ManifestError
        When there are fewer captions or images than the largest k asks for:
        recall would be 1 whatever is learnt.

    Example
    -------
    >>> entries = {"a": {"image_id": "x"}, "b": {"image_id": "x"}}
    >>> CaptionPool("test", entries, {}, ks=[1])
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: test: 2 captions of 1 \
images; recall at 1 needs more than 1 of each. Give more, or smaller ks.
    """

    def __init__(
        self,
        name: str,
        entries: Mapping[str, Mapping],
        images: Images,
        ks: Sequence[int] = KS,
        seed: int = 0,
    ) -> None:
        image_of = {caption: e["image_id"] for caption, e in entries.items()}
        self.names = list(dict.fromkeys(image_of.values()))
        if min(len(self.names), len(entries)) <= max(ks):
            raise ManifestError(
                f"{name}: {len(entries)} captions of {len(self.names)} images; "
                f"recall at {max(ks)} needs more than {max(ks)} of each. Give "
                "more, or smaller ks."
            )
        self.images, self.ks, self.seed = images, tuple(ks), seed
        place = {image: row for row, image in enumerate(self.names)}
        self.row_of = {c: place[image] for c, image in image_of.items()}

    def sizes(self) -> dict[str, int]:
        """Count captions and images."""
        return {"captions": len(self.row_of), "images": len(self.names)}

    @torch.no_grad()
    def begin(self, task: GroundingTask, device: str | torch.device) -> None:
        """Embed every image, and forget what was heard.

        Arguments
        ---------
        task : GroundingTask
            In eval mode.
        device : str or torch.device
            Where it is.
        """
        self.task = task
        self.heard: dict[str, torch.Tensor] = {}
        self.ids = image_numbers(self.names, device)
        vectors = []
        for start in range(0, len(self.names), AT_ONCE):
            found = [self.images[n] for n in self.names[start:][:AT_ONCE]]
            features = [one.to(device) for one, _ in found]
            counts = torch.tensor([len(one) for one in features])
            valid = boxes = None
            if found[0][1] is not None:
                boxes = pad_sequence([one.to(device) for _, one in found], True)
            if features[0].ndim == 2:
                valid = torch.arange(int(counts.max())) < counts[:, None]
                valid = valid.to(device)
            features = pad_sequence(features, batch_first=True)
            vectors.append(task.image(features, valid, boxes))
        self.seen = torch.cat(vectors)

    @torch.no_grad()
    def add(
        self, captions: Sequence[str], speech: torch.Tensor
    ) -> torch.Tensor:
        """Add captions, and give their loss.

        Arguments
        ---------
        captions : sequence of str
            Their ids.
        speech : torch.Tensor
            Their vectors, [B, D].

        Returns
        -------
        loss : torch.Tensor
            Of these pairs, as a batch of training has it.
        """
        rows = torch.tensor([self.row_of[c] for c in captions])
        rows = rows.to(self.seen.device)
        self.heard.update(zip(captions, speech))
        return self.task.matching(speech, self.seen[rows], self.ids[rows])

    @torch.no_grad()
    def found(self) -> dict[str, Retrieval]:
        """Rank all that was added, both ways.

        Returns
        -------
        found : dict
            See `retrieve`.

        Raises
        ------
        ValueError
            When a caption of the pool was not added, or a score is NaN.
        """
        missing = [c for c in self.row_of if c not in self.heard]
        if missing:
            raise ValueError(
                f"{len(missing)} captions were not encoded, such as "
                f"{missing[0]}: add all of the pool"
            )
        speech = torch.stack([self.heard[caption] for caption in self.row_of])
        scores = self.task.matching.similarity(speech, self.seen)
        return retrieve(scores, list(self.row_of.values()), self.ks, self.seed)
