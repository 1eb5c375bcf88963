"""Same settings, same bytes: whoever works, whatever interrupts."""

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

pytest.importorskip("espeakng_loader")

import speechbrain_mtl
from speechbrain_mtl.data.synthetic import (
    CorpusError,
    generate,
    shards,
    utterance,
)
from speechbrain_mtl.data.synthetic.corpus import VERSION
from speechbrain_mtl.data.synthetic.scenes import png, render

# also those of the session's corpus
SETTINGS = {"minutes": 1.4, "speakers": 4, "seed": 3}
ROOT = Path(speechbrain_mtl.__file__).parents[1]


def run_command(out, script, *words, **environment):
    """Run the command line in a process of its own, prepared by a script."""
    arguments = [f"--{k}={v}" for k, v in SETTINGS.items()]
    script += (
        "\nimport sys\nfrom speechbrain_mtl.__main__ import main"
        "\nsys.exit(main(sys.argv[1:]))"
    )
    # what a killed process leaves behind goes with the test's folder
    temporary = {"TMPDIR": str(out.parent)}
    return subprocess.run(
        [sys.executable, "-c", script, "synth", out, *arguments, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)} | temporary | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_two_processes_and_another_hash_seed_make_the_same_bytes(
    corpus, fingerprint, tmp_path
):
    """One worker made the session's corpus, two make this one."""
    out = tmp_path / "corpus"
    small = (
        "from speechbrain_mtl.data.synthetic import shards\nshards.SHARD = 16"
    )
    done = run_command(out, small, "--workers=2", PYTHONHASHSEED="123")
    assert done.returncode == 0, done.stderr
    assert fingerprint(out) == fingerprint(corpus)
    found = json.loads((out / "corpus.json").read_text())
    assert found["digest"] in done.stdout


KILL_IN_THE_THIRD_SHARD = """
import os, signal
from speechbrain_mtl.data.synthetic import shards
shards.SHARD = 4
original = shards.record
def record(item, seed, out):
    entry = original(item, seed, out)
    if item.name == "emotion_000001":
        os.kill(os.getpid(), signal.SIGKILL)
    return entry
shards.record = record
"""


def test_a_killed_run_is_continued_to_the_same_bytes(
    corpus, fingerprint, tmp_path, monkeypatch
):
    out = tmp_path / "corpus"
    done = run_command(out, KILL_IN_THE_THIRD_SHARD, "--workers=1")
    assert done.returncode == -signal.SIGKILL
    assert (out / "wav" / "emotion_000001.wav").exists()
    assert not (out / "manifest.json").exists()
    kept = (out / "wav" / "read_000000.wav").stat().st_mtime_ns

    monkeypatch.setattr(shards, "SHARD", 4)
    summary = generate(out, progress=False, **SETTINGS)
    assert summary.made == sum(summary.items.values()) - 8
    assert (out / "wav" / "read_000000.wav").stat().st_mtime_ns == kept
    assert fingerprint(out) == fingerprint(corpus)


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """A corpus whose making failed after two shards of four items."""
    made = []
    original = shards.make_shard

    def fail_at_the_third(plan, out, part):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(part)
        original(plan, out, part)

    monkeypatch.setattr(shards, "SHARD", 4)
    with monkeypatch.context() as patch:
        patch.setattr(shards, "make_shard", fail_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            generate(tmp_path / "corpus", progress=False, **SETTINGS)
    return tmp_path / "corpus"


def damage_nothing(out):
    return 2


def damage_remove_a_recording(out):
    (out / "wav" / "read_000001.wav").unlink()
    return 1


def damage_cut_a_recording(out):
    path = out / "wav" / "read_000005.wav"
    path.write_bytes(path.read_bytes()[:-2])
    return 1


def damage_cut_a_shard(out):
    path = out / ".unfinished" / "00000004.jsonl"
    path.write_text(path.read_text()[:-9])
    return 1


def damage_drop_an_entry(out):
    path = out / ".unfinished" / "00000000.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n")
    return 1


@pytest.mark.parametrize(
    "damage",
    [
        damage_nothing,
        damage_remove_a_recording,
        damage_cut_a_recording,
        damage_cut_a_shard,
        damage_drop_an_entry,
    ],
)
def test_only_whole_shards_are_kept(damage, interrupted, corpus, fingerprint):
    whole = damage(interrupted)
    summary = generate(interrupted, progress=False, **SETTINGS)
    assert summary.made == sum(summary.items.values()) - 4 * whole
    assert fingerprint(interrupted) == fingerprint(corpus)


def test_an_unfinished_corpus_has_neither_manifest_nor_certificate(
    interrupted,
):
    assert {path.name for path in interrupted.iterdir()} == {
        ".unfinished",
        "wav",
    }


def test_an_unfinished_corpus_refuses_other_settings(interrupted):
    before = sorted(interrupted.rglob("*"))
    with pytest.raises(CorpusError, match="seed = 3, not 4.*another folder"):
        generate(interrupted, progress=False, **SETTINGS | {"seed": 4})
    assert sorted(interrupted.rglob("*")) == before


def test_an_unfinished_corpus_refuses_other_libraries(interrupted):
    path = interrupted / ".unfinished" / "settings.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"numpy": "1.0"}))
    with pytest.raises(CorpusError, match=r"numpy = 1\.0, not"):
        generate(interrupted, progress=False, **SETTINGS)


@pytest.mark.parametrize(
    "name, value", [("minutes", 2.5), ("speakers", 5), ("seed", 0)]
)
def test_a_finished_corpus_refuses_other_settings(
    corpus, fingerprint, name, value
):
    before = fingerprint(corpus)
    with pytest.raises(
        CorpusError,
        match=rf"{name} = {SETTINGS[name]}, not {value}.*another folder",
    ):
        generate(corpus, progress=False, **SETTINGS | {name: value})
    assert fingerprint(corpus) == before


def test_mixtures_are_a_setting_that_changes_no_other_recording(
    corpus, entries, tmp_path
):
    with pytest.raises(CorpusError, match="mixtures = None, not 3"):
        generate(corpus, progress=False, **SETTINGS, mixtures=3)
    out = tmp_path / "mixed"
    summary = generate(out, progress=False, **SETTINGS, mixtures=3)
    assert summary.items["mixture"] == 3
    found = json.loads((out / "manifest.json").read_text())
    assert {name: found[name] for name in entries} == entries
    with pytest.raises(CorpusError, match="mixtures = 3, not None"):
        generate(out, progress=False, **SETTINGS)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The session's corpus with three scenes."""
    out = tmp_path_factory.mktemp("scenes") / "corpus"
    summary = generate(out, progress=False, **SETTINGS, scenes=3)
    assert summary.items["scene"] == 15
    return out


def test_scenes_are_a_setting_that_changes_no_other_recording(
    shown, corpus, entries
):
    with pytest.raises(CorpusError, match="scenes = None, not 3"):
        generate(corpus, progress=False, **SETTINGS, scenes=3)
    found = json.loads((shown / "manifest.json").read_text())
    for name, entry in entries.items():
        image = name if entry["kind"] == "caption" else None
        assert found[name] == entry | {"image_id": image}
    items = (corpus / "triphone.item").read_bytes()
    assert (shown / "triphone.item").read_bytes() == items
    assert len({tuple(entry) for entry in found.values()}) == 1


def test_scenes_have_their_picture_words_and_phones(shown):
    found = json.loads((shown / "manifest.json").read_text())
    scenes = [entry for entry in found.values() if entry["kind"] == "scene"]
    pictures = {}
    for entry in scenes:
        assert entry["text"].split() == [w[2] for w in entry["words"]]
        assert entry["phones"][-1][1] == entry["duration"]
        path = Path(entry["image"].format(data_root=shown))
        pictures.setdefault(entry["image_id"], set()).add(path)
        assert path.read_bytes() == png(render(entry["scene"]))
    assert [len(paths) for paths in pictures.values()] == [1, 1, 1]
    assert len({entry["text"] for entry in scenes}) == 15


KILL_IN_THE_SECOND_SCENE = KILL_IN_THE_THIRD_SHARD.replace(
    "emotion_000001", "scene_000001_3"
)


def test_scenes_survive_a_kill_and_a_second_process(
    shown, fingerprint, tmp_path
):
    out = tmp_path / "corpus"
    words = ["--scenes=3", "--workers=1"]
    done = run_command(out, KILL_IN_THE_SECOND_SCENE, *words)
    assert done.returncode == -signal.SIGKILL
    assert (out / "img" / "scene" / "000" / "scene_000001.png").exists()
    small = (
        "from speechbrain_mtl.data.synthetic import shards\nshards.SHARD = 4"
    )
    done = run_command(out, small, "--scenes=3", "--workers=2")
    assert done.returncode == 0, done.stderr
    assert fingerprint(out) == fingerprint(shown)


def test_a_finished_corpus_is_left_alone(corpus, fingerprint, monkeypatch):
    monkeypatch.setattr(shards, "make_shard", None)
    before = fingerprint(corpus)
    summary = generate(corpus, progress=False, **SETTINGS)
    assert summary.made == 0
    assert fingerprint(corpus) == before


def test_a_foreign_manifest_is_never_overwritten(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CorpusError, match="would be overwritten"):
        generate(tmp_path, progress=False, **SETTINGS)
    assert (tmp_path / "manifest.json").read_text() == "{}"
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_another_seed_has_another_digest(corpus, tmp_path):
    settings = SETTINGS | {"minutes": 0.1}
    digests = {
        generate(tmp_path / str(seed), progress=False, **settings).digest
        for seed in (3, 4)
        if not settings.update(seed=seed)
    }
    assert len(digests) == 2


def test_the_digest_is_that_of_the_recordings(corpus, entries):
    digest = hashlib.sha256()
    for entry in entries.values():
        path = Path(entry["wav"].format(data_root=corpus))
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        assert found == entry["sha256"]
        digest.update(found.encode())
    certificate = json.loads((corpus / "corpus.json").read_text())
    assert certificate["digest"] == digest.hexdigest()


def test_the_certificate_counts_what_is_there(corpus, entries):
    found = json.loads((corpus / "corpus.json").read_text())
    assert found["settings"] == {"version": 1, **SETTINGS}
    assert sum(found["items"].values()) == len(entries)
    seconds = sum(entry["duration"] for entry in entries.values())
    assert found["hours"] == pytest.approx(seconds / 3600, abs=1e-6)
    assert sum(found["minutes"].values()) == pytest.approx(
        seconds / 60, abs=1e-3
    )
    assert set(found["made_with"]) >= {"espeakng-loader", "numpy", "scipy"}
    for entry in entries.values():
        if entry["speaker"]:
            speaker = found["speakers"][entry["speaker"]]
            assert speaker["split"] == entry["split"]
            assert speaker["gender"] == entry["gender"]


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="other compilers round differently",
)
def test_labels_change_only_together_with_the_version(entries):
    """When this fails on purpose, raise VERSION and renew the hash."""
    labels = [
        {k: v for k, v in entry.items() if k != "sha256"}
        for entry in entries.values()
    ]
    found = hashlib.sha256(json.dumps(labels).encode()).hexdigest()
    assert (VERSION, found[:16]) == (1, "33fbf2e76b1a2ab0")


def test_nothing_is_left_but_the_corpus(corpus, entries):
    expected = {"manifest.json", "corpus.json", "triphone.item"}
    for entry in entries.values():
        for field in ("wav", "image", "rttm"):
            if entry[field]:
                expected.add(entry[field].removeprefix("{data_root}/"))
    found = {
        str(path.relative_to(corpus))
        for path in corpus.rglob("*")
        if path.is_file()
    }
    assert found == expected


class Deadly:
    """Ends the process that receives it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_process_that_dies_is_reported_with_the_remedy(tmp_path):
    parts = [range(1), range(1, 2)]
    with pytest.raises(ChildProcessError, match="run the same command again"):
        list(shards.make_shards(Deadly(), tmp_path, parts, workers=2))


def test_a_system_that_keeps_the_library_loaded_is_warned_of(
    tmp_path, monkeypatch
):
    settings = SETTINGS | {"minutes": 0.1}
    monkeypatch.setattr(utterance.engine(), "forgets", lambda: True)
    with warnings.catch_warnings(record=True) as unwarned:
        warnings.simplefilter("always")
        usual = generate(tmp_path / "usual", progress=False, **settings)
    monkeypatch.setattr(utterance.engine(), "forgets", lambda: False)
    with pytest.warns(UserWarning, match="same seed will not give") as said:
        warned = generate(tmp_path / "warned", progress=False, **settings)
    assert [str(w.message).startswith("eSpeak NG") for w in said] == [True]
    assert not [w for w in unwarned if "eSpeak NG" in str(w.message)]
    # A warning stops nobody: the corpus is there, and as whole.
    assert warned.made == usual.made == sum(usual.items.values()) > 0
    assert warned.manifest.is_file()


def test_workers_below_one_are_refused(tmp_path):
    with pytest.raises(ValueError, match="workers is 0"):
        generate(tmp_path / "corpus", workers=0)
    assert not (tmp_path / "corpus").exists()
