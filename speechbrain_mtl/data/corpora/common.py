"""What every prepare function does: look at folders, read lengths."""

import os
from collections.abc import Iterable
from pathlib import Path

from speechbrain.dataio import audio_io

from speechbrain_mtl.data.manifest import ManifestError, raise_problems


def check_folders(
    data_folder: str | os.PathLike,
    output_folder: str | os.PathLike,
    remedy: str = "Set data_folder to where the corpus is.",
) -> tuple[Path, Path]:
    """Make sure that there is a corpus and that nothing is written into it.

    Arguments
    ---------
    data_folder : str or path-like
        Where the corpus is.
    output_folder : str or path-like
        Where its manifest shall be.
    remedy : str
        What to do when there is no such corpus.

    Returns
    -------
    data_folder, manifest : pathlib.Path
        The corpus, and the file to write.

    Raises
    ------
    ManifestError
        When there is no such corpus, or both folders are one.
    """
    data_folder, output_folder = Path(data_folder), Path(output_folder)
    if not data_folder.is_dir():
        raise ManifestError(f"{data_folder}: no such folder. {remedy}")
    if data_folder.resolve() == output_folder.resolve():
        raise ManifestError(
            f"{output_folder}: is the corpus itself, whose own manifest would "
            "be lost. Choose another output_folder."
        )
    return data_folder, output_folder / "manifest.json"


def read_headers(
    folder: Path, files: Iterable[Path]
) -> dict[Path, dict[str, str | float | int]]:
    """Read the headers of all files and complain of all bad ones at once.

    Arguments
    ---------
    folder : pathlib.Path
        The corpus; becomes ``{data_root}``.
    files : iterable of pathlib.Path
        Recordings in it; those elsewhere keep their absolute paths.

    Returns
    -------
    entries : dict
        ``{file: {"wav", "duration", "sample_rate"}}``.

    Raises
    ------
    ManifestError
        Naming all files that are not audio or hold no samples.
    """
    entries, problems = {}, []
    for file in files:
        try:
            info = audio_io.info(os.fspath(file))
        except Exception as error:  # libsndfile raises its own kinds
            problems.append(f"{file.name}: {error}. Copy the file again.")
            continue
        if not info.frames:
            problems.append(f"{file.name}: no samples. Copy the file again.")
        inside = file.is_relative_to(folder)
        entries[file] = {
            "wav": f"{{data_root}}/{file.relative_to(folder).as_posix()}"
            if inside
            else os.path.abspath(file),
            "duration": info.duration,
            "sample_rate": info.sample_rate,
        }
    raise_problems(folder, problems)
    return entries
