"""``python -m speechbrain_mtl abx-layers``: phones in every layer."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml

from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.evaluation.abx_cells import SPEAKERS
from speechbrain_mtl.evaluation.abx_layers import abx_by_layer
from speechbrain_mtl.inference import MTLEncoder
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.models.wav2vec2 import HuggingFaceEncoder

STRESS = "012"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments.

    Arguments
    ---------
    parser : argparse.ArgumentParser
        Receives them.
    """
    add = parser.add_argument
    add("manifest", help="JSON manifest with phones and speakers")
    add(
        "encoders",
        nargs="+",
        help="output folders of trainings, or HuggingFace models by name or "
        "folder",
    )
    add("--data-root", help="folder of the recordings [the manifest's]")
    add(
        "--untrained",
        action="store_true",
        help="also measure every training's encoder as it was before its "
        "first step, or drawn anew where that was not kept",
    )
    add(
        "--speaker",
        default="within",
        choices=SPEAKERS,
        help="of X: that of A and B, or another [within]",
    )
    add(
        "--keep-stress",
        action="store_true",
        help="AH0 and AH1 are two phones, not one",
    )
    add(
        "--most-tokens",
        type=int,
        help="drawn of one phone, context and speaker [all]",
    )
    add("--seed", type=int, default=0, help="of what is drawn [0]")
    add("--device", default="cpu", help="where to compute: cpu, cuda [cpu]")
    add("--threads", type=int, default=1, help="of the processor [1]")
    add("--out", help="gets abx_layers.json and abx_layers.png")


def run(args: argparse.Namespace) -> int:
    """Measure, print, and write.

    Arguments
    ---------
    args : argparse.Namespace
        See `configure`.

    Returns
    -------
    code : int
        0.
    """
    torch.set_num_threads(args.threads)
    entries = load_manifest(args.manifest, args.data_root)
    profiles: dict[str, list[float]] = {}
    scores = {}
    print(f"ABX error {args.speaker} speakers, %, by layer from the lowest")
    for name, encoder in named_encoders(
        args.encoders, args.untrained, args.seed
    ):
        found = abx_by_layer(
            encoder.eval(),
            entries,
            speakers=(args.speaker,),
            rename=str if args.keep_stress else without_stress,
            device=args.device,
            most_tokens=args.most_tokens,
            seed=args.seed,
            progress=True,
        )[args.speaker]
        scores[name] = [one.as_dict() for one in found]
        profiles[name] = [one.error for one in found]
        errors = " ".join(f"{100 * error:5.2f}" for error in profiles[name])
        print(f"{name}: {errors}  ({found[0].cells} cells)", flush=True)
    if args.out:
        folder = Path(args.out)
        folder.mkdir(parents=True, exist_ok=True)
        options = {k: v for k, v in vars(args).items() if k != "run"}
        write_json(
            folder / "abx_layers.json", {"options": options, "layers": scores}
        )
        _draw(profiles, folder / "abx_layers.png", args.speaker)
    return 0


def named_encoders(
    sources: list[str], untrained: bool = False, seed: int = 0
) -> Iterator[tuple[str, Encoder]]:
    """Load encoders one by one, with what to call them.

    Arguments
    ---------
    sources : list of str
        Output folders of trainings, or HuggingFace models.
    untrained : bool
        Also give the encoder of every training before its first step.
    seed : int
        Of the weights that are drawn anew.

    Yields
    ------
    name : str
        The source, and whether it is trained.
    encoder : Encoder

    Raises
    ------
    ValueError
        When a model of HuggingFace's is asked for untrained.
    """
    for source in sources:
        folder = Path(source)
        if not (folder / "inference.yaml").is_file():
            if untrained:
                raise ValueError(
                    f"{source}: no output folder of a training, and of others "
                    "nothing untrained is at hand. Leave out --untrained."
                )
            yield source, HuggingFaceEncoder(source)
            continue
        yield source, MTLEncoder.from_hparams(source).mods.encoder
        if untrained:
            torch.manual_seed(seed)
            with open(folder / "inference.yaml", encoding="utf-8") as file:
                encoder = load_hyperpyyaml(file)["encoder"]
            first = folder / "initial.ckpt"
            if first.is_file():
                encoder.load_state_dict(torch.load(first, map_location="cpu"))
            yield f"{source}, untrained", encoder


def without_stress(phone: str) -> str:
    """Take the stress off an ARPAbet vowel.

    Example
    -------
    >>> without_stress("AH0"), without_stress("S")
    ('AH', 'S')
    """
    return phone.rstrip(STRESS)


def _draw(profiles: dict[str, list[float]], path: Path, speaker: str) -> None:
    try:
        from speechbrain_mtl.report.layer_profile import draw_layer_profile

        draw_layer_profile(
            profiles, path, f"ABX error of each layer, {speaker} speakers"
        )
    except ImportError as error:  # pictures are an extra
        print(f"no picture: {error}")
        return
    print(f"written: {path}")
