"""Write files so that a reader never sees half of one."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it when the block succeeds.

    Arguments
    ---------
    path : str or path-like
        Final place of the file. Its folder is made when missing.

    Yields
    ------
    temporary : Path
        Where to write. It is removed when the block raises.

    Example
    -------
    >>> target = getfixture("tmp_path") / "a.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, value: Any) -> None:
    r"""Write `value` as indented JSON, atomically and with a final newline.

    Arguments
    ---------
    path : str or path-like
        The file to write.
    value : JSON-serialisable
        What to write. NaN and infinity are refused: they are not JSON.

    Example
    -------
    >>> target = getfixture("tmp_path") / "a.json"
    >>> write_json(target, {"b": 1})
    >>> target.read_text()
    '{\n "b": 1\n}\n'
    """
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
