import pytest

from speechbrain_mtl.data.superb import chunk_mixtures


def mixture(*turns, **fields):
    return {
        "wav": "m.wav",
        "duration": 10.0,
        "sample_rate": 16000,
        "split": "train",
        "speakers": ["ann", "bob"],
        "turns": [dict(zip(("speaker", "start", "end"), t)) for t in turns],
        "words": [[0.0, 1.0, "a"]],
        **fields,
    }


TURNS = [("ann", 0.5, 3.0), ("bob", 2.8, 9.9), ("ann", 5.0, 7.0)]


@pytest.mark.parametrize("seconds", [0.7, 2.5, 3.0, 10.0, 60.0])
def test_chunks_are_the_whole_and_as_long_as_each_other(seconds):
    chunks = list(chunk_mixtures({"m": mixture()}, seconds).values())
    assert chunks[0]["start"] == 0 and chunks[-1]["stop"] == 10
    for one, following in zip(chunks, chunks[1:]):
        assert one["stop"] == following["start"]
    lengths = [chunk["stop"] - chunk["start"] for chunk in chunks]
    assert max(lengths) <= seconds + 1e-9
    assert max(lengths) - min(lengths) < 1e-9
    assert len(chunks) == 1 or min(lengths) > seconds / 2


@pytest.mark.parametrize("seconds", [0.7, 2.5, 3.0, 10.0])
@pytest.mark.parametrize("begin", [0.0, 4.0])
def test_turns_of_the_chunks_are_those_of_the_whole(seconds, begin):
    """Against an oracle: who speaks at each of many times."""
    part = {"duration": 20.0, "start": begin, "stop": begin + 10.0}
    entries = {"m": mixture(*TURNS, **part)}
    chunks = chunk_mixtures(entries, seconds)

    def speaking(turns, time):
        return {t["speaker"] for t in turns if t["start"] <= time < t["end"]}

    for step in range(1000):
        time = step / 100 + 0.005
        [chunk] = [
            c for c in chunks.values() if c["start"] <= begin + time < c["stop"]
        ]
        there = speaking(chunk["turns"], begin + time - chunk["start"])
        assert there == speaking(entries["m"]["turns"], time)


def test_a_turn_over_a_whole_chunk_fills_it():
    chunks = chunk_mixtures({"m": mixture(("bob", 1.0, 9.0))}, 2.0)
    [turn] = chunks["m_02"]["turns"]
    assert turn == {"speaker": "bob", "start": 0.0, "end": 2.0}


def test_a_silent_speaker_and_the_file_are_still_named():
    chunk = chunk_mixtures({"m": mixture(("bob", 1.0, 2.0))}, 2.5)["m_03"]
    assert chunk == {
        "wav": "m.wav",
        "duration": 10.0,
        "sample_rate": 16000,
        "split": "train",
        "speakers": ["ann", "bob"],
        "start": 7.5,
        "stop": 10.0,
        "turns": [],
    }


def test_a_turn_that_ends_at_an_edge_is_not_in_the_next_chunk():
    chunks = chunk_mixtures({"m": mixture(("bob", 1.0, 5.0))}, 5.0)
    assert [len(chunk["turns"]) for chunk in chunks.values()] == [1, 0]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_chunks_without_length_are_refused(seconds):
    with pytest.raises(ValueError, match="need a length above 0"):
        chunk_mixtures({"m": mixture()}, seconds)
