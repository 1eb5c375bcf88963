"""The command under a page makes the same selection again."""

import argparse
import dataclasses
import shlex

import pytest

from speechbrain_mtl.report.selection_words import command
from speechbrain_mtl.selection.command import configure
from speechbrain_mtl.selection.selector import Selector


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"method": "softmax", "solver": {"temperature": 0.5}},
        {"method": "uniform", "solver": {}},
        {
            "kernel": {"centering": "reference"},
            "solver": {"temperature": 0.0},
        },
    ],
)
def test_the_command_makes_the_selection_again(selection, change):
    selection = dataclasses.replace(selection, **change)
    words = shlex.split(command(selection))
    assert words[:4] == ["python", "-m", "speechbrain_mtl", "select"]
    parser = argparse.ArgumentParser()
    configure(parser)
    args = parser.parse_args(words[4:])
    assert (args.manifest, args.label) == ("DATA/fsdd/manifest.json", "digit")
    assert args.mapping == selection.method
    assert args.centering == selection.kernel["centering"]
    assert set(args.workers.split(",")) == set(selection.weights)
    assert args.seed == 3
    if selection.solver:
        mapping = Selector(
            mapping=args.mapping,
            centering=args.centering,
            temperature=args.temperature,
        )
        wanted = selection.solver["temperature"]
        assert mapping.temperature_used == wanted


def test_the_command_names_the_kernels(selection):
    kernel = {"trajectory": True, "bandwidth": "multi"}
    line = command(dataclasses.replace(selection, kernel=kernel))
    assert line.endswith(" --trajectory --bandwidth multi")
    assert "--trajectory" not in command(selection)


def test_no_command_is_shown_where_none_makes_the_selection(selection):
    given = selection.data | {"manifest": None}
    assert command(dataclasses.replace(selection, data=given)) is None
    own = {"a_worker_of_mine": 1.0}
    assert command(dataclasses.replace(selection, weights=own)) is None
