"""Flickr8k Audio: people read the captions of Flickr8k aloud.

D. Harwath and J. Glass, "Deep Multimodal Semantic Embeddings for Speech and
Images", ASRU 2015; https://groups.csail.mit.edu/sls/downloads/flickraudio/
(its page names the licence). Images and texts: M. Hodosh and others, JAIR 47,
2013.

Unverified, as no copy was at hand: the licence.
"""

import os
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import open_corpus
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.corpora.spoken_captions import (
    karpathy_splits,
    plain,
    save_captions,
)
from speechbrain_mtl.data.manifest import raise_problems

CORPUS = Corpus(
    "Flickr8k Audio",
    "https://groups.csail.mit.edu/sls/downloads/flickraudio/",
    "terms as its page says",
    "flickr_audio and Flickr8k_text",
)
AUDIO = "flickr_audio"
TEXTS = "Flickr8k_text"
IMAGES = "Flicker8k_Dataset"  # so spelled by its publisher
LISTS = {
    "train": f"{TEXTS}/Flickr_8k.trainImages.txt",
    "valid": f"{TEXTS}/Flickr_8k.devImages.txt",
    "test": f"{TEXTS}/Flickr_8k.testImages.txt",
}
REPAIR = "Copy the file again."


def prepare_flickr8k_audio(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    images: bool = True,
    karpathy: str | os.PathLike | None = None,
) -> Path:
    """Write the manifest of Flickr8k Audio and print its pools' sizes.

    Captions of images in no part are left out; their number is printed.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``flickr_audio/`` with ``wavs/<caption>.wav``, ``wav2capt.txt``
        and ``wav2spk.txt``; ``Flickr8k_text/`` with ``Flickr8k.token.txt``
        and ``Flickr_8k.{train,dev,test}Images.txt``; and
        ``Flicker8k_Dataset/<image>.jpg``.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.
    images : bool
        False when there are only features of them; `image` is null then.
    karpathy : str or path-like, optional
        ``dataset_flickr8k.json``, in the place of the three lists.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, speaker, text, image_id, image,
        split}}``; the id of an image is its file's name without ending. Load
        it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when files are missing, a caption
        has no text or speaker, an image is in two parts, or a part is empty.

    Example
    -------
    >>> prepare_flickr8k_audio(
    ...     getfixture("tmp_path"), "out"
    ... )  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... Get Flickr8k Audio ...
    """
    needed = [f"{AUDIO}/{n}" for n in ("wavs", "wav2capt.txt", "wav2spk.txt")]
    needed += [f"{TEXTS}/Flickr8k.token.txt"]
    needed += [] if karpathy else LISTS.values()
    needed += [IMAGES] if images else []
    data_folder, root, path = open_corpus(
        data_folder, output_folder, CORPUS, needed
    )
    problems: list[str] = []
    parts = karpathy_splits(karpathy) if karpathy else _listed(root, problems)
    speakers = dict(_rows(root / AUDIO / "wav2spk.txt", 2, problems))
    texts = dict(_rows(root / needed[3], 2, problems))
    files: dict[Path, dict[str, Any]] = {}
    left_out = 0
    for wav, image, number in _rows(root / needed[1], 3, problems):
        if image not in parts:
            left_out += 1
            continue
        file = root / AUDIO / "wavs" / wav
        picture = root / IMAGES / image
        text = texts.get(f"{image}{number}")
        for there, what in (
            (file.is_file(), f"{wav}: missing in {AUDIO}/wavs. {CORPUS}"),
            (wav in speakers, f"{wav}: not in wav2spk.txt. {REPAIR}"),
            (text, f"{image}{number}: not in Flickr8k.token.txt. {REPAIR}"),
            (
                not images or picture.is_file(),
                f"{image}: missing in {IMAGES}. Copy it, or set images=False.",
            ),
        ):
            if not there:
                problems.append(what)
        inside = picture.relative_to(data_folder).as_posix()
        files[file] = {
            "speaker": speakers.get(wav),
            "text": plain(text or ""),
            "image_id": Path(image).stem,
            "image": f"{{data_root}}/{inside}" if images else None,
            "split": parts[image],
        }
    raise_problems(root, problems)
    if left_out:
        print(f"{left_out} captions of images in no part are left out")
    return save_captions(
        path,
        {
            file.stem: header | files[file]
            for file, header in read_headers(data_folder, files).items()
        },
    )


def _listed(root: Path, problems: list[str]) -> dict[str, str]:
    """Part of each image, from the three official lists."""
    parts: dict[str, str] = {}
    for part, name in LISTS.items():
        for image in (root / name).read_text(encoding="utf-8").split():
            if parts.setdefault(image, part) != part:
                problems.append(
                    f"{image}: in {parts[image]} and {part}. {REPAIR}"
                )
    return parts


def _rows(path: Path, columns: int, problems: list[str]) -> list[list[str]]:
    """Lines of blank-separated columns, the last of which may hold blanks."""
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        row = line.split(maxsplit=columns - 1)
        if len(row) == columns:
            rows.append([field.strip() for field in row])
        elif row:
            problems.append(
                f"{path.name}, line {number}: {line!r:.80} has not {columns} "
                f"columns. {REPAIR}"
            )
    return rows
