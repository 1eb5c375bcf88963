"""What the manifest says is what the recordings hold."""

import numpy as np
import pytest

from speechbrain_mtl.data.synthetic.recording import FIELDS
from speechbrain_mtl.data.synthetic.tables import table

ARPABET = {
    phone
    for value in table("phones")["arpabet"].values()
    for phone in value.split()
}


def single(entries):
    return {k: e for k, e in entries.items() if e["kind"] != "mixture"}


def energies(wave, segment, split=3500.0):
    """Energy below and above a frequency in the middle of a segment."""
    start, end, _ = segment
    edge = 0.2 * (end - start)
    part = wave[int((start + edge) * 16000) : int((end - edge) * 16000)]
    power = abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    high = np.fft.rfftfreq(len(part), 1 / 16000) > split
    return power[~high].sum(), power[high].sum()


def test_all_entries_have_the_same_fields(entries):
    assert {e["kind"] for e in entries.values()} == set(table("plan")["kinds"])
    for entry in entries.values():
        assert tuple(entry) == FIELDS
        assert "id" not in entry


def test_every_field_is_filled_somewhere(entries):
    for field in FIELDS:
        assert any(e[field] is not None for e in entries.values()), field


def test_phones_cover_the_recording_without_gaps(entries):
    for name, entry in single(entries).items():
        phones = entry["phones"]
        assert phones[0][0] == 0 and phones[-1][1] == entry["duration"], name
        assert all(a[1] == b[0] for a, b in zip(phones, phones[1:])), name
        assert all(end - start >= 0.005 for start, end, _ in phones), name
        assert phones[0][2] == phones[-1][2] == "SIL"
        assert not any(
            a[2] == b[2] == "SIL" for a, b in zip(phones, phones[1:])
        )


def test_no_phone_is_unknown(entries):
    for entry in entries.values():
        assert {p[2] for p in entry["phones"]} <= ARPABET | {"SIL"}


def test_words_are_those_of_the_text_in_order(entries):
    for name, entry in single(entries).items():
        words = entry["words"]
        assert [w[2] for w in words] == entry["text"].split(), name
        assert all(a[1] <= b[0] for a, b in zip(words, words[1:])), name
        assert (entry["kind"] == "abx") == (not words)


def test_each_word_begins_and_ends_with_one_of_its_phones(entries):
    for entry in single(entries).values():
        starts = {p[0] for p in entry["phones"] if p[2] != "SIL"}
        ends = {p[1] for p in entry["phones"] if p[2] != "SIL"}
        for start, end, _ in entry["words"]:
            assert start in starts and end in ends


def test_durations_are_exact_and_nothing_clips(entries, sound):
    for entry in entries.values():
        wave = sound(entry)
        assert entry["duration"] == len(wave) / 16000
        assert 0.05 < abs(wave).max() < 0.99


def test_silence_is_quiet_where_no_noise_was_added(entries, sound):
    for entry in single(entries).values():
        if entry["augment"]:
            continue
        wave = sound(entry)
        first = entry["phones"][0][1]
        assert abs(wave[: int(0.8 * first * 16000)]).max() < 0.01


def test_sibilants_have_more_high_band_energy_than_vowels(entries, sound):
    share = {"S": [], "vowel": []}
    vowels = table("phones")["vowels"]
    for entry in single(entries).values():
        if entry["augment"]:
            continue
        wave = sound(entry)
        for phone in entry["phones"]:
            kind = "vowel" if phone[2] in vowels else phone[2]
            if kind in share and phone[1] - phone[0] > 0.02:
                low, high = energies(wave, phone)
                share[kind].append(high / (low + high))
    assert min(map(len, share.values())) >= 10
    assert np.median(share["S"]) > 0.8 > 0.3 > np.median(share["vowel"])


def test_boundaries_of_s_and_vowel_lie_where_the_sound_changes(entries, sound):
    """The cross-over of low and high band energy, 8 ms window, 1 ms hop."""
    errors = []
    vowels = table("phones")["vowels"]
    for entry in single(entries).values():
        if entry["augment"]:
            continue
        wave = sound(entry)
        for a, b in zip(entry["phones"], entry["phones"][1:]):
            if a[2] != "S" or b[2] not in vowels:
                continue
            near = np.arange(-0.03, 0.03, 0.001)
            ratio = []
            for shift in near:
                middle = int((b[0] + shift) * 16000)
                low, high = energies(
                    wave, ((middle - 64) / 16000, (middle + 64) / 16000, "")
                )
                ratio.append(high > low)
            errors.append(near[np.argmin(ratio)])
    assert len(errors) >= 6
    assert np.median(np.abs(errors)) < 0.0025
    assert np.max(np.abs(errors)) < 0.01


def test_loudness_tells_no_emotion(entries, sound):
    levels = []
    for entry in entries.values():
        assert (entry["emotion_label"] is None) == (entry["kind"] != "emotion")
        if entry["kind"] == "emotion":
            assert entry["emotion_label"] == entry["emotion"]
            wave = sound(entry)
            start, end = entry["phones"][0][1], entry["phones"][-1][0]
            spoken = wave[int(start * 16000) : int(end * 16000)]
            levels.append(10 * np.log10((spoken**2).mean()))
    assert levels == pytest.approx([-26] * len(levels), abs=0.3)


def test_augmented_recordings_are_noisier_than_clean_ones(entries, sound):
    floor = {True: [], False: []}
    for entry in single(entries).values():
        start = int(entry["phones"][0][1] * 16000 * 0.8)
        power = (sound(entry)[:start] ** 2).mean()
        floor["snr_db" in entry["augment"]].append(power)
    assert min(floor[True]) > 10 * max(floor[False])


def test_pictures_and_captions_go_together(entries, corpus):
    for entry in entries.values():
        assert (entry["image"] is None) == (entry["kind"] != "caption")
        if entry["image"]:
            path = entry["image"].format(data_root=corpus)
            with open(path, "rb") as file:
                assert file.read(8) == b"\x89PNG\r\n\x1a\n"
            for item in entry["scene"]:
                name = f"a {item['size']} {item['color']} {item['shape']}"
                assert name in entry["text"]


def test_tags_and_words_go_together(entries):
    for entry in entries.values():
        if entry["kind"] == "command":
            assert len(entry["bio"]) == len(entry["words"])


def test_abx_items_are_triphones_of_clean_recordings(entries, corpus):
    lines = (corpus / "triphone.item").read_text().splitlines()
    assert lines[0] == "#file onset offset #phone prev-phone next-phone speaker"
    found = set()
    for line in lines[1:]:
        name, onset, offset, phone, before, after, speaker = line.split()
        entry = entries[name]
        assert entry["augment"] == {} and entry["speaker"] == speaker
        labels = [p[2] for p in entry["phones"]]
        starts = [round(p[0], 4) for p in entry["phones"]]
        at = starts.index(float(onset))
        assert labels[at : at + 3] == [before, phone, after]
        assert float(offset) == round(entry["phones"][at + 2][1], 4)
        assert "SIL" not in (before, phone, after)
        found.add(name)
    clean = {
        name
        for name, entry in single(entries).items()
        if not entry["augment"] and entry["kind"] in ("read", "abx")
    }
    assert clean <= found


def test_speechbrain_loads_the_manifest(corpus):
    from speechbrain.dataio.dataset import DynamicItemDataset

    data = DynamicItemDataset.from_json(
        corpus / "manifest.json", replacements={"data_root": str(corpus)}
    )
    spoken = data.filtered_sorted(
        key_test={"keyword": lambda keyword: keyword is not None},
        sort_key="duration",
    )
    spoken.set_output_keys(["id", "wav", "keyword", "phones"])
    assert len(spoken) == sum(i.startswith("keyword") for i in data.data_ids)
    first = spoken[0]
    assert first["wav"] == f"{corpus}/wav/{first['id']}.wav"
    assert first["phones"][0][2] == "SIL"
    assert len(data) == len(data.data_ids)


def test_this_package_loads_and_accepts_the_manifest(corpus):
    from speechbrain_mtl.data.check import check_manifest
    from speechbrain_mtl.data.manifest import load_manifest

    manifest = load_manifest(corpus / "manifest.json")
    assert check_manifest(manifest, workers=2) == []
