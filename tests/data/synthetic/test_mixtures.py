import numpy as np
import pytest

from speechbrain_mtl.data.synthetic.alignment import Segment
from speechbrain_mtl.data.synthetic.mixtures import Turn, mix, rttm
from speechbrain_mtl.data.synthetic.plan import Plan


@pytest.fixture(scope="module")
def mixed():
    pytest.importorskip("espeakng_loader")
    plan = Plan(minutes=60, speakers=8, seed=1)
    first = len(plan) - plan.counts["mixture"]
    items = [plan[first + i] for i in range(4)]
    return [(item, *mix(item, plan.seed)) for item in items]


def test_rttm_has_one_line_a_turn_in_nist_columns():
    turns = [
        Turn(1600, 17600, "spk1", "a b", [], [Segment(1600, 17600, "a")]),
        Turn(16000, 24016, "spk2", "c", [], []),
    ]
    assert rttm("mix", turns) == (
        "SPEAKER mix 1 0.100 1.000 <NA> <NA> spk1 <NA> <NA>\n"
        "SPEAKER mix 1 1.000 0.501 <NA> <NA> spk2 <NA> <NA>\n"
    )


def test_speakers_take_turns_and_never_overlap_themselves(mixed):
    for item, _, turns in mixed:
        names = [turn.speaker for turn in turns]
        assert names[:2] * 3 == names and names[0] != names[1]
        assert [t.text for t in turns] == [line.text for line in item.lines]
        for one, next_own in zip(turns, turns[2:]):
            assert one.end <= next_own.start


def test_some_turns_overlap_and_some_leave_a_pause(mixed):
    gaps = [
        (b.start - a.end) / 16000
        for _, _, turns in mixed
        for a, b in zip(turns, turns[1:])
    ]
    assert min(gaps) < 0 < max(gaps)
    # a turn may start up to 0.8 s early, and its first word a little later
    assert -0.8 <= min(gaps) and max(gaps) < 0.6 + 0.5


def test_the_wave_is_the_sum_of_its_turns(mixed):
    from speechbrain_mtl.data.synthetic.utterance import utter

    for item, wave, turns in mixed[:2]:
        total = np.zeros(len(wave))
        for line, turn in zip(item.lines, turns):
            said = utter(line, 1)
            at = turn.start - said.words[0].start
            total[at : at + len(said.wave)] += said.wave
        gain = (wave @ total) / (total @ total)
        assert np.allclose(wave, gain * total, atol=1e-9)
        assert 0.3 < gain <= 0.5


def test_words_and_phones_of_a_turn_lie_in_it(mixed):
    for _, wave, turns in mixed:
        for turn in turns:
            assert [w.label for w in turn.words] == turn.text.split()
            for parts in (turn.words, turn.phones):
                assert parts[0].start == turn.start
                assert parts[-1].end == turn.end <= len(wave)
            assert "SIL" not in {p.label for p in turn.phones}


def test_manifest_and_rttm_agree(entries, corpus):
    [(name, entry)] = [
        (k, e) for k, e in entries.items() if e["kind"] == "mixture"
    ]
    lines = (corpus / "rttm" / f"{name}.rttm").read_text().splitlines()
    assert len(lines) == len(entry["turns"])
    for line, turn in zip(lines, entry["turns"]):
        fields = line.split()
        assert fields[1] == name and fields[7] == turn["speaker"]
        assert float(fields[3]) == pytest.approx(turn["start"], abs=6e-4)
        length = turn["end"] - turn["start"]
        assert float(fields[4]) == pytest.approx(length, abs=6e-4)
    assert entry["speakers"] == sorted({t["speaker"] for t in entry["turns"]})
    for field in ("words", "phones"):
        parts = [part for turn in entry["turns"] for part in turn[field]]
        assert sorted(parts) == entry[field]
        assert max(end for _, end, _ in parts) <= entry["duration"]
