"""``python -m speechbrain_mtl image-features``: an HDF5 file of features."""

import argparse
from pathlib import Path

from speechbrain_mtl.data.image_features import (
    DTYPES,
    ImageFeatures,
    store_features,
)
from speechbrain_mtl.data.images import images_of
from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.data.patch_features import PatchEncoder
from speechbrain_mtl.data.region_features import RegionFile


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments.

    Arguments
    ---------
    parser : argparse.ArgumentParser
        Receives them.
    """
    add = parser.add_argument
    add("out", help="HDF5 file to write; an interrupted one is continued")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--model",
        help="vision transformer of HuggingFace, name or folder: patches of "
        "all images of the manifest",
    )
    source.add_argument(
        "--regions",
        nargs="+",
        metavar="TSV",
        help="files of bottom-up attention with 36 boxes, as LXMERT has them",
    )
    add("--manifest", help="JSON manifest of captions; needed with --model")
    add("--data-root", help="folder of the images [the manifest's]")
    add(
        "--dtype",
        choices=DTYPES,
        default="float16",
        help="of the features [float16]",
    )
    add("--batch", type=int, default=32, help="images at a time [32]")
    add("--device", default="cpu", help="where the model runs [cpu]")


def run(args: argparse.Namespace) -> int:
    """Compute what is missing and write the file.

    Arguments
    ---------
    args : argparse.Namespace
        See `configure`.

    Returns
    -------
    code : int
        0; errors are raised.
    """
    if args.model:
        if not args.manifest:
            raise ValueError("--model needs --manifest, to know which images.")
        manifest = load_manifest(args.manifest, args.data_root)
        # recordings without a picture are no captions
        captions = {k: e for k, e in manifest.items() if e.get("image_id")}
        images = images_of(captions)
        encode = PatchEncoder(args.model, args.device)
        ids, source = list(images), args.model

        def compute(names):  # noqa: ANN001, ANN202
            return encode([images[name] for name in names])
    else:
        compute = RegionFile(args.regions)
        ids = list(compute.places)
        source = " ".join(Path(path).name for path in args.regions)
    made = store_features(
        args.out,
        ids,
        compute,
        {"source": source},
        args.dtype,
        args.batch,
        progress=True,
    )
    found = ImageFeatures(args.out)
    print(
        f"{len(found)} images, {found.regions} regions or patches of "
        f"{found.dim} values, {found.settings['dtype']}, {made} made now: "
        f"{args.out}"
    )
    return 0
