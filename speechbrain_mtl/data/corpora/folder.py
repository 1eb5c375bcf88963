"""Any folder of audio: something to pretrain on."""

import os
from collections.abc import Collection
from pathlib import Path

from speechbrain_mtl.data.corpora.common import check_folders, read_headers
from speechbrain_mtl.data.manifest import (
    ManifestError,
    load_manifest,
    raise_problems,
    save_manifest,
)

EXTENSIONS = (".wav", ".flac", ".ogg", ".opus", ".mp3")


def prepare_folder(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    extensions: Collection[str] = EXTENSIONS,
) -> Path:
    """Write the manifest of all recordings in a folder and those below it.

    Arguments
    ---------
    data_folder : str or path-like
        The folder. If it has a ``manifest.json``, speakers are taken from it.
    output_folder : str or path-like
        Where ``manifest.json`` is written; not the folder itself.
    extensions : collection of str
        Endings of names to take, in small letters.

    Returns
    -------
    manifest : pathlib.Path
        ``{id: {wav, duration, sample_rate[, speaker]}}``; the id is the path
        in the folder without its ending. Load it with
        ``data_root=data_folder``.

    Raises
    ------
    ManifestError
        When there is no audio, or files are unreadable or differ only in
        their ending (all are named).

    Example
    -------
    >>> import numpy, soundfile
    >>> folder = getfixture("tmp_path") / "audio"
    >>> folder.mkdir()
    >>> soundfile.write(folder / "a.wav", numpy.ones(8000), 16000)
    >>> print(prepare_folder(folder, folder / "out").read_text(), end="")
    {
    "a": {"wav": "{data_root}/a.wav", "duration": 0.5, "sample_rate": 16000}
    }
    """
    data_folder, path = check_folders(data_folder, output_folder)
    files = sorted(
        file
        for file in data_folder.rglob("*")
        if file.suffix.lower() in extensions
        and file.is_file()
        # macOS leaves "._name.wav" beside name.wav on other file systems.
        and not file.name.startswith(".")
    )
    if not files:
        raise ManifestError(
            f"{data_folder}: no files ending in {', '.join(extensions)}. Set "
            "data_folder, or extensions."
        )
    speakers = _known_speakers(data_folder)
    entries, problems = {}, []
    for file, entry in read_headers(data_folder, files).items():
        key = file.relative_to(data_folder).with_suffix("").as_posix()
        if key in entries:
            problems.append(
                f"{key}: several files differ only in their ending. Move all "
                "but one away, or narrow extensions."
            )
        speaker = speakers.get(file.resolve())
        entries[key] = (
            entry if speaker is None else entry | {"speaker": speaker}
        )
    raise_problems(data_folder, problems)
    return save_manifest(path, entries)


def _known_speakers(data_folder: Path) -> dict[Path, str]:
    """Speaker of each recording, as far as the folder's manifest says."""
    path = data_folder / "manifest.json"
    manifest = load_manifest(path) if path.is_file() else {}
    return {
        Path(entry["wav"]).resolve(): entry["speaker"]
        for entry in manifest.values()
        if "speaker" in entry
    }
