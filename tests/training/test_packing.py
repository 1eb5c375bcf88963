"""Packing: every task gets back what it would have got alone."""

import pytest
import torch

from speechbrain_mtl.models import Wav2Vec2Encoder
from speechbrain_mtl.training.packed_loader import packed
from speechbrain_mtl.training.packing import (
    EncodedGroups,
    PackedBatch,
    cut_into_packs,
    pack_batch,
    waveforms_of,
)
from tests.helpers.encoders import calibrated_crdnn


def tiny_transformer():
    torch.manual_seed(0)
    return Wav2Vec2Encoder(
        hidden_size=16, layers=2, heads=2, feedforward_size=16,
        conv_channels=8, position_kernel=4, position_groups=2, dropout=0.0,
    ).eval()  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_packs_hold_all_once_within_the_budget(seed):
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 90, (40,), generator=generator).tolist()
    packs = cut_into_packs(sizes, 200)
    assert sorted(i for pack in packs for i in pack) == list(range(40))
    for pack in packs:
        assert len(pack) * max(sizes[i] for i in pack) <= 200
    for one, two in zip(packs, packs[1:]):
        longest = max(sizes[i] for i in one)
        assert longest >= max(sizes[i] for i in two)
        assert longest * (len(one) + 1) > 200


def test_one_above_the_budget_stands_alone():
    assert cut_into_packs([5, 500, 5], 100) == [[1], [0, 2]]
    with pytest.raises(ValueError, match="utterance 1 has no samples"):
        cut_into_packs([5, 0], 100)


@pytest.mark.parametrize("make", [calibrated_crdnn, tiny_transformer])
@pytest.mark.parametrize("budget", [1, 20000, 10**9])
def test_tasks_get_the_layers_of_a_forward_of_their_own(make, budget):
    encoder = make().eval()
    torch.manual_seed(1)
    waves = [0.1 * torch.randn(n) for n in (4000, 9000, 6500, 8000, 4800)]
    members = {"a": [3, 0], "b": [1], "c": [4, 0, 2]}
    packs, rows = pack_batch(waves, members, budget)
    encoded = [encoder(pack.wavs, pack.lens) for pack in packs]
    groups = EncodedGroups(encoded, packs)
    for name, members_of in members.items():
        own = groups.of(rows[name])
        numbers = [members_of[i] for i in rows[name].order]
        assert sorted(numbers) == sorted(members_of)
        alone, _ = pack_batch([waves[i] for i in numbers], {}, 1)
        order = cut_into_packs([len(waves[i]) for i in numbers], 1)
        wanted = {i[0]: encoder(p.wavs, p.lens) for i, p in zip(order, alone)}
        assert own.layers[0].shape[1] >= own.lens.max()
        for place in range(len(numbers)):
            count = int(wanted[place].lens)
            assert own.lens[place] == count
            pairs = zip(own.layers, wanted[place].layers, strict=True)
            for mine, layer in pairs:
                torch.testing.assert_close(
                    mine[place, :count], layer[0, :count], atol=1e-5, rtol=1e-4
                )
                assert (mine[place, count:] == 0).all()


def test_gradients_reach_only_the_tasks_own_utterances():
    encoder = tiny_transformer()
    waves = [0.1 * torch.randn(n) for n in (4000, 6000, 5000)]
    packs, rows = pack_batch(waves, {"a": [2], "b": [0, 1]}, 10**9)
    packs[0].wavs.requires_grad_()
    encoded = [encoder(pack.wavs, pack.lens) for pack in packs]
    own = EncodedGroups(encoded, packs).of(rows["a"])
    own.layers[-1].sum().backward()
    moved = packs[0].wavs.grad.abs().sum(dim=1) > 0
    lens = (packs[0].lens * 6000).round().tolist()
    assert [n for n, m in zip(lens, moved.tolist()) if m] == [5000]


def test_an_utterance_that_two_tasks_share_is_encoded_once():
    waves = [torch.full((n,), float(n)) for n in (400, 300, 350, 200)]
    members = {"a": [0, 1], "b": [1, 2, 0], "c": [3, 1]}
    packs, rows = pack_batch(waves, members, 10**6)
    assert sum(len(pack.wavs) for pack in packs) == 4
    batch = PackedBatch(packs, rows)
    for name, numbers in members.items():
        wavs, lens = waveforms_of(batch, name)
        assert sorted(rows[name].order) == list(range(len(numbers)))
        for row, place in enumerate(rows[name].order):
            wave = waves[numbers[place]]
            assert lens[row] * wavs.shape[1] == pytest.approx(len(wave))
            assert torch.equal(wavs[row, : len(wave)], wave)
            assert not wavs[row, len(wave) :].any()


def test_a_task_may_read_a_recording_twice():
    item = {"id": "u", "sig": torch.ones(30), "seconds": 30.0, "part": "u"}
    items = [("a", {**item, "target_a": torch.ones(n)}) for n in (1, 2)]
    batch = packed([*items, ("b", item)], 1000)
    assert [len(pack.wavs) for pack in batch.packs] == [2]
    assert len(waveforms_of(batch, "a")[0]) == len(batch.targets["a"].data) == 2
    assert len(waveforms_of(batch, "b")[0]) == 1
    assert batch.ids == {"a": ["u", "u"], "b": ["u"]}


def test_answers_follow_their_utterances():
    items = [
        ("a", {"id": str(n), "sig": torch.full((n,), float(n)), "part": n,
               "seconds": 1.0, "target_a": torch.tensor([n])})
        for n in (300, 500, 200, 400)
    ]  # fmt: skip
    batch = packed(items, 800)
    wavs, _ = waveforms_of(batch, "a")
    assert wavs[:, 0].tolist() == batch.targets["a"].data[:, 0].tolist()
    assert batch.ids["a"] == ["500", "400", "300", "200"]


def test_a_layer_is_cut_once_for_all_tasks():
    """And put together again once, in the backward pass."""
    encoder = tiny_transformer()
    waves = [0.1 * torch.randn(n) for n in (4000, 6000, 5000)]
    packs, rows = pack_batch(waves, {"a": [2], "b": [0, 1]}, 10**9)
    encoded = [encoder(pack.wavs, pack.lens) for pack in packs]
    groups = EncodedGroups(encoded, packs)
    nodes = {groups.of(rows[name]).layers[-1].grad_fn for name in "ab"}
    [cut] = {
        node if "Split" in node.name() else node.next_functions[0][0]
        for node in nodes
    }
    assert "Split" in cut.name()


def test_a_batch_moves_as_a_whole():
    packs, rows = pack_batch([torch.ones(4)], {"a": [0]}, 10)
    moved = PackedBatch(packs, rows, {}, {"a": ["u"]}, [1.0]).to("meta")
    assert moved.packs[0].wavs.device.type == "meta"
    assert moved.packs[0].lens.device.type == "meta"
    assert moved.packs[0].groups == [1] and moved.rows == rows
    assert moved.ids == {"a": ["u"]}
