"""Audio SNIPS: requests with slots, spoken by sixteen synthetic voices.

Audio: https://github.com/aws-samples/aws-lex-noisy-spoken-language-understanding
(Amazon Polly); texts and slots: A. Coucke and others, arXiv 1805.10190, CC0.
The licence of the audio is in that repository. SUPERB's form of it, with one
file of tags, is made by the scripts of S3PRL, and its guide to SUPERB says
where the result is. Sizes of the parts are as publications give them: no copy
was at hand to count.
"""

import os
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.corpora.layout import (
    audio_below,
    compare_names,
    open_corpus,
)
from speechbrain_mtl.data.corpora.source import Corpus
from speechbrain_mtl.data.manifest import raise_problems, save_manifest

CORPUS = Corpus(
    "Audio SNIPS",
    "https://github.com/aws-samples/"
    "aws-lex-noisy-spoken-language-understanding",
    "texts CC0, audio as its repository says",
    "all.iob.snips.txt and the folders train, valid and test",
    folders=("SNIPS",),
)
TAGS = "all.iob.snips.txt"
# SUPERB's: Americans train, others validate and test.
SPEAKERS = {
    "train": "Ivy Joanna Joey Justin Kendra Kimberly Matthew Salli".split(),
    "valid": "Aditi Amy Geraint Nicole".split(),
    "test": "Brian Emma Raveena Russell".split(),
}
SIZES = {"train": 104672, "valid": 2800, "test": 2800}
EXTENSIONS = (".wav", ".mp3", ".flac")
PUNCTUATION = set("?!.,;-")
REPAIR = "Make the file again."


def prepare_audio_snips(
    data_folder: str | os.PathLike, output_folder: str | os.PathLike
) -> Path:
    """Write the manifest of Audio SNIPS, with SUPERB's voices in each part.

    Every voice reads every part: of each part only what the part's voices say
    is taken. Words that are only punctuation are left out with their tags,
    and ``&`` is ``AND``, as SUPERB has it.

    Arguments
    ---------
    data_folder : str or path-like
        Holds ``all.iob.snips.txt`` and
        ``{train,valid,test}/<voice>-snips-<part>-<number>.wav`` (or mp3, or
        flac), at once or in ``SNIPS/``. A line of the file is an id, a
        blank, ``BOS``, words, ``EOS``, a tabulator, and as many tags, those
        of ``BOS`` and ``EOS`` included; the last is the intent. A tag is
        ``O`` or a slot, with or without ``B-`` or ``I-`` before it.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the corpus itself.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate, speaker, text, bio, intent_label,
        split}}``: ``bio`` has one tag a word of ``text``, ``O``, ``B-<slot>``
        or ``I-<slot>``. Load it with ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When the folder is not the corpus; when lines have another form, or
        recordings are missing, without tags or unreadable (all are named).

    Example
    -------
    >>> prepare_audio_snips(getfixture("tmp_path"), "out")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: ... Get Audio SNIPS from ...
    """
    data_folder, root, path = open_corpus(
        data_folder, output_folder, CORPUS, [TAGS, *SPEAKERS]
    )
    problems: list[str] = []
    tagged = _read_tags(root / TAGS, problems)
    files: dict[Path, dict] = {}
    for part, voices in SPEAKERS.items():
        found = {
            file.stem: file
            for file in audio_below(root / part, EXTENSIONS)
            if file.stem.split("-")[0] in voices
        }
        wanted = {n: t for n, t in tagged.items() if _is_of(n, part, voices)}
        problems += compare_names(wanted, found, TAGS, CORPUS)
        if not wanted:
            problems.append(
                f"{TAGS}: nothing of {part} by {', '.join(voices)}. {REPAIR}"
            )
        CORPUS.compare_size(part, len(found), SIZES[part])
        files |= {
            file: {"speaker": name.split("-")[0], **wanted[name], "split": part}
            for name, file in found.items()
            if name in wanted
        }
    raise_problems(root, problems)
    return save_manifest(
        path,
        {
            file.stem: header | files[file]
            for file, header in read_headers(data_folder, files).items()
        },
    )


def _is_of(name: str, part: str, voices: list[str]) -> bool:
    """Whether an id is ``<voice>-snips-<part>-<number>`` of these."""
    fields = name.split("-")
    return fields[0] in voices and part in fields[1:]


def _read_tags(path: Path, problems: list[str]) -> dict[str, dict]:
    """Text, tags and intent by id; lines of another form become problems."""
    tagged: dict[str, dict] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        said, _, marked = line.strip().partition("\t")
        name, *words = said.split()
        tags = marked.split()
        place = f"{path.name}, line {number}"
        if len(words) != len(tags) or words[:1] + words[-1:] != ["BOS", "EOS"]:
            problems.append(
                f"{place}: {line!r:.80} is not id BOS words EOS, a tabulator "
                f"and one tag for each. {REPAIR}"
            )
        elif name in tagged:
            problems.append(f"{place}: {name} comes twice. {REPAIR}")
        else:
            kept = _without_punctuation(words[1:-1], prefixed(tags[1:-1]))
            if not kept:
                problems.append(f"{place}: no words. {REPAIR}")
            tagged[name] = {
                "text": " ".join(word for word, _ in kept),
                "bio": [tag for _, tag in kept],
                "intent_label": tags[-1],
            }
    return tagged


def _without_punctuation(
    words: list[str], tags: list[str]
) -> list[tuple[str, str]]:
    """Words with their tags; a slot that loses its first word begins later."""
    kept: list[tuple[str, str]] = []
    lost = ""  # the slot whose first word has just been left out
    for word, tag in zip(words, tags):
        if set(word) <= PUNCTUATION:
            lost = tag[2:] if tag.startswith("B-") else lost
            continue
        if tag == f"I-{lost}":
            tag = f"B-{lost}"
        lost = ""
        kept.append(("AND" if word == "&" else word, tag))
    return kept


def prefixed(tags: list[str]) -> list[str]:
    """Mark where slots begin, if their tags do not say it.

    Arguments
    ---------
    tags : list of str
        Slots, one a word; ``O`` outside of them. Equal neighbours are one.

    Returns
    -------
    tags : list of str
        With ``B-`` or ``I-`` before each slot; as they were if they have it.

    Example
    -------
    >>> prefixed(["O", "city", "city", "year"])
    ['O', 'B-city', 'I-city', 'B-year']
    """
    if all(tag == "O" or tag[:2] in ("B-", "I-") for tag in tags):
        return tags
    return [
        tag if tag == "O" else ("I-" if tag == before else "B-") + tag
        for tag, before in zip(tags, ["O", *tags])
    ]
