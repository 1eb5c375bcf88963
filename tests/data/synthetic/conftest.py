"""One tiny corpus for all tests that only look at it."""

import hashlib
import json
import wave
from pathlib import Path

import numpy as np
import pytest

SETTINGS = {"minutes": 1.4, "speakers": 4, "seed": 3}  # also in test_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Folder of a corpus of about forty recordings."""
    pytest.importorskip("espeakng_loader")
    from speechbrain_mtl.data.synthetic import generate

    out = tmp_path_factory.mktemp("synthetic") / "corpus"
    generate(out, progress=False, **SETTINGS)
    return out


@pytest.fixture(scope="session")
def entries(corpus):
    """Its manifest."""
    return json.loads((corpus / "manifest.json").read_text())


@pytest.fixture(scope="session")
def sound(corpus):
    """Reads the samples of an entry with the standard library."""

    def read(entry):
        path = entry["wav"].format(data_root=corpus)
        with wave.open(path) as file:
            assert file.getframerate() == entry["sample_rate"]
            content = file.readframes(file.getnframes())
        return np.frombuffer(content, "<i2") / 32768

    return read


@pytest.fixture(scope="session")
def fingerprint():
    """Hashes names and contents of a folder, hidden files too."""

    def tree(folder):
        return {
            str(path.relative_to(folder)): hashlib.sha256(
                path.read_bytes()
            ).hexdigest()
            for path in sorted(Path(folder).rglob("*"))
            if path.is_file()
        }

    return tree
