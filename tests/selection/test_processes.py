import json
import os
import subprocess
import sys

import pytest

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.selection.processes import (
    mine,
    rank,
    several_processes,
    total,
    world,
)


def test_one_process_has_all_the_work():
    import torch

    assert world() == 1 and mine("abc") == [(0, "a"), (1, "b"), (2, "c")]
    table = torch.randn(3)
    assert total(table) is table


def test_pieces_are_dealt_out_in_turn(monkeypatch):
    from speechbrain_mtl.selection import processes

    monkeypatch.setattr(processes, "world", lambda: 3)
    dealt = []
    for number in range(3):
        monkeypatch.setattr(processes, "rank", lambda n=number: n)
        dealt.append(mine(range(10, 17)))
    assert dealt[1] == [(1, 11), (4, 14)]
    assert sorted(sum(dealt, [])) == list(enumerate(range(10, 17)))


def test_processes_in_use_elsewhere_share_nothing_unasked(monkeypatch):
    from torch import distributed

    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    assert world() == 1 and rank() == 0
    monkeypatch.setenv("WORLD_SIZE", "2")
    with several_processes():
        assert world() == 2 and rank() == 1
    assert world() == 1


def numbers(value, name=""):
    """All numbers of a nested structure, with the way to each."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from numbers(part, f"{name}/{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from numbers(part, f"{name}/{index}")
    elif isinstance(value, int | float):
        yield name, value


def test_two_processes_find_what_one_does(tone_corpus, tmp_path, capfd):
    manifest = tone_corpus(per_class=12)
    command = ["select", str(manifest), "--label", "halves"]
    command += ["--workers", "f0,rms,zcr"]
    assert main([*command, "--out", str(tmp_path / "one.json")]) == 0
    capfd.readouterr()
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += ["--nproc_per_node=2", "-m", "speechbrain_mtl"]
    done = subprocess.run(
        [*launcher, *command, "--out", str(tmp_path / "two.json")],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written to") == 1
    one, two = (
        json.loads((tmp_path / f"{name}.json").read_text())
        for name in ("one", "two")
    )
    for content in (one, two):
        del content["cost"]
    found = dict(numbers(two))
    assert len(found) > 50
    for name, value in numbers(one):
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
