"""Batches of captions with their images, each image read once a batch."""

from collections.abc import Mapping

import speechbrain as sb
from speechbrain.dataio.dataloader import SaveableDataLoader
from torch.utils.data import DataLoader

from speechbrain_mtl.data.image_features import ImageFeatures
from speechbrain_mtl.data.images import require_images
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.pictures import Images, Pictures
from speechbrain_mtl.models import RegionEncoder, SceneEncoder
from speechbrain_mtl.training.utterances import (
    UtteranceBatchSampler,
    utterance_dataset,
)


def caption_loader(
    entries: Mapping[str, dict],
    images: Images,
    sampler: UtteranceBatchSampler,
    workers: int = 0,
) -> DataLoader:
    """Read whole captions and the images they are about.

    Arguments
    ---------
    entries : dict
        Manifest entries with ``image_id``, in the order of the sampler's
        durations.
    images : Images
        By ``image_id``.
    sampler : UtteranceBatchSampler
        Which captions, in which batches.
    workers : int
        Reading processes.

    Returns
    -------
    loader : DataLoader
        Batches with ``id``, ``sig``, ``seconds``, ``image_id``, ``image`` and,
        where images have boxes, ``image_boxes``.
    """
    return SaveableDataLoader(
        utterance_dataset(entries, {}, sampler),
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=_Collate(
            {name: entry["image_id"] for name, entry in entries.items()}, images
        ),
    )


class _Collate:
    """Give every caption of a batch its image."""

    def __init__(self, image_of: dict[str, str], images: Images) -> None:
        self.image_of, self.images = image_of, images

    def __call__(self, items: list[dict]) -> sb.dataio.batch.PaddedBatch:
        wanted = [self.image_of[item["id"]] for item in items]
        shown = {image: self.images[image] for image in dict.fromkeys(wanted)}
        full = []
        for item, image in zip(items, wanted):
            features, boxes = shown[image]
            item = {**item, "image_id": image, "image": features}
            if boxes is not None:
                item["image_boxes"] = boxes
            full.append(item)
        # Lists stay lists: a stacked duration would live on the device.
        return sb.dataio.batch.PaddedBatch(full, nonpadded_stack=False)


def check_captions(
    parts: Mapping[str, Mapping[str, dict]], images: Images, branch: object
) -> None:
    """Make sure that captions can be trained on, and searched.

    Arguments
    ---------
    parts : dict
        Entries by part.
    images : Images
        By ``image_id``.
    branch : nn.Module
        The image branch of the task.

    Raises
    ------
    ManifestError
        See `train_grounded`.
    """
    empty = [part for part in ("train", "valid") if not parts.get(part)]
    if empty:
        raise ManifestError(
            f"no captions to {' and to '.join(empty)}. Split the manifest."
        )
    if isinstance(images, ImageFeatures) and isinstance(branch, RegionEncoder):
        wanted = branch.features[0].in_features
        if images.dim != wanted:
            raise ManifestError(
                f"{images.path}: {images.dim} values a region, the model takes "
                f"{wanted}. Set feature_size of the image branch to "
                f"{images.dim}, or use other features."
            )
    if isinstance(images, Pictures) and isinstance(branch, SceneEncoder):
        if images.pixels != branch.pixels:
            raise ManifestError(
                f"pictures are read at {images.pixels} pixels, the image "
                f"branch takes {branch.pixels}. Give both the same `pixels`."
            )
    known: dict[str, str] = {}
    for part, entries in parts.items():
        if part == "abx":
            continue
        require_images(entries, images)
        for name, entry in entries.items():
            before = known.setdefault(entry["image_id"], part)
            if before != part:
                raise ManifestError(
                    f"{name}: image {entry['image_id']} is in {before} and in "
                    f"{part}. Keep all captions of an image in one part."
                )
