"""A checkpoint that a kill cut short is not there."""

import pytest
import torch
from speechbrain.utils.checkpoints import Checkpointer

from speechbrain_mtl.training.checkpoints import WholeCheckpointer


class Killed(Exception):
    pass


def cut_short(monkeypatch):
    """Save the first of two states, then die."""
    layers = {name: torch.nn.Linear(1, 1) for name in "ab"}
    saved = []

    def save(state, path):
        if saved:
            raise Killed
        saved.append(path)
        real(state, path)

    real = torch.save
    monkeypatch.setattr(torch, "save", save)
    return layers


@pytest.mark.parametrize(
    ("kind", "left"), [(Checkpointer, 1), (WholeCheckpointer, 0)]
)
def test_what_is_left_of_a_kill(kind, left, tmp_path, monkeypatch):
    """SpeechBrain's own takes half a checkpoint for one: hence ours."""
    layers = cut_short(monkeypatch)
    with pytest.raises(Killed):
        kind(tmp_path, layers).save_checkpoint()
    monkeypatch.undo()
    assert len(kind(tmp_path, layers).list_checkpoints()) == left


def test_the_next_one_is_whole_and_the_rest_is_removed(tmp_path, monkeypatch):
    layers = cut_short(monkeypatch)
    keeper = WholeCheckpointer(tmp_path, layers)
    with pytest.raises(Killed):
        keeper.save_checkpoint()
    monkeypatch.undo()
    keeper.save_checkpoint(meta={"loss": 2.0})
    [folder] = tmp_path.glob("CKPT*")
    [checkpoint] = keeper.list_checkpoints()
    assert checkpoint.path == folder and checkpoint.meta["loss"] == 2.0
    assert set(checkpoint.paramfiles) == {"a", "b"}
    wanted = layers["a"].weight.item()
    torch.nn.init.zeros_(layers["a"].weight)
    assert keeper.recover_if_possible() is not None
    assert layers["a"].weight.item() == wanted
