import numpy as np
import pytest
import torch

from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.evaluation import (
    Item,
    abx_score,
    read_items,
    triphone_items,
)
from speechbrain_mtl.evaluation.abx_slicing import item_frames, lay_out
from tests.helpers.abx_worlds import HEADER, HOP, world


def frames(onset, end, count=20, hop=0.02, **options):
    item = Item("a", onset, end, "p", "l", "r", "s")
    first, length = item_frames([item], np.array([count]), hop, **options)
    return list(range(int(first[0]), int(first[0] + length[0])))


@pytest.mark.parametrize("hop, offset", [(0.02, None), (0.01, 0.0125)])
@pytest.mark.parametrize("slicing", ["fixed", "librilight"])
def test_frames_are_those_centred_in_the_item(hop, offset, slicing):
    """Counted in whole tenths of a millisecond, where nothing is rounded."""
    step = round(1e4 * hop)
    own = round(1e4 * offset) if offset else step // 2
    centre = own if slicing == "fixed" else step // 2
    random = np.random.RandomState(0)
    for _ in range(300):
        onset, end = np.sort(random.choice(4500, 2, replace=False)).tolist()
        wanted = [i for i in range(20) if onset <= centre + step * i <= end]
        options = {"hop": hop, "offset": offset, "slicing": slicing}
        found = frames(onset / 1e4, end / 1e4, **options)
        on_edge = {(onset - centre) % step, (end - centre) % step}
        if slicing == "fixed":
            assert found == wanted
        elif 0 not in on_edge:  # there, Libri-Light leaves it to rounding
            # The last frame is lost, but for where the recording ends before.
            ended = end >= centre + step * 20
            assert found == (wanted if ended else wanted[:-1])


def test_librilight_is_fixed_on_items_that_end_a_frame_earlier():
    features, rows = world(0)
    shorter = [(f, on, end - HOP, *rest) for f, on, end, *rest in rows]
    kept = [pair for pair in zip(rows, shorter) if pair[1][2] > pair[1][1]]
    longer, shorter = zip(*kept)
    a = abx_score(features, longer, slicing="librilight")
    b = abx_score(features, shorter)
    assert (a.error, a.cells, a.items) == (b.error, b.cells, b.items)
    assert a.error != abx_score(features, longer).error


def test_both_edges_of_aligners_grids_are_inside():
    # 0.29 / 0.02 is 14.499999999999998.
    assert frames(0.25, 0.29) == [12, 13, 14]
    assert frames(0.05, 0.07) == [2, 3]


def test_offset_moves_frames_and_librilight_does_not_look():
    assert frames(0.1, 0.2, offset=0.0125) == [5, 6, 7, 8, 9]
    assert frames(0.1, 0.2, offset=0.0225) == [4, 5, 6, 7, 8]
    options = {"slicing": "librilight"}
    assert frames(0.1, 0.2, **options) == [5, 6, 7, 8]
    assert frames(0.1, 0.2, offset=0.0225, **options) == [5, 6, 7, 8]


def test_items_lie_where_their_recordings_do():
    a, b = torch.randn(20, 3), torch.randn(30, 3)
    items = [
        Item("b", 0.1, 0.2, "p", "l", "r", "s"),
        Item("a", 0.3, 0.44, "p", "l", "r", "s"),
    ]
    laid = lay_out({"a": a, "b": b, "c": a}, items, HOP)
    begins, lengths = laid.begins.tolist(), laid.lengths.tolist()
    found = [
        laid.frames[at : at + n] for at, n in zip(begins, lengths, strict=True)
    ]
    assert torch.equal(found[0], b[5:10])
    assert torch.equal(found[1], a[15:20])  # to where the recording ends


def test_item_files_are_read_as_rows_are(tmp_path):
    _, rows = world(1)
    path = tmp_path / "a.item"
    lines = [" ".join(map(str, row)) for row in rows]
    path.write_text(HEADER + "\n".join(lines) + "\n\n")
    assert read_items(path) == [Item(*row) for row in rows]


def test_all_bad_lines_of_an_item_file_are_named(tmp_path):
    path = tmp_path / "a.item"
    path.write_text(
        HEADER + "a 0.1 0.4 p l r s\na 0.4 p l r s\na 0.4 0.1 p l r s\n"
        "a x 0.4 p l r s\na 0.1 nan p l r s\na 0.1 0.4 p l r s t\n"
    )
    with pytest.raises(ManifestError) as told:
        read_items(path)
    for line in (3, 4, 5, 6, 7):
        assert f"line {line}: " in str(told.value)
    assert "line 2" not in str(told.value)


@pytest.mark.parametrize("text", ["", "a 0.1 0.4 p l r s\n"])
def test_an_item_file_begins_with_its_header(tmp_path, text):
    path = tmp_path / "a.item"
    path.write_text(text)
    with pytest.raises(ManifestError, match="no header"):
        read_items(path)


def test_items_must_be_some(tmp_path):
    path = tmp_path / "a.item"
    path.write_text(HEADER)
    with pytest.raises(ManifestError, match="no items"):
        read_items(path)


def test_triphones_never_span_silence_and_need_a_speaker():
    labels = ["sil", "K", "AE1", "T", "sp", "S", "IH0", "spn", "T", "UW1", "P"]
    phones = [[i, i + 1, label] for i, label in enumerate(labels)]
    entries = {"a": {"speaker": 3, "phones": phones}, "b": {"speaker": 3}}
    found = triphone_items(entries, lambda label: label.rstrip("012"))
    assert found == [
        Item("a", 1, 4, "AE", "K", "T", "3"),
        Item("a", 8, 11, "UW", "T", "P", "3"),
    ]
    with pytest.raises(ManifestError, match="a: has phones but no speaker"):
        triphone_items({"a": {"phones": phones}})
    with pytest.raises(ManifestError, match="no entry has phones"):
        triphone_items({"b": {"speaker": 3}})
