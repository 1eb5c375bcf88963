"""Where a recipe's entries come from: a data set, or a ready manifest."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speechbrain.utils.distributed import run_on_main

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.manifest import ManifestError, load_manifest


def ready_manifest(
    prepare: Callable,
    data_folder: str | os.PathLike | None,
    output_folder: str | os.PathLike,
    manifest: str | os.PathLike | None = None,
    **options: Any,
) -> tuple[dict[str, dict], Path]:
    """Read a manifest, made from a data set first unless it is given.

    Arguments
    ---------
    prepare : callable
        A ``prepare_*`` function of `speechbrain_mtl.data.corpora`.
    data_folder : str or path-like, optional
        Where the data set is; also what ``{data_root}`` stands for in a given
        manifest, the manifest's own folder by default.
    output_folder : str or path-like
        Where `prepare` writes.
    manifest : str or path-like, optional
        A ready manifest: the data set is not looked at then.
    **options
        Of `prepare`.

    Returns
    -------
    entries : dict
        By id, with resolved paths; recordings are there and of their length.
    path : pathlib.Path
        The manifest.

    Raises
    ------
    ManifestError
        When neither is given, or entries are bad.

    Example
    -------
    >>> ready_manifest(print, None, "out")
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: neither data_folder nor \
manifest is given. Add --data_folder=/where/the/data/set/is or \
--manifest=/a/manifest.json.
    """
    if manifest is None and data_folder is None:
        raise ManifestError(
            "neither data_folder nor manifest is given. Add "
            "--data_folder=/where/the/data/set/is or "
            "--manifest=/a/manifest.json."
        )
    if manifest is None:
        # The first process of several writes, the others wait and read.
        run_on_main(prepare, args=[data_folder, output_folder], kwargs=options)
        manifest = Path(output_folder) / "manifest.json"
    entries = load_manifest(manifest, data_folder)
    require_clean(entries, manifest, quick=True)
    return entries, Path(manifest)
