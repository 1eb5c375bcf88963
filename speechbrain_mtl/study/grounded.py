"""Speech and images in every order: each run once, resumed where it was."""

import copy
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hyperpyyaml import load_hyperpyyaml

from speechbrain_mtl.data.pictures import Images
from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.inference import write_inference
from speechbrain_mtl.training.ground import variant_named
from speechbrain_mtl.training.stages import (
    discard_training,
    stage,
    stage_seconds,
)
from speechbrain_mtl.training.start import Start

logger = logging.getLogger(__name__)


class GroundedExperiment(PretextExperiment):
    """One of the published runs, or all of them, over seeds.

    Arguments
    ---------
    started : Start
        The YAML, loaded anew for every seed: with ``model`` (``encoder`` and
        ``tasks``), ``training`` (`train_grounded` with its settings),
        ``variant``, or a list of ``variants`` (see `variant_named`),
        ``seeds``, those of them that are trained ``once``, and what
        `PretextExperiment` needs.

    Raises
    ------
    ValueError
        When there is no such variant, or no seed.
    """

    def __init__(self, started: Start) -> None:
        hparams = {
            **started.hparams,
            "pretext": {"tasks": {}},
            "encoder": started.hparams["model"]["encoder"],
        }
        super().__init__(hparams, started.settings, started.run_opts)
        self.started = started
        several = "variants" in hparams
        asked = hparams["variants"] if several else [hparams["variant"]]
        self.variants = [variant_named(name) for name in asked]
        if hparams["seeds"] < 1:
            raise ValueError(f"seeds is {hparams['seeds']}: at least 1")
        once = [variant_named(name) for name in hparams.get("once", [])]
        unknown = sorted(set(once) - set(self.variants))
        if unknown:
            raise ValueError(f"once {unknown}: runs are {self.variants}")
        self.seeds = {
            name: 1 if name in once else hparams["seeds"]
            for name in self.variants
        }

    @property
    def title(self) -> str:
        """What the run is called in its report."""
        if len(self.variants) == 1:
            return f"speech and images: {self.variants[0]}"
        return f"speech and images in {len(self.variants)} orders"

    def run(
        self,
        parts: Mapping[str, Mapping[str, dict]],
        images: Images,
        data: str,
    ) -> dict[str, list[dict]]:
        """Make every run that is not there yet.

        Arguments
        ---------
        parts : dict
            See `train_grounded`.
        images : Images
            Of all captions.
        data : str
            Digest of both: a change redoes all.

        Returns
        -------
        results : dict
            By variant, what `train_grounded` gave for each seed, as JSON.
        """
        jobs = [
            (seed, variant)
            for seed in range(max(self.seeds.values()))
            for variant in self.variants
            if seed < self.seeds[variant]
        ]
        logger.info(f"{len(jobs)} runs: {', '.join(self.variants)}")

        def job(asked: tuple[int, str]) -> dict:
            return self._train(*asked, parts, images, data)

        results: dict[str, list[dict]] = {name: [] for name in self.variants}
        for (_, variant), found in zip(jobs, self.pool.map(job, jobs)):
            results[variant].append(found)
        return results

    def run_folder(self, seed: int, variant: str) -> Path:
        """Say where one run is kept."""
        return self.folder / f"seed_{seed}" / folder_name(variant)

    def _train(
        self,
        seed: int,
        variant: str,
        parts: Mapping[str, Mapping[str, dict]],
        images: Images,
        data: str,
    ) -> dict:
        """Run one training unless it is done."""
        folder = self.run_folder(seed, variant)
        settings = {
            "data": data,
            "model": self.settings["model"],
            "training": self.settings["training"],
            "variant": variant,
            "seed": seed,
        }

        def make() -> dict:
            arguments = {
                "images": images,
                "parts": parts,
                "folder": folder,
                "run_opts": self.run_opts,
                "variant": variant,
                "seed": seed,
                # Bars of runs side by side would overwrite each other.
                "progressbar": None if self.pool.processes == 1 else False,
            }
            # Another seed, other first weights.
            overrides = f"{self.started.overrides or ''}\nseed: {seed}"
            return self.pool.run(
                run_grounded, self.started.hparams_file, overrides, arguments
            )

        clear = partial(discard_training, folder)
        result = stage("grounding", folder, settings, make, clear)
        write_inference(folder, self.settings["model"]["encoder"])
        name = f"seed {seed}, {variant}"
        self.wall[name] = stage_seconds("grounding", folder)
        logger.info(f"{name}: {summary(result)}")
        return result


def run_grounded(
    hparams_file: str, overrides: str, arguments: Mapping[str, Any]
) -> dict:
    """Load the YAML and train: what a worker process does."""
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    torch.manual_seed(arguments["seed"])
    train: Callable = hparams["training"]
    model = copy.deepcopy(hparams["model"])
    result = train(encoder=model["encoder"], tasks=model["tasks"], **arguments)
    # As it will be when read back: numbers that are keys become text.
    return json.loads(json.dumps(result))


def folder_name(variant: str) -> str:
    """Name a folder after a run.

    Example
    -------
    >>> folder_name("(W2V2, VGS+)"), folder_name("VGS")
    ('W2V2_then_VGS+', 'VGS')
    """
    return variant.strip("()").replace(", ", "_then_")


def summary(result: Mapping) -> str:
    """Tell in a line what was found on the test part, and of phones.

    Example
    -------
    >>> way = {"recall": {"1": 0.25, "10": 0.5}, "chance": {"10": 0.125}}
    >>> found = {"speech_to_image": way, "image_to_speech": way}
    >>> summary({"test": found, "abx": {}})
    'R@10 50.0 % and 50.0 %'
    >>> summary({"abx": {"7": {"within": [0.3, 0.1], "across": [0.4, 0.2]}}})
    'ABX within speakers 10.0 %, ABX across speakers 20.0 %'
    """
    parts = []
    if "test" in result:
        found = [
            max(way["recall"].items(), key=lambda pair: int(pair[0]))
            for way in result["test"].values()
        ]
        recalls = " and ".join(f"{100 * recall:.1f} %" for _, recall in found)
        parts.append(f"R@{found[0][0]} {recalls}")
    if result["abx"]:
        last = max(result["abx"], key=int)
        parts += [
            f"ABX {speakers} speakers {100 * min(errors[1:]):.1f} %"
            for speakers, errors in result["abx"][last].items()
        ]
    return ", ".join(parts)
