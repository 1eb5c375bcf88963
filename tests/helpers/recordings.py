"""Recordings to fill the small copies of public corpora with."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechbrain_mtl.data.manifest import ManifestError, load_manifest

CORRUPT = b"not audio at all"


@cache
def audio(seconds, rate=16000, kind="WAV", subtype=None):
    """The bytes of a faint tone, as a file of the given kind."""
    tone = 0.1 * np.sin(np.arange(round(seconds * rate)) / 8)
    file = io.BytesIO()
    soundfile.write(file, tone, rate, format=kind, subtype=subtype)
    return file.getvalue()


def fill(folder, files):
    """Write files, texts or bytes, with the folders they are in."""
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
    return Path(folder)


def complaint(prepare, *args, **kwargs):
    """What a prepare function refuses with; nothing may be written then."""
    with pytest.raises(ManifestError) as raised:
        prepare(*args, **kwargs)
    assert not Path(args[1], "manifest.json").exists()
    return str(raised.value)


def loaders(prepare):
    """Two functions of a corpus: its manifest, and what it is refused with."""

    def load(corpus, **options):
        path = prepare(corpus, corpus.parent / "out", **options)
        return load_manifest(path, data_root=corpus)

    def failure(corpus, **options):
        return complaint(prepare, corpus, corpus.parent / "out", **options)

    return load, failure


def failure_without(failure, folder, there):
    """The message when the corpus is not in its folder, or that is missing."""
    if there:
        folder.mkdir()
    message = failure(folder)
    assert ("no such folder" in message) != there
    return message
