import math

import numpy as np
import pytest
import soundfile

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.data.check import check_manifest, require_clean
from speechbrain_mtl.data.manifest import (
    ManifestError,
    load_manifest,
    save_manifest,
)

RATE = 16000


def noise(seconds=1.0, channels=1, level=0.1):
    shape = (round(seconds * RATE), channels)
    return np.random.default_rng(0).uniform(-level, level, shape)


@pytest.fixture
def record(tmp_path):
    """Write a recording and give the entry that describes it."""

    def write(wav, name="a.wav", rate=RATE, subtype="FLOAT", **fields):
        path = tmp_path / name
        subtype = None if name.endswith("flac") else subtype
        soundfile.write(path, wav, rate, subtype=subtype)
        return {"wav": str(path), "duration": len(wav) / rate} | fields

    return write


def only_problem(entry, **options):
    problems = check_manifest({"u7": entry}, **options)
    assert len(problems) == 1, problems
    assert problems[0].id == "u7"
    return problems[0]


def test_clean_entry_has_no_problem(record):
    entry = record(noise(), words=[[0.0, 0.4, "so"], [0.4, 1.005, ""]])
    assert check_manifest({"u7": entry}) == []
    require_clean({"u7": entry})


@pytest.mark.parametrize("quick", [True, False])
def test_missing_file(record, quick):
    entry = {"wav": "/none/gone.wav", "duration": 1.0}
    assert str(only_problem(entry, quick=quick)) == (
        "u7: no such file: /none/gone.wav. Check data_root, or copy the file "
        "again."
    )


def test_empty_file(tmp_path):
    (tmp_path / "a.wav").touch()
    entry = {"wav": str(tmp_path / "a.wav"), "duration": 1.0}
    problem = only_problem(entry, quick=True)
    assert problem.what == f"empty file: {tmp_path}/a.wav"
    assert problem.remedy == "Copy the file again."


def test_file_that_is_no_audio(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"<html>" * 50)
    entry = {"wav": str(tmp_path / "a.wav"), "duration": 1.0}
    problem = only_problem(entry, quick=True)
    assert problem.what.startswith("not readable as audio")
    assert ".." not in str(problem)
    assert "convert it to WAV or FLAC" in problem.remedy


def test_flac_cut_short_is_found_only_by_reading_samples(record, tmp_path):
    entry = record(noise(4), "a.flac")
    content = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(content[: len(content) // 2])
    assert check_manifest({"u7": entry}, quick=True) == []
    assert only_problem(entry).what.startswith("not readable as audio")


def test_wav_cut_short_disagrees_with_its_duration(record, tmp_path):
    entry = record(noise())
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[: len(content) // 2])
    problem = only_problem(entry, quick=True)
    assert problem.field == "duration"
    assert "duration says 1 s, the file holds 0.49" in problem.what
    assert "Copy the file again if it was cut short" in problem.remedy


@pytest.mark.parametrize("off", [-0.011, 0.011])
def test_duration_off_by_more_than_ten_milliseconds(record, off):
    entry = record(noise())
    assert only_problem(entry | {"duration": 1 + off}).field == "duration"
    assert not check_manifest({"u7": entry | {"duration": 1 + off / 1.2}})


def test_file_without_samples(record):
    problem = only_problem(record(noise(0)) | {"duration": 1.0})
    assert problem.what.startswith("no samples in")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_samples_that_are_no_numbers(record, value):
    wav = noise()
    wav[123] = value
    entry = record(wav)
    assert check_manifest({"u7": entry}, quick=True) == []
    problem = only_problem(entry)
    assert problem.what.startswith("NaN or infinite samples")
    assert problem.remedy == "Write the file again from its source."


@pytest.mark.parametrize(
    ("wav", "peak"),
    [
        (np.zeros(RATE), "-inf dB"),
        (np.full(RATE, 0.3), "-inf dB"),  # only a constant offset
        (np.tile([9e-5, -9e-5], RATE // 2), "-81 dB"),
    ],
)
def test_silent_recording(record, wav, peak):
    problem = only_problem(record(wav, subtype="DOUBLE"))
    assert problem.what.startswith(f"silent (peak {peak}")
    assert "Leave the entry out" in problem.remedy


def test_quiet_recording_is_not_silent(record):
    entry = record(np.tile([1.1e-4, -1.1e-4], RATE // 2))
    assert check_manifest({"u7": entry}) == []
    assert only_problem(entry, silence_db=-60.0).what.startswith("silent")


def test_recording_shorter_than_a_window(record):
    problem = only_problem(record(noise(0.05)))
    assert problem.what == "0.050 s long, less than the 0.06 s of a window"
    assert problem.remedy == "Leave the entry out."
    assert not check_manifest({"u": record(noise(0.05))}, min_duration=0.05)


@pytest.mark.parametrize("quick", [True, False])
def test_stereo_and_other_rates_are_notes_that_stop_nobody(record, quick):
    wav = noise(channels=2)
    entry = record(wav, rate=8000)
    problems = check_manifest({"u7": entry}, quick=quick)
    assert [str(problem) for problem in problems] == [
        "u7: 2 channels. They will be averaged.",
        "u7: 8000 Hz. It will be resampled to 16000 Hz.",
    ]
    assert all(problem.note for problem in problems)
    require_clean({"u7": entry})


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ([0.5, 0.5, "so"], "'so' 0.5-0.5 s"),
        ([0.6, 0.5, "so"], "'so' 0.6-0.5 s"),
        ([-0.1, 0.5, "so"], "'so' -0.1-0.5 s"),
        ([0.5, 1.02, "so"], "'so' 0.5-1.02 s"),
    ],
)
@pytest.mark.parametrize("field", ["words", "phones"])
def test_segment_outside_the_audio_or_without_length(
    record, field, segment, text
):
    entry = record(noise(), **{field: [[0.0, 0.2, "a"], segment]})
    problem = only_problem(entry, quick=True)
    assert problem.field == field
    assert problem.what == f"{field} {text} in 1.000 s of audio"
    assert problem.remedy.startswith("Correct the times")


def test_many_wrong_segments_of_an_entry_are_one_problem(record):
    entry = record(noise(), words=[[9.0, 10.0, str(i)] for i in range(5)])
    assert "and 2 more in 1.000 s" in only_problem(entry).what


@pytest.mark.parametrize("value", [None, "", []])
def test_label_that_is_missing(record, value):
    for entry in (record(noise()), record(noise(), digit=value)):
        problem = only_problem(entry, labels={"digit": None})
        assert problem.field == "digit"
        assert problem.what == "no digit"
        assert problem.remedy.startswith("Add the label")


def test_label_that_is_unknown(record):
    entry = record(noise(), digit="elf")
    assert not check_manifest({"u7": entry}, labels={"digit": None})
    problem = only_problem(entry, labels={"digit": ["one", "two"]})
    assert problem.what == "digit is 'elf', not a known label"
    assert problem.remedy.startswith("Correct the label")


def test_zero_is_a_label(record):
    entry = record(noise(), digit=0)
    assert not check_manifest({"u7": entry}, labels={"digit": [0, 1]})


def test_labels_of_segments_count_one_by_one(record):
    entry = record(noise(), words=[[0, 0.5, "so"], [0.5, 1, "la"]])
    assert not check_manifest({"u": entry}, labels={"words": {"so", "la"}})
    problem = only_problem(entry, labels={"words": {"so"}})
    assert problem.what == "words is 'la', not a known label"


def test_all_problems_come_at_once_in_order(record):
    manifest = {
        f"u{i:03}": {"wav": f"/none/{i}.wav", "duration": 1.0}
        for i in range(100)
    }
    manifest["u050"] = record(np.zeros(320))
    problems = check_manifest(manifest, labels={"digit": None}, workers=3)
    assert [p.id for p in problems] == sorted(p.id for p in problems)
    assert len(problems) == 99 * 2 + 3
    with pytest.raises(ManifestError) as raised:
        require_clean(manifest, "train.json", labels={"digit": None})
    lines = str(raised.value).splitlines()
    assert lines[0] == "train.json: 201 problem(s)"
    assert len(lines) == 22
    assert lines[-1].strip() == "... and 181 more"


@pytest.mark.parametrize(
    ("name", "count", "notes"),
    [
        ("fsdd", 1200, {"8000 Hz"}),
        ("speech_commands_mini30", 300, set()),
        ("ljspeech_aligned", 35, {"22050 Hz"}),
    ],
)
def test_real_sets_are_clean(shared_data, name, count, notes):
    manifest = load_manifest(shared_data(name) / "manifest.json")
    assert len(manifest) == count
    # A field that none has shows that every entry was looked at.
    problems = check_manifest(manifest, labels={"absent": None})
    looked_at = [p.id for p in problems if p.what == "no absent"]
    assert looked_at == list(manifest)
    others = [p for p in problems if p.what != "no absent"]
    assert [p for p in others if not p.note] == []
    assert {p.what for p in others} == notes
    assert len(others) == count * len(notes)
    require_clean(manifest)


@pytest.fixture
def manifest_file(record, tmp_path):
    entries = {
        "good": record(noise(), "good.wav", digit="one"),
        "mute": record(np.zeros(RATE), "mute.wav", 8000, digit=7),
    }
    entries = {
        key: entry | {"wav": f"{{data_root}}/{key}.wav"}
        for key, entry in entries.items()
    }
    return save_manifest(tmp_path / "sub" / "m.json", entries)


def test_command_prints_a_table_and_fails(manifest_file, tmp_path, capsys):
    words = ["check", str(manifest_file), "--data-root", str(tmp_path)]
    assert main([*words, "--label", "digit=one", "speaker"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "problem", "remedy"]
    assert lines[1].split("  ")[0] == "good"
    column = lines[0].index("remedy")
    assert all(line[column - 1] == " " for line in lines[:5])
    assert lines[-2] == (
        "note: 8000 Hz in 1 of 2 entries. It will be resampled to 16000 Hz."
    )
    assert lines[-1] == (
        "2 entries, 0.00 h, headers and samples read: 4 problem(s) in 2 entries."
    )


def test_command_with_quick_reads_no_samples(manifest_file, tmp_path, capsys):
    words = ["check", str(manifest_file), "--data-root", str(tmp_path)]
    assert main([*words, "--quick", "--label", "digit=one,7", "wav"]) == 0
    assert "headers read: 0 problem(s)" in capsys.readouterr().out


def test_command_without_data_root_looks_beside_the_manifest(
    manifest_file, capsys
):
    assert main(["check", str(manifest_file)]) == 1
    assert f"{manifest_file.parent}/good.wav" in capsys.readouterr().out


def test_command_reports_a_broken_manifest_on_stderr(tmp_path, capsys):
    (tmp_path / "m.json").write_text("{")
    assert main(["check", str(tmp_path / "m.json")]) == 1
    assert "not JSON" in capsys.readouterr().err
