"""Which code made a result."""

import platform
import subprocess
from pathlib import Path

import speechbrain as sb
import torch


def git_commit() -> str | None:
    """Name the commit the code was run from, or None outside a checkout."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip() or None


def versions() -> dict[str, str]:
    """Name the versions of what results depend on most."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "speechbrain": sb.__version__,
    }
