"""Speech and images through a schedule of phases: one function does it all."""

import functools
import json

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.data.audio import read_entry
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.pictures import Pictures
from speechbrain_mtl.training.brain import MultiTaskBrain
from speechbrain_mtl.training.captions import caption_loader
from speechbrain_mtl.training.ground import train_grounded, variant_named
from speechbrain_mtl.training.utterances import UtteranceBatchSampler
from tests.helpers.grounding import small_model
from tests.helpers.tones import harmonic_tone

pytest.importorskip("transformers")

KS = (1, 2)
PHONES = [[0.0, 0.1, "a"], [0.1, 0.2, "b"], [0.2, 0.3, "a"], [0.3, 0.4, "c"]]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Two captions an image, tones of 0.4 to 0.6 s: 8, 4 and 4 images."""
    folder = tmp_path_factory.mktemp("tones")
    made = {"train": {}, "valid": {}, "test": {}, "abx": {}}
    for number in range(16):
        part = "train" if number < 8 else "valid" if number < 12 else "test"
        for take in range(2):
            name = f"c{number}_{take}"
            seconds = 0.4 + 0.05 * ((number + 2 * take) % 5)
            random = np.random.default_rng([number, take])
            pitch = 100.0 + 40 * (number % 4)
            wave = harmonic_tone(random, pitch, round(16000 * seconds))
            soundfile.write(folder / f"{name}.wav", wave, 16000)
            made[part][name] = {
                "wav": str(folder / f"{name}.wav"),
                "duration": seconds,
                "image_id": f"i{number}",
            }
    # a b a and a b c, c b a: tokens of b between the same neighbours.
    for place, name in enumerate(list(made["train"])[:6]):
        labels = "abad" if place % 2 else "aeac"
        phones = [[s, e, x] for (s, e, _), x in zip(PHONES, labels)]
        entry = {**made["train"][name], "speaker": "s", "phones": phones}
        made["abx"][name] = entry
    return made


@pytest.fixture(scope="module")
def images():
    """Three regions of six features an image; no boxes."""
    generator = torch.Generator().manual_seed(1)
    return {
        f"i{n}": (torch.randn(3, 6, generator=generator), None)
        for n in range(16)
    }


def run(parts, images, folder, model=None, run_opts=None, **more):
    model = model or small_model()
    settings = {"epochs": 3, "variant": "(W2V2, VGS)", **more}
    return train_grounded(
        model.encoder,
        dict(model.tasks.items()),
        images,
        parts,
        folder,
        functools.partial(torch.optim.AdamW, lr=0.003, weight_decay=0.1),
        {"device": "cpu", "noprogressbar": True, **(run_opts or {})},
        **{
            "batch_seconds": 2.0,
            "ks": KS,
            "abx_every": 2,
            "log_every": 2,
            "grad_share_every": 3,
            "seed": 5,
            "progressbar": False,
            **settings,
        },
    )


def read_log(folder, split=None):
    lines = (folder / "train_log.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [e for e in entries if split in (None, e["split"])]


@pytest.fixture(scope="module")
def whole(parts, images, tmp_path_factory):
    """(W2V2, VGS) in one epoch and two, undisturbed."""
    folder = tmp_path_factory.mktemp("whole")
    model = small_model()
    before = {n: v.clone() for n, v in model.state_dict().items()}
    results = run(
        parts, images, folder, model, run_opts={"ckpt_interval_steps": 2}
    )
    return folder, results, before, model


class Killed(Exception):
    pass


@pytest.mark.parametrize("epoch, step", [(1, 1), (2, 3)])
def test_killed_and_resumed_equals_undisturbed(
    parts, images, whole, tmp_path, monkeypatch, epoch, step
):
    options = {"run_opts": {"ckpt_interval_steps": 2}}
    before = MultiTaskBrain.on_fit_batch_end

    def die(brain, *arguments):
        before(brain, *arguments)
        # Before the first checkpoint; and in the middle of an epoch, one
        # step behind one.
        if (brain.hparams.sampler.epoch, brain.step) == (epoch, step):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(MultiTaskBrain, "on_fit_batch_end", die)
        with pytest.raises(Killed):
            run(parts, images, tmp_path, **options)
    assert not (tmp_path / "encoder.ckpt").exists()
    resumed = run(parts, images, tmp_path, **options)
    folder, results, *_ = whole
    assert resumed == results
    assert read_log(tmp_path) == read_log(folder)
    for phase in (1, 2):
        path = f"phases/{phase}.ckpt"
        kept, other = torch.load(tmp_path / path), torch.load(folder / path)
        assert all(torch.equal(kept[n], other[n]) for n in kept)


def changed(before, after):
    return {n for n in before if not torch.equal(before[n], after[n])}


def test_a_switch_keeps_what_the_next_phase_does_not_train(whole):
    folder, _, begun, model = whole
    switched = torch.load(folder / "phases" / "1.ckpt")
    done = torch.load(folder / "phases" / "2.ckpt")
    assert not changed(done, model.state_dict())
    parameters = {name for name, _ in model.named_parameters()}
    early = changed(begun, switched) & parameters
    late = changed(switched, done) & parameters
    top = "encoder.network.encoder.layers.2."  # above grounding's layer
    alone = {n for n in parameters if n.startswith(("tasks.wav2vec2.", top))}
    seeing = {n for n in parameters if n.startswith("tasks.grounding.")}
    # wav2vec 2.0 first, and its own weights do not even decay afterwards.
    assert early & alone and not early & seeing
    assert late & seeing and not late & alone
    shared = parameters - alone - seeing
    assert len(early & shared) > 20 and len(late & shared) > 20
    encoder = torch.load(folder / "encoder.ckpt")
    assert not changed(encoder, model.encoder.state_dict())


def test_rates_begin_anew_and_weights_are_those_of_the_phase(whole):
    folder, results, *_ = whole
    assert results["ends"] == [1, 3]
    train = read_log(folder, "train")
    steps = [e["step"] for e in train if e["epoch"] == 1]
    assert len(steps) > 1
    weights = {
        e["epoch"]: {n: t["weight"] for n, t in e["tasks"].items()}
        for e in train
    }
    assert weights[1] == {"wav2vec2": 1.0}
    assert weights[2] == weights[3] == {"grounding": 1.0}
    rates = [e["lr"] for e in train]
    last_of_first = max(i for i, e in enumerate(train) if e["epoch"] == 1)
    assert rates[last_of_first] < rates[last_of_first + 1]


def test_every_validation_measures_both(whole):
    folder, results, *_ = whole
    valid = read_log(folder, "valid")
    assert [entry["epoch"] for entry in valid] == [1, 2, 3]
    for entry in valid:
        tasks = entry["tasks"]
        assert {"loss", "accuracy", "perplexity"} <= set(tasks["wav2vec2"])
        recalls = {
            f"{way}_R@{k}"
            for way in ("speech_to_image", "image_to_speech")
            for k in KS
        }
        assert recalls <= set(tasks["grounding"])
    # What is not trained does not change, but for what lies under it.
    first, second = results["curves"][1], results["curves"][3]
    assert first["grounding/loss"] != second["grounding/loss"]
    assert results["pools"] == {
        part: {"captions": 8, "images": 4} for part in ("valid", "test")
    }


def test_phones_are_looked_for_before_between_and_after(whole):
    folder, results, *_ = whole
    abx = read_log(folder, "abx")
    # Untrained; at the switch; every second epoch; at the end.
    assert [entry["epoch"] for entry in abx] == [0, 1, 2, 3]
    assert abx[0]["within"]["cells"] > 0
    assert all(len(entry["within"]["errors"]) == 4 for entry in abx)
    for entry in abx:
        best = min(entry["within"]["errors"][1:])
        curves = results["curves"][entry["epoch"]]
        assert curves["wav2vec2/abx_within"] == best


def test_recall_is_that_of_a_slow_oracle(whole, parts, images):
    """Each caption alone, unpadded; ranks are counted one by one."""
    _, results, _, model = whole
    model.eval()
    task, test = model.tasks["grounding"], parts["test"]
    seen = {
        name: task.image(images[name][0][None])[0]
        for name in {e["image_id"] for e in test.values()}
    }
    right = dict.fromkeys(KS, 0)
    for name, entry in test.items():
        wav = read_entry(name, entry)[None]
        encoded = model.encoder(wav, torch.ones(1), hide=False)
        speech = task.embed_speech(encoded)[0]
        scores = {n: (speech @ vector).item() for n, vector in seen.items()}
        own = scores[entry["image_id"]]
        rank = 1 + sum(score > own for score in scores.values())
        for k in KS:
            right[k] += rank <= k
    found = results["test"]["speech_to_image"]
    assert found["pool"] == 4 and found["queries"] == 8
    assert found["chance"] == {1: 0.25, 2: 0.5}
    assert found["recall"] == {k: n / len(test) for k, n in right.items()}


def test_forgetting_is_what_the_log_says(whole):
    folder, results, *_ = whole
    rows = {row["measure"]: row for row in results["forgetting"]}
    assert {row["task"] for row in rows.values()} == {"wav2vec2"}
    losses = [e["tasks"]["wav2vec2"] for e in read_log(folder, "valid")]
    after = [found["loss"] - losses[0]["loss"] for found in losses[1:]]
    assert rows["loss"]["lost"] == pytest.approx(after[-1])
    assert rows["loss"]["most_lost"] == pytest.approx(max(0, *after))
    hits = [found["accuracy"] for found in losses]
    assert rows["accuracy"]["lost"] == pytest.approx(hits[0] - hits[-1])
    abx = [min(e["within"]["errors"][1:]) for e in read_log(folder, "abx")]
    assert rows["abx_within"]["lost"] == pytest.approx(abx[3] - abx[1])


def test_stages_of_ones_own_take_the_place_of_a_variant(
    parts, images, tmp_path
):
    stages = [{"epochs": 1, "alpha": 0.25}]
    few = {part: parts[part] for part in ("train", "valid")}
    results = run(few, images, tmp_path, variant=None, stages=stages)
    assert results["ends"] == [1] and "test" not in results
    assert results["forgetting"] == [] and results["abx"] == {}
    [valid] = read_log(tmp_path, "valid")
    tasks = valid["tasks"]
    total = 0.75 * tasks["wav2vec2"]["loss"] + 0.25 * tasks["grounding"]["loss"]
    assert valid["loss"] == pytest.approx(total, rel=1e-5)


def test_a_batch_reads_each_image_once(parts, images):
    asked = []

    class Counted(dict):
        def __getitem__(self, name):
            asked.append(name)
            return super().__getitem__(name)

    entries = parts["train"]
    seconds = [entry["duration"] for entry in entries.values()]
    sampler = UtteranceBatchSampler(seconds, 100.0, ratio=9.0)
    [batch] = caption_loader(entries, Counted(images), sampler)
    assert len(batch) == 16 and sorted(asked) == sorted(set(batch.image_id))
    for row, name in enumerate(batch.image_id):
        assert torch.equal(batch.image.data[row], images[name][0])
        assert entries[batch.id[row]]["image_id"] == name


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda p, i: i.pop("i9"), "c9_0|c9_1"),
        (lambda p, i: p["train"]["c0_0"].pop("image_id"), "c0_0: no image_id"),
        (
            lambda p, i: p["valid"]["c8_0"].update(image_id="i0"),
            "c8_0: image i0 is in train and in valid",
        ),
        (
            lambda p, i: [p["valid"].pop(f"c{n}_{t}") for n in (8, 9)
                          for t in (0, 1)],
            "valid: 4 captions of 2 images; recall at 2 needs more than 2",
        ),
        (lambda p, i: p["valid"].clear(), "no captions to valid"),
        (
            lambda p, i: p["abx"]["c0_0"].pop("speaker"),
            "c0_0: has phones but no speaker",
        ),
    ],
)  # fmt: skip
def test_bad_data_is_named_before_training(
    parts, images, tmp_path, spoil, message
):
    parts = {
        part: {n: dict(e) for n, e in entries.items()}
        for part, entries in parts.items()
    }
    images = dict(images)
    spoil(parts, images)
    with pytest.raises(ManifestError, match=message):
        run(parts, images, tmp_path)
    assert not (tmp_path / "phases").exists()


def test_features_of_another_size_are_refused(parts, tmp_path):
    pytest.importorskip("h5py")
    from speechbrain_mtl.data.image_features import (
        ImageFeatures,
        store_features,
    )

    path = tmp_path / "features.h5"
    store_features(
        path,
        [f"i{n}" for n in range(16)],
        lambda ids: (np.ones((len(ids), 3, 7)), np.zeros((3, 4))),
        {"source": "ones"},
    )
    with pytest.raises(ManifestError, match="7 values a region, the model.* 6"):
        run(parts, ImageFeatures(path), tmp_path / "run")


def test_a_missing_picture_is_named_with_its_file(parts, tmp_path):
    files = {f"i{n}": tmp_path / f"{n}.png" for n in range(16)}
    with pytest.raises(ManifestError, match=r"\d+.png: no such image"):
        run(parts, Pictures(files, 16), tmp_path, small_model(pixels=True))
    with pytest.raises(ManifestError, match="8 pixels, the image.* takes 16"):
        run(parts, Pictures(files, 8), tmp_path, small_model(pixels=True))


@pytest.mark.parametrize(
    "given", [{"stages": [{"epochs": 1, "alpha": 0}]}, {"variant": None}]
)
def test_a_variant_or_stages(parts, images, tmp_path, given):
    with pytest.raises(ValueError, match="one of the two"):
        run(parts, images, tmp_path, **given)


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="'VGS-' is none of"):
        variant_named("VGS-")
