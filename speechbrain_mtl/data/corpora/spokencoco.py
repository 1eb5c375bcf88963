"""SpokenCOCO: people read the captions of MSCOCO aloud.

W.-N. Hsu and others, "Text-Free Image-to-Speech Synthesis Using Learned
Segmental Units", ACL 2021; https://groups.csail.mit.edu/sls/downloads/placesaudio/
(its page names the licence). Images: https://cocodataset.org.

Unverified, as no copy was at hand: the licence, and that every image of the
JSON files is in the Karpathy split.
"""

import os
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import lot, open_corpus
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.corpora.spoken_captions import (
    karpathy_splits,
    plain,
    read_json,
    save_captions,
)
from speechbrain_mtl.data.manifest import ManifestError, raise_problems

CORPUS = Corpus(
    "SpokenCOCO",
    "https://groups.csail.mit.edu/sls/downloads/placesaudio/",
    "terms as its page says",
    "SpokenCOCO_train.json, SpokenCOCO_val.json and wavs",
    folders=("SpokenCOCO",),
)
FILES = {"train": "SpokenCOCO_train.json", "val": "SpokenCOCO_val.json"}
REPAIR = "Copy the file again."


def prepare_spokencoco(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    image_folder: str | os.PathLike | None = None,
    karpathy: str | os.PathLike | None = None,
    valid_share: float = 0.01,
) -> Path:
    """Write the manifest of SpokenCOCO and print the sizes of its pools.

    Numbers of retrieval depend on the pool: with `karpathy` the parts are
    those of ``dataset_coco.json``, 5,000 images to validate and 5,000 to
    test. Without it, the official val is the test part, and a share of the
    training images, drawn by name, validates.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``SpokenCOCO_train.json``, ``SpokenCOCO_val.json`` and
        ``wavs/``, at once or in ``SpokenCOCO/``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    image_folder : str or path-like, optional
        Holds ``train2014/`` and ``val2014/``. Not needed to train on
        features that there are already.
    karpathy : str or path-like, optional
        ``dataset_coco.json``.
    valid_share : float
        Of the training images, without `karpathy`.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, speaker, text, image_id, image,
        official_split, split}}``; the id of an image is its file's name
        without ending, and `image` null without `image_folder`. Load it with
        ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when recordings or images are
        missing, an image is in no part, or a part is empty.

    Example
    -------
    >>> prepare_spokencoco(getfixture("tmp_path"), "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... Get SpokenCOCO from ...
    """
    if not 0 < valid_share < 1:
        raise ValueError(f"valid_share is {valid_share}. Give a share.")
    data_folder, root, path = open_corpus(
        data_folder, output_folder, CORPUS, [*FILES.values(), "wavs"]
    )
    parts = karpathy_splits(karpathy) if karpathy else None
    problems: list[str] = []
    files: dict[Path, dict[str, Any]] = {}
    seen: set[str] = set()
    for official, name in FILES.items():
        for item in _items(root / name):
            image = Path(item["image"])
            file = Path(image_folder, image).resolve() if image_folder else None
            if parts is not None:
                part = parts.get(image.name)
            elif official == "val":
                part = "test"
            else:
                drawn = lot(image.stem, 0) < valid_share
                part = "valid" if drawn else "train"
            if part is None:
                problems.append(
                    f"{image.name}: not in {karpathy}. Take dataset_coco.json."
                )
                continue
            if image.stem in seen:
                problems.append(f"{image.name}: listed twice. {REPAIR}")
            seen.add(image.stem)
            if file and not file.is_file():
                problems.append(
                    f"{image}: missing in {image_folder}. Get the images of "
                    "2014 from https://cocodataset.org."
                )
            for caption in item["captions"]:
                wav = root / caption["wav"]
                if not wav.is_file():
                    problems.append(f"{caption['wav']}: missing. {CORPUS}")
                files[wav] = {
                    "speaker": caption["speaker"],
                    "text": plain(caption["text"]),
                    "image_id": image.stem,
                    "image": str(file) if file else None,
                    "official_split": official,
                    "split": part,
                }
    raise_problems(root, problems)
    return save_captions(
        path,
        {
            file.stem: header | files[file]
            for file, header in read_headers(data_folder, files).items()
        },
    )


def _items(path: Path) -> list[dict[str, Any]]:
    """Images with captions; a file of another form is an error."""
    content = read_json(path)
    try:
        items = content["data"]
        for item in items:
            for caption in item["captions"]:
                for field in ("wav", "text", "speaker"):
                    caption[field].strip()
            item["image"].strip()
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"{path}: not of SpokenCOCO's form, data with image and captions "
            f"of wav, text, speaker ({type(error).__name__}: {error}). A file "
            "with one caption a line is not it. " + REPAIR
        ) from error
    return items
