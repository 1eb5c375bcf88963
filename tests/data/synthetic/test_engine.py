import sys
import threading

import numpy as np
import pytest

pytest.importorskip("espeakng_loader")

from speechbrain_mtl.data.synthetic import engine as module
from speechbrain_mtl.data.synthetic.engine import (
    PHONE,
    WORD,
    Engine,
)

BREATHY = "language variant\nflutter 9\nbreath 0 9 9 9 9 9\n"


@pytest.fixture(scope="module")
def engine():
    return Engine()


def test_same_request_gives_same_samples_whatever_was_said_before(engine):
    def say():
        return engine.synthesise("the old judge", "en-us", BREATHY, seed=5)

    wave, events = say()
    engine.synthesise("something else", "en", seed=9, rate=300)
    again, events_again = say()
    fresh, _ = Engine().synthesise("the old judge", "en-us", BREATHY, seed=5)
    assert np.array_equal(wave, again)
    assert np.array_equal(wave, fresh)
    assert events == events_again


def test_seed_changes_breath(engine):
    waves = [
        engine.synthesise("she sees", "en-us", BREATHY, seed=s)[0]
        for s in (1, 2)
    ]
    assert not np.array_equal(*waves)


def test_events_lie_in_order_within_the_audio(engine):
    text = "some fresh fish"
    wave, events = engine.synthesise(text, "en-us")
    places = [e.sample for e in events]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] <= len(wave)
    spans = [text[e.position :][: e.length] for e in events if e.type == WORD]
    assert spans == ["some", "fresh", "fish"]
    names = [e.name.lstrip("',") for e in events if e.type == PHONE]
    assert names[:3] == ["s", "V", "m"]


def test_rate_and_volume_do_what_they_say(engine):
    slow, _ = engine.synthesise("a heavy box", "en-us", rate=120, volume=40)
    fast, _ = engine.synthesise("a heavy box", "en-us", rate=240, volume=100)
    assert len(fast) < 0.75 * len(slow)
    assert abs(fast).max() > 1.5 * abs(slow).max()


def test_variant_changes_the_voice(engine):
    plain, _ = engine.synthesise("yes", "en-us")
    high, _ = engine.synthesise(
        "yes", "en-us", "language variant\npitch 200 300\n"
    )
    assert not np.array_equal(plain, high)


def test_phoneme_input_says_the_phonemes(engine):
    _, events = engine.synthesise("[[s'i:t]]", "en-us", phonemes=True)
    names = [e.name.lstrip("'") for e in events if e.type == PHONE]
    assert names[:3] == ["s", "i:", "t"]


def test_threads_take_turns(engine):
    texts = ["one", "two words", "three more words", "yes"] * 3
    expected = [engine.synthesise(t, "en-us", BREATHY)[0] for t in texts]
    found = {}

    def say(number):
        found[number] = engine.synthesise(texts[number], "en-us", BREATHY)[0]

    threads = [
        threading.Thread(target=say, args=(i,)) for i in range(len(texts))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    for number, wave in enumerate(expected):
        assert np.array_equal(found[number], wave)


def test_a_library_that_stays_loaded_is_noticed(engine, monkeypatch):
    kept = []
    assert engine.forgets()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_unload", kept.append)
        assert not engine.forgets()
    for library in kept:
        module._unload(library)
    assert engine.forgets()


def test_unknown_voice_is_refused(engine):
    with pytest.raises(RuntimeError, match="no voice 'xx'"):
        engine.synthesise("yes", "xx")


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ImportError, match=r"speechbrain_mtl\[synth\]"):
        Engine()


def test_library_that_does_not_load_names_the_needed_glibc(
    monkeypatch, tmp_path
):
    broken = tmp_path / "libespeak-ng.so"
    broken.write_bytes(b"no library")
    engine = Engine()
    monkeypatch.setattr(engine, "_library", str(broken))
    with pytest.raises(ImportError, match=r"GLIBC 2\.29"):
        engine.synthesise("yes", "en-us")


def test_nothing_stays_loaded(engine):
    engine.synthesise("yes", "en-us")
    if sys.platform == "linux":
        with open("/proc/self/maps") as maps:
            assert "libespeak-ng" not in maps.read()
