import itertools
import json
import math
import random
from collections import defaultdict
from pathlib import Path
from statistics import mean

import pytest
import torch

from speechbrain_mtl.evaluation import abx_error, abx_score, triphone_items
from speechbrain_mtl.evaluation import abx_triplets as triplets
from speechbrain_mtl.evaluation.abx import NoCellsError
from speechbrain_mtl.evaluation.abx_cells import cells_of, group_items
from speechbrain_mtl.evaluation.abx_distance import DISTANCES
from speechbrain_mtl.evaluation.abx_items import Item
from speechbrain_mtl.evaluation.abx_pairs import Bounds
from speechbrain_mtl.evaluation.abx_slicing import lay_out
from tests.evaluation.test_abx_dtw import slow_warp
from tests.helpers.abx_worlds import GOLDEN, HOP, world

GOLDENS = json.loads(
    (Path(__file__).parent / "goldens" / "abx.json").read_text()
)


def slow_angle(x, y):
    norms = math.hypot(*x), math.hypot(*y)
    if not all(norms):
        return float(any(norms))
    product = sum(a * b for a, b in zip(x, y)) / norms[0] / norms[1]
    return math.acos(max(-1.0, min(1.0, product))) / math.pi


def slow_abx(features, items, speaker, slicing):
    """Three loops over all tokens; by the words of the definition."""
    tokens = []
    for file, onset, offset, phone, left, right, who in items:
        frames = [
            frame
            for i, frame in enumerate(features[file].tolist())
            if onset - 1e-9 <= (i + 0.5) * HOP <= offset + 1e-9
        ]
        if slicing == "librilight":
            frames = frames[:-1]
        if frames:
            tokens.append((frames, phone, (left, right), who))
    known = {}

    def distance(i, j):
        if (i, j) not in known:
            pair = itertools.product(tokens[i][0], tokens[j][0])
            angles = [slow_angle(*frames) for frames in pair]
            m = len(tokens[j][0])
            table = [angles[k : k + m] for k in range(0, len(angles), m)]
            known[i, j] = slow_warp(table)
        return known[i, j]

    cells = defaultdict(list)
    every = range(len(tokens))
    for x, a, b in itertools.product(every, every, every):
        (_, px, cx, sx), (_, pa, ca, sa), (_, pb, cb, sb) = (
            tokens[i] for i in (x, a, b)
        )
        if x == a or px != pa or pb == pa or not cx == ca == cb or sa != sb:
            continue
        if (sx == sa) != (speaker == "within"):
            continue
        gap = distance(x, a) - distance(x, b)
        wrong = 0.5 if abs(gap) < 1e-7 else float(gap > 0)
        cells[pa, pb, sa, ca, sx].append(wrong)
    by_speaker, by_pair = defaultdict(list), defaultdict(list)
    for (pa, pb, sa, _, _), wrong in cells.items():
        by_speaker[pa, pb, sa].append(mean(wrong))
    for (pa, pb, _), errors in by_speaker.items():
        by_pair[pa, pb].append(mean(errors))
    counts = len(cells), sum(map(len, cells.values()))
    return mean(map(mean, by_pair.values())), *counts


@pytest.mark.parametrize("speaker", ["within", "across"])
@pytest.mark.parametrize("slicing", ["fixed", "librilight"])
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_errors_are_those_of_loops_over_all_triplets(
    speaker, slicing, strength
):
    # Off the grid of frames, so that rounding cannot decide on a frame.
    made = world(7, files=4, tokens=10, speakers=2, strength=strength)
    score = abx_score(*made, speaker, slicing)
    error, cells, count = slow_abx(*made, speaker, slicing)
    assert score.error == pytest.approx(error, abs=1e-9)
    assert (score.cells, score.triplets) == (cells, count)
    assert score.items + score.dropped == len(made[1])
    assert score.dropped or slicing == "fixed"


@pytest.mark.parametrize("speaker", ["within", "across"])
@pytest.mark.parametrize("name", GOLDEN)
def test_errors_are_those_of_libriabx(name, speaker):
    found = abx_error(*world(**GOLDEN[name]), speaker, "librilight")
    # Units have many equally cheap paths. There the package measures a pair
    # of A in the direction in which the file system lists their recordings.
    near = 1e-3 if (name, speaker) == ("units", "within") else 1e-5
    assert found == pytest.approx(GOLDENS["errors"][name][speaker], abs=near)


@pytest.mark.parametrize("speaker", ["within", "across"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_planted_phones_are_told_apart_and_equal_frames_are_chance(
    speaker, distance
):
    features, items = world(4)
    same = {n: torch.full_like(f, 0.3) for n, f in features.items()}
    assert abx_error(same, items, speaker, distance=distance) == 0.5
    alone = {
        f"{i}": torch.eye(8)[[int(item[3][1:])] * 20]
        for i, item in enumerate(items)
    }
    placed = [(f"{i}", 0.0, 0.2, *item[3:]) for i, item in enumerate(items)]
    assert abx_error(alone, placed, speaker, distance=distance) == 0.0


@pytest.mark.parametrize("speaker", ["within", "across"])
def test_equal_distances_count_half_wherever_they_stand(speaker):
    """Directions a computer cannot write exactly: rounding must not decide."""
    torch.manual_seed(0)
    features, items = world(5, width=300)
    one = torch.randn(300)
    same = {
        name: one * torch.rand(len(frames), 1).add(0.1)
        for name, frames in features.items()
    }
    assert abx_error(same, items, speaker) == 0.5


@pytest.mark.parametrize("speaker", ["within", "across"])
def test_how_much_is_done_at_a_time_changes_nothing(speaker):
    features, rows = world(6, files=4, tokens=12, discrete=True)
    items = [Item(*row) for row in rows]
    laid = lay_out(features, items, HOP)
    kept = laid.lengths.nonzero()[0]
    groups = group_items(items, kept)

    def errors(bounds=None, pairs=2**18):
        return triplets.cell_errors(
            [laid.frames],
            laid.begins[groups.tokens],
            laid.lengths[groups.tokens],
            groups,
            cells_of(groups, speaker),
            DISTANCES["angular"],
            bounds,
            pairs,
        )

    wanted = {tuple(c): e for c, e in zip(errors()[0], errors()[2][0])}
    for bounds, pairs in (
        (Bounds(tile=10, frames=1, products=1, cells=1), 2**18),
        (Bounds(tile=40, frames=200, products=10**4, cells=500), 50),
        (None, 1),
    ):
        cells, _, found = errors(bounds, pairs)
        assert {tuple(c): e for c, e in zip(cells, found[0])} == wanted


def test_triplets_are_compared_some_at_a_time(monkeypatch):
    made = world(8)
    wanted = abx_score(*made, "across")
    monkeypatch.setattr(triplets, "TRIPLETS", 7)
    assert abx_score(*made, "across") == wanted


@pytest.mark.parametrize("speaker", ["within", "across"])
def test_neither_order_nor_company_nor_scale_matters(speaker):
    features, items = world(9)
    wanted = abx_score(features, items, speaker)
    more = {"other": torch.full((3, 99), torch.nan), **features}
    mixed = random.Random(0).sample(items, len(items))
    assert abx_score(more, mixed, speaker) == wanted
    louder = {name: 1000 * frames for name, frames in features.items()}
    assert abx_score(louder, items, speaker) == wanted


@pytest.mark.parametrize("speaker", ["within", "across"])
def test_draws_depend_on_the_seed_alone_and_have_the_size_asked_for(speaker):
    features, items = world(10, speakers=6)
    drawn = {"most_tokens": 2, "most_speakers": 3}
    score = abx_score(features, items, speaker, **drawn)
    mixed = random.Random(0).sample(items, len(items))
    assert abx_score(features, mixed, speaker, **drawn) == score
    others = [
        abx_score(features, items, speaker, seed=seed, **drawn)
        for seed in (1, 2)
    ]
    assert others[0].error != score.error or others[1].error != score.error
    whole = abx_score(features, items, speaker)
    assert score.triplets < whole.triplets
    # As large as the groups are, nothing is drawn.
    assert (
        abx_score(
            features, items, speaker, most_tokens=99, most_speakers=6, seed=5
        )
        == whole
    )
    if speaker == "within":
        assert score.cells == whole.cells
        assert score.triplets <= 2 * 1 * 2 * score.cells
    else:
        groups = group_items(
            [Item(*item) for item in items], torch.arange(len(items)).numpy()
        )
        cells = list(cells_of(groups, "across", 3, seed=0))
        count = defaultdict(set)
        for a, b, x in (cell for part in cells for cell in part.tolist()):
            count[a, b].add(groups.speaker[x])
            assert groups.speaker[a] not in count[a, b]
        assert max(map(len, count.values())) == 3


def test_half_and_double_precision_features_are_taken_as_they_are():
    features, items = world(11)
    wanted = abx_error(features, items)
    double = {n: f.double() for n, f in features.items()}
    half = {n: f.half() for n, f in features.items()}
    assert abx_error(double, items) == wanted
    assert abx_error(half, items) == pytest.approx(wanted, abs=0.01)


def test_one_speaker_cannot_be_compared_with_another():
    features, items = world(12, speakers=1)
    with pytest.raises(NoCellsError, match="of 1 speaker.*Give more"):
        abx_error(features, items, "across")


@pytest.mark.parametrize(
    "options, told",
    [
        ({"speaker": "both"}, "speaker is 'both'"),
        ({"slicing": "exact"}, "slicing is 'exact'"),
        ({"distance": "cosine"}, "distance is 'cosine'.*angular"),
        ({"hop": 0.0}, "hop is 0.0"),
        ({"most_tokens": 0}, "most_tokens is 0"),
        ({"most_speakers": 0}, "most_speakers is 0"),
        ({"distance": "kl_symmetric"}, "a feature is -.*posteriors"),
        ({"hop": 0.01}, "ends at .* frames of 0.01 s .*own hop"),
    ],
)
def test_options_that_cannot_be_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        abx_error(*world(13), **options)


def bad_features():
    features, _ = world(14)
    f0 = features["f0"]
    nan = f0.clone()
    nan[3, 2] = torch.nan
    return {
        "missing": (
            {n: f for n, f in features.items() if n != "f2"},
            "f2: nam",
        ),
        "size": ({**features, "f1": f0[:, :5]}, "f1: frames have 5 .* f0 8"),
        "nan": ({**features, "f3": nan}, "f3: 1 of .* first is number 3"),
        "shape": ({**features, "f4": f0[None]}, "f4: features are"),
        "empty": ({**features, "f5": f0[:0]}, r"f5: features are \(0, 8\)"),
        "short": ({**features, "f5": f0[:5]}, "f5: .* ends at .* s, but 5 fra"),
    }


@pytest.mark.parametrize("case", bad_features())
def test_features_that_do_not_fit_are_named(case):
    features, told = bad_features()[case]
    with pytest.raises(ValueError, match=told):
        abx_error(features, world(14)[1])


def test_items_without_frames_are_counted_and_all_of_them_are_an_error():
    items = [("a", 0.001, 0.002, p, "l", "r", "s") for p in "ppq"]
    with pytest.raises(ValueError, match="none of 3 items has a frame"):
        abx_error({"a": torch.ones(9, 2)}, items)


def test_real_phones_are_told_apart_better_by_spectra_than_by_level(
    shared_data,
):
    """LJ Speech: one speaker, phones from a forced aligner."""
    from speechbrain_mtl.data.audio import read_entry
    from speechbrain_mtl.data.manifest import load_manifest
    from speechbrain_mtl.workers import MFCC

    folder = shared_data("ljspeech_aligned")
    entries = load_manifest(folder / "manifest.json", folder)
    worker = MFCC()
    features = {}
    for name, entry in entries.items():
        wav = read_entry(name, entry)[None]
        features[name] = worker(wav, torch.ones(1))[0]
    items = triphone_items(entries, lambda label: label.rstrip("012"))
    times = {"hop": worker.hop, "offset": worker.offset}
    spectra = abx_score(features, items, **times)
    noise = {n: torch.randn_like(f) for n, f in features.items()}
    chance = abx_score(noise, items, **times)
    assert spectra.cells == chance.cells > 20
    assert spectra.error < 0.3 < chance.error
