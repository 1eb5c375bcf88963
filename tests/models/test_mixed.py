"""A mix that all tasks share: as each task's own of the same weights."""

import copy
import functools
import json

import pytest
import torch

from speechbrain_mtl.inference import (
    MTLEncoder,
    export_huggingface,
    write_inference,
)
from speechbrain_mtl.models import CRDNN, SharedMix, Wav2Vec2Encoder
from speechbrain_mtl.tasks import (
    Inputs,
    UtteranceClassification,
    Wav2Vec2Task,
)
from speechbrain_mtl.training import finetune
from speechbrain_mtl.training.joint_training import train_jointly
from speechbrain_mtl.training.model import MultiTaskModel
from speechbrain_mtl.training.pretrain import save_encoder
from tests.helpers.batches import noises
from tests.helpers.encoders import small_crdnn
from tests.recipes.miniature import write_tones

SIZES = {
    "hidden_size": 16, "layers": 2, "heads": 2, "feedforward_size": 32,
    "conv_channels": 8, "position_kernel": 8, "position_groups": 2,
}  # fmt: skip
LOGITS = torch.tensor([0.3, -0.5, 1.0])


def transformer(**settings):
    pytest.importorskip("transformers")
    torch.manual_seed(0)
    return SharedMix(Wav2Vec2Encoder(**SIZES, dropout=0.0, **settings))


def heads(*layers):
    """One head a layer, all of the same weights."""
    tasks = {}
    for number, layer in enumerate(layers):
        torch.manual_seed(1)
        task = UtteranceClassification("word", layer=layer)
        task.prepare((16,) * 3, {"a": {"word": "a"}, "b": {"word": "b"}})
        tasks[f"task{number}"] = task
    return tasks


def losses_of(model):
    wavs, lens, _ = noises(6400, 4000)
    target = type("Padded", (), {"data": torch.tensor([[0], [1]])})()
    batch = type("Batch", (), {f"target_{n}": target for n in model.tasks})()
    return model(wavs, lens, list(model.tasks), batch)[0]


def test_equals_a_mix_of_each_task_with_these_weights():
    shared = transformer(mask_prob=0.0)
    with torch.no_grad():
        shared.mix.logits.copy_(LOGITS)
    own = heads("mix", "mix")
    with torch.no_grad():
        for task in own.values():
            task.reader.mix.logits.copy_(LOGITS)
    expected = losses_of(MultiTaskModel(shared.encoder, own).eval())
    found = losses_of(MultiTaskModel(shared, heads(-1, -1)).eval())
    for name, loss in expected.items():
        torch.testing.assert_close(found[name], loss)


def test_one_set_of_weights_that_every_task_trains():
    shared = transformer(mask_prob=0.0)
    model = MultiTaskModel(shared, heads(-1, -1))
    found = [n for n in model.state_dict() if n.endswith("mix.logits")]
    assert found == ["encoder.mix.logits"]
    losses = losses_of(model)
    rows = [
        torch.autograd.grad(loss, shared.mix.logits, retain_graph=True)[0]
        for loss in losses.values()
    ]
    assert all(row.abs().max() > 1e-6 for row in rows)
    sum(losses.values()).backward()
    torch.testing.assert_close(shared.mix.logits.grad, sum(rows))
    assert all(p.grad is not None for p in model.tasks.parameters())


def test_what_the_encoder_inside_gives_passes_through():
    shared = transformer(mask_prob=0.65, mask_span=3, cls_token=True).train()
    wavs, lens, _ = noises(6400, 4000)
    torch.manual_seed(2)
    found = shared(wavs, lens, hide=True)
    torch.manual_seed(2)
    expected = shared.encoder(wavs, lens, hide=True)
    assert torch.equal(found.hidden, expected.hidden)
    assert torch.equal(found.latents, expected.latents)
    for layer, other in zip(found.layers[:-1], expected.layers):
        assert torch.equal(layer, other)
    weights = shared.mix.logits.softmax(0)
    for states, inner in (
        (found.layers, expected.layers),
        (found.cls_states, expected.cls_states),
    ):
        mixed = sum(w * state for w, state in zip(weights, inner))
        torch.testing.assert_close(states[-1], mixed)
        assert len(states) == 4 == len(shared.dims)
    assert (found.hop, found.offset) == (shared.hop, shared.offset)
    assert shared(wavs, lens, hide=False).hidden is None
    # Wav2vec 2.0 trains through it, on the mix or on the layer below.
    for layer in (-1, -2):
        task = Wav2Vec2Task(16, 8, codes=8, code_size=8, layer=layer)
        loss = task(shared(wavs, lens, hide=True), Inputs(wavs, lens))
        reached = torch.autograd.grad(
            loss, shared.mix.logits, allow_unused=True
        )[0]
        assert (reached is not None) == (layer == -1)


def test_layers_nobody_reads_are_not_run():
    shared = transformer().eval()
    wavs, lens, _ = noises(6400)
    whole = shared(wavs, lens)
    lower = shared(wavs, lens, depth=1)
    assert len(lower.layers) == 2
    torch.testing.assert_close(lower.layers[1], whole.layers[1])
    assert len(shared(wavs, lens, depth=3).layers) == 4


def test_padding_changes_no_frame_of_the_mix():
    shared = transformer().eval()
    wavs, lens, sizes = noises(6400, 4000)
    both = shared(wavs, lens)
    alone = shared(wavs[1:, : sizes[1]], torch.ones(1))
    mixed = both.layers[-1][1]
    torch.testing.assert_close(
        mixed[: alone.lens[0]], alone.layers[-1][0], rtol=1e-4, atol=1e-5
    )
    assert not mixed[alone.lens[0] :].any()


def test_statistics_of_the_encoder_inside_are_collected():
    sizes = {"projection": 8, "rnn_size": 4, "dnn_size": 8}
    shared = SharedMix(small_crdnn(**sizes))
    wavs, lens, _ = noises(6400, 4000)
    shared.calibrate(wavs, lens)
    assert shared.eval()(wavs, lens).layers[-1].shape[-1] == 8
    assert not shared.can_hide and not shared.can_stop


def test_layers_of_unlike_width_are_refused():
    with pytest.raises(ValueError, match=r"widths \[16, 16, 12\].*CRDNN"):
        SharedMix(small_crdnn(dnn_size=12))


def words(folder=None):
    """Train, valid and test parts: of recordings, or of none."""
    names = [f"{pitch}_{take}" for pitch in "ab" for take in range(6)]
    paths = dict.fromkeys(names, "none.wav")
    if folder is not None:
        paths = write_tones(folder, names)
    entries = {
        name: {"wav": str(path), "duration": 0.4, "word": name[0]}
        for name, path in paths.items()
    }
    return dict.fromkeys(("train", "valid", "test"), entries)


def trained_by(how, encoder, parts, folder, **settings):
    """Train one task by either function."""
    word = {"word": UtteranceClassification("word", layer=-1)}
    return how(
        encoder,
        word,
        parts if how is finetune else {"word": parts},
        folder,
        functools.partial(torch.optim.AdamW, lr=0.05),
        {"device": "cpu", "noprogressbar": True},
        epochs=2,
        batch_seconds=2.0,
        progressbar=False,
        **settings,
    )


def calibrated(encoder):
    """One that has seen audio."""
    encoder.calibrate(torch.randn(2, 16000), torch.ones(2))
    return encoder


NARROW = {"projection": 8, "rnn_size": 4, "dnn_size": 8}
BOTH = pytest.mark.parametrize("how", [train_jointly, finetune])


@BOTH
@pytest.mark.parametrize("still", [{"frozen": True}, {"frozen_epochs": 2}])
def test_a_mix_that_would_never_learn_is_refused(how, still, tmp_path):
    shared = SharedMix(small_crdnn(**NARROW))
    settings = {"frozen": False, **still}
    with pytest.raises(ValueError, match=r"frozen_modules: \[encoder.encoder"):
        trained_by(how, shared, words(), tmp_path, **settings)


@BOTH
def test_a_mix_is_trained_above_frozen_layers(how, tmp_path):
    shared = SharedMix(calibrated(small_crdnn(**NARROW)))
    before = {n: v.clone() for n, v in shared.state_dict().items()}
    parts = words(tmp_path / "audio")
    trained_by(
        how, shared, parts, tmp_path / "run", frozen=False,
        frozen_modules=["encoder.encoder"],
    )  # fmt: skip
    newest = max(tmp_path.glob("run/save/CKPT*"))
    after = torch.load(newest / "model.ckpt")
    for name, value in before.items():
        still = torch.equal(after[f"encoder.{name}"], value)
        assert still == (name != "mix.logits"), name
    assert not shared.learnt


@BOTH
def test_a_learnt_mix_is_read_frozen(how, tmp_path):
    """Its stored layers are those that are computed anew."""
    shared = SharedMix(calibrated(small_crdnn(**NARROW)))
    with torch.no_grad():
        shared.mix.logits[0] += 1
    parts = words(tmp_path / "audio")
    losses = []
    for store in (True, False):
        folder = tmp_path / str(store)
        trained_by(how, shared, parts, folder, frozen=True, store=store)
        lines = (folder / "train_log.jsonl").read_text().splitlines()
        losses.append([json.loads(line)["loss"] for line in lines])
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_copy_has_weights_of_its_own():
    shared = transformer()
    other = copy.deepcopy(shared)
    with torch.no_grad():
        other.mix.logits.copy_(LOGITS)
    assert other.learnt and not shared.learnt
    assert other.dims == shared.dims


def test_a_trained_folder_is_loaded_and_exported(tmp_path):
    transformers = pytest.importorskip("transformers")
    shared = transformer(layer_norm=True).eval()
    with torch.no_grad():
        shared.mix.logits.copy_(LOGITS)
    save_encoder(shared, tmp_path / "encoder.ckpt")
    inner = {"!": "!new:speechbrain_mtl.models.Wav2Vec2Encoder", **SIZES}
    inner["layer_norm"] = True
    settings = {"!": "!new:speechbrain_mtl.models.SharedMix", "encoder": inner}
    write_inference(tmp_path, settings)
    loaded = MTLEncoder.from_hparams(tmp_path, savedir=tmp_path / "cache")
    wavs, lens, _ = noises(6400)
    with torch.no_grad():
        expected = shared(wavs, lens).layers
    for layer, other in zip(loaded.encode_batch(wavs, lens).layers, expected):
        assert torch.equal(layer, other)
    folder = export_huggingface(tmp_path, tmp_path / "out")
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    wav = (wavs - wavs.mean()) / wavs.std(correction=0)
    with torch.no_grad():
        states = theirs(wav, output_hidden_states=True).hidden_states
    torch.testing.assert_close(states[0], expected[0], rtol=1e-4, atol=1e-5)


def test_an_encoder_without_a_counterpart_is_still_not_exported(tmp_path):
    pytest.importorskip("transformers")
    inner = {"cnn_channels": [4], "projection": 16, "rnn_size": 8,
             "rnn_layers": 1, "dnn_size": 16, "dnn_blocks": 1}  # fmt: skip
    save_encoder(SharedMix(CRDNN(**inner)), tmp_path / "encoder.ckpt")
    made = {"!": "!new:speechbrain_mtl.models.CRDNN", **inner}
    settings = {"!": "!new:speechbrain_mtl.models.SharedMix", "encoder": made}
    write_inference(tmp_path, settings)
    with pytest.raises(ValueError, match="CRDNN has no counterpart"):
        export_huggingface(tmp_path, tmp_path / "out")
