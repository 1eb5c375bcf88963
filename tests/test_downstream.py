"""What every downstream recipe refuses before it selects or pretrains."""

from functools import partial

import pytest
import torch

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.downstream import DownstreamExperiment
from speechbrain_mtl.tasks import UtteranceClassification
from tests.helpers.encoders import small_crdnn
from tests.helpers.trees import write_tone


class Reached(Exception):
    """Selection has begun."""


def experiment(folder, **changes):
    hparams = {
        "output_folder": folder,
        "processes": 1,
        "threads": 1,
        "seed": 3,
        "strategy": "sparsemax",
        "label_field": "sound",
        "base_weights": {},
        "baselines": [],
        "encoder": small_crdnn(),
        "pretext": {"tasks": {}},
        "pretrain": partial(dict, grid_seconds=0.1),
        "pretrain_folder": None,
        "pretrain_manifest": None,
        "tasks": {"sound": UtteranceClassification("sound")},
        **changes,
    }
    made = DownstreamExperiment(hparams, {}, None)

    def select(entries, data):
        raise Reached

    made.select = select
    return made


def parts(**tested):
    """Two sounds to train on; what the test sets hold is given."""
    known = {f"t_{sound}": {"sound": sound} for sound in "ab"}
    return {"train": known, "valid": {"v1": {"sound": "a"}}, **tested}


def test_unfit_entries_of_all_parts_are_named_before_the_selection(tmp_path):
    unfit = parts(
        test={"e1": {"sound": "cat"}, "e2": {"sound": "b"}}, other={"o1": {}}
    )
    with pytest.raises(ManifestError) as error:
        experiment(tmp_path).run(unfit, "digest", {})
    lines = str(error.value).splitlines()
    assert lines[0] == "the manifest: 2 problem(s)"
    assert lines[1].startswith("  test: e1: sound ['cat'] never occur(s)")
    assert lines[2].startswith("  other: o1: sound is None. Label the entry")


def test_a_missing_part_is_named_before_the_selection(tmp_path):
    with pytest.raises(ManifestError, match="valid and a test set are needed"):
        experiment(tmp_path).run(parts(), "digest", {})


def test_looking_at_the_entries_changes_no_draw_and_no_task(tmp_path):
    for name in "ab":
        write_tone(tmp_path / "audio" / f"{name}.wav", 0.5)
    made = experiment(tmp_path, pretrain_folder=tmp_path / "audio")
    torch.manual_seed(5)
    state = torch.get_rng_state()
    test = {"e1": {"sound": "b", "wav": "e1.wav"}}
    with pytest.raises(Reached):
        made.run(parts(test=test), "digest", {})
    # Heads are drawn to look; pretraining must not depend on their sizes.
    assert torch.equal(torch.get_rng_state(), state)
    assert made.hparams["tasks"]["sound"].labels == []


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({}, "no speech to pretrain on. Add --pretrain_folder="),
        ({"pretrain_folder": "/gone"}, "/gone: no such folder"),
        ({"pretrain_manifest": "/gone.json"}, "/gone.json: no such manifest"),
        ({"pretrained": "/gone"}, "/gone/encoder.ckpt: no such encoder. Set"),
    ],
)
def test_nothing_to_pretrain_on_is_named_before_the_selection(
    changes, complaint, tmp_path
):
    with pytest.raises(ManifestError, match=complaint):
        made = experiment(tmp_path, **changes)
        made.run(parts(test={"e1": {"sound": "b"}}), "digest", {})
