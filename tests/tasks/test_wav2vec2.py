"""wav2vec 2.0 as a task: HuggingFace's loss, and what it never had."""

import copy

import pytest
import torch

from speechbrain_mtl.losses import sample_negatives
from speechbrain_mtl.models import TransformerEncoder
from speechbrain_mtl.tasks import (
    Inputs,
    LayerMix,
    PretextTask,
    UnitTask,
    Wav2Vec2Task,
)
from speechbrain_mtl.tasks.wav2vec2 import SETTLED
from speechbrain_mtl.training import MultiTaskModel
from speechbrain_mtl.workers import (
    RandomProjectionUnits,
    RMSEnergy,
    WorkerBank,
)

transformers = pytest.importorskip("transformers")

CODES = {"codebooks": 2, "codes": 12, "code_size": 16, "project_size": 24}


@pytest.fixture
def theirs():
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        num_codevectors_per_group=12,
        codevector_dim=16,
        proj_codevector_dim=24,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
        feat_quantizer_dropout=0.0,
        layerdrop=0.0,
    )
    model = transformers.Wav2Vec2ForPreTraining(config)
    model.quantizer.weight_proj.weight.data.normal_(std=0.5)
    return model


@pytest.fixture
def encoder(theirs):
    return TransformerEncoder(copy.deepcopy(theirs.wav2vec2), normalize=False)


@pytest.fixture
def task(theirs):
    task = Wav2Vec2Task(32, 16, **CODES, dropout=0.0, negatives=9)
    state = {
        name: value
        for name, value in theirs.state_dict().items()
        if not name.startswith("wav2vec2.")
    }
    missing, unexpected = task.load_state_dict(state, strict=False)
    assert missing == ["batches"] and not unexpected
    return task


@pytest.fixture
def drawn():
    """Waveforms, a mask, and negatives counted as theirs and as ours."""
    generator = torch.Generator().manual_seed(3)
    wavs = torch.randn(2, 16000, generator=generator)
    hidden = torch.zeros(2, 49, dtype=torch.bool)
    hidden[0, 5:25] = hidden[0, 30:33] = hidden[1, 20:39] = True
    counts = hidden.sum(1)
    ours, alone = sample_negatives(counts, 9, generator)
    assert not alone.any()
    flat = hidden.flatten().nonzero()[:, 0]
    theirs = torch.zeros(2, 49, 9, dtype=torch.long)
    theirs[hidden] = flat[ours]
    return wavs, hidden, ours, theirs


def test_the_loss_is_huggingfaces(theirs, encoder, task, drawn):
    wavs, hidden, ours, negatives = drawn
    theirs.eval()
    expected = theirs(
        wavs, mask_time_indices=hidden, sampled_negative_indices=negatives
    )
    encoded = encoder.eval()(wavs, torch.ones(2), hide=hidden)
    loss = task.eval()(encoded, Inputs(wavs, torch.ones(2)), ours)
    frames = int(hidden.sum())
    measured = task.measured
    # Theirs are sums over hidden frames.
    torch.testing.assert_close(
        measured["contrastive"] * frames,
        expected.contrastive_loss,
        rtol=1e-4,
        atol=1e-5,
    )
    torch.testing.assert_close(
        measured["diversity"] * frames, expected.diversity_loss
    )
    torch.testing.assert_close(
        loss * frames, expected.loss, rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        measured["perplexity"], expected.codevector_perplexity
    )


def test_diversity_in_training_is_huggingfaces(theirs, encoder, task, drawn):
    wavs, hidden, ours, negatives = drawn
    expected = theirs.train()(
        wavs, mask_time_indices=hidden, sampled_negative_indices=negatives
    )
    encoded = encoder.train()(wavs, torch.ones(2), hide=hidden)
    task.train()(encoded, Inputs(wavs, torch.ones(2)), ours)
    torch.testing.assert_close(
        task.measured["perplexity"], expected.codevector_perplexity
    )
    torch.testing.assert_close(
        task.measured["diversity"] * hidden.sum(), expected.diversity_loss
    )


def test_gradients_are_huggingfaces(theirs, encoder, task, drawn):
    wavs, hidden, ours, negatives = drawn
    theirs.eval()(
        wavs, mask_time_indices=hidden, sampled_negative_indices=negatives
    ).loss.backward()
    encoded = encoder.eval()(wavs, torch.ones(2), hide=hidden)
    loss = task.eval()(encoded, Inputs(wavs, torch.ones(2)), ours)
    (loss * hidden.sum()).backward()
    ours = dict(encoder.network.named_parameters(prefix="wav2vec2"))
    ours |= dict(task.named_parameters())
    checked = 0
    for name, value in theirs.named_parameters():
        if value.grad is not None and value.grad.abs().max() > 1e-6:
            torch.testing.assert_close(
                ours[name].grad, value.grad, rtol=1e-3, atol=1e-5
            )
            checked += 1
    assert checked > 60


def test_padding_does_not_change_the_loss(encoder, task, drawn):
    wavs, hidden, ours, _ = drawn
    encoder.eval(), task.eval()
    short = wavs[1, :13000]  # 40 frames, the hidden ones among them
    batch = torch.full((2, 20000), 5.0)
    batch[0, :16000], batch[1, :13000] = wavs[0], short
    more = torch.nn.functional.pad(hidden, (0, 13))
    losses = []
    for waves, lens, hide in (
        (batch, torch.tensor([16000, 13000]) / 20000, more),
        (batch[:, :16000], torch.tensor([16000, 13000]) / 16000, hidden),
    ):
        encoded = encoder(waves, lens, hide=hide)
        losses.append(task(encoded, Inputs(waves, lens), ours))
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-6)


def test_items_that_are_heard_whole_do_not_change_the_loss(
    encoder, task, drawn
):
    wavs, hidden, ours, _ = drawn
    encoder.eval()
    task.eval()
    expected = task(
        encoder(wavs, torch.ones(2), hide=hidden), Inputs(None, None), ours
    )
    wider = torch.cat([wavs[:1], torch.randn(1, 16000), wavs[1:]])
    none = torch.zeros(1, 49, dtype=torch.bool)
    encoded = encoder(
        wider, torch.ones(3), hide=torch.cat([hidden[:1], none, hidden[1:]])
    )
    found = task(encoded, Inputs(None, None), ours)
    torch.testing.assert_close(found, expected)
    assert bool(task(encoded, Inputs(None, None)).isfinite())


def test_temperature_falls_once_a_batch_and_survives_a_checkpoint(
    encoder, task
):
    task.anneal_batches = 4
    wavs, lens = torch.randn(2, 16000), torch.ones(2)
    encoded = encoder.train()(wavs, lens)
    seen = []
    for _ in range(6):
        task.train()(encoded, Inputs(wavs, lens))
        seen.append(float(task.measured["temperature"]))
    expected = [2 * 0.25 ** min(n / 4, 1) for n in range(6)]
    assert seen == pytest.approx(expected)
    task.eval()(encoded, Inputs(wavs, lens))
    assert task.done == 6
    fresh = Wav2Vec2Task(32, 16, **CODES, anneal_batches=4)
    assert fresh.temperature == 2.0
    fresh.load_state_dict(task.state_dict())
    assert fresh.done == 6 and fresh.temperature == 0.5


def test_collapsing_codes_are_warned_of_in_time(task):
    few, many = {"perplexity": 1.1}, {"perplexity": 20.0}
    assert task.advice(few) is None  # too early to tell
    task.done = SETTLED
    assert task.advice(many) is None
    assert "1.1 of 24" in task.advice(few)
    assert "diversity_weight" in task.advice(few)


def test_without_hidden_frames_there_is_nothing_to_predict(encoder, task):
    wavs, lens = torch.randn(1, 16000), torch.ones(1)
    with pytest.raises(ValueError, match="hid none"):
        task(encoder.eval()(wavs, lens), Inputs(wavs, lens))


@pytest.mark.parametrize("bad", [(0.5, 2.0), (1.0, 0.0)])
def test_temperatures_that_rise_or_vanish_are_refused(bad):
    with pytest.raises(ValueError, match="temperature"):
        Wav2Vec2Task(32, 16, **CODES, temperature=bad)


def joint(encoder, task, layer=-1):
    """wav2vec 2.0, a pretext task and masked units in one model."""
    workers = WorkerBank(
        {"rms": RMSEnergy(), "units": RandomProjectionUnits(units=8)}
    )
    tasks = {
        "wav2vec2": task,
        "rms": PretextTask("rms", 1, 32, layer=layer),
        "units": UnitTask("units", 8, 32, only_hidden=True),
    }
    model = MultiTaskModel(encoder, tasks, workers)
    torch.manual_seed(5)
    wavs, lens = torch.randn(3, 16000), torch.tensor([1.0, 0.9, 0.8])
    model.eval().calibrate(wavs, lens)
    return model, wavs, lens


def grads_of(model, wavs, lens, weight):
    model.zero_grad()
    torch.manual_seed(1)
    losses, _ = model(wavs, lens, ("rms",))
    (weight * losses["rms"]).backward()
    last = model.encoder.network.encoder.layers[-1]
    return [p.grad.clone() for p in last.parameters()]


def test_a_pretext_loss_reaches_the_last_layer_in_proportion(encoder, task):
    model, wavs, lens = joint(encoder, task)
    once = grads_of(model, wavs, lens, 1.0)
    twice = grads_of(model, wavs, lens, 2.0)
    # Keys' bias has none: it moves all of a query's scores alike.
    assert sum(bool(g.abs().max() > 1e-9) for g in once) >= len(once) - 1
    for one, two in zip(once, twice):
        torch.testing.assert_close(two, 2 * one, rtol=1e-4, atol=1e-9)


def test_a_mix_of_layers_reaches_all_of_them(encoder, task):
    model, wavs, lens = joint(encoder, task, LayerMix(4))
    losses, _ = model(wavs, lens, ("rms",))
    losses["rms"].backward()
    mix = model.tasks["rms"].layer
    assert mix.logits.grad.abs().min() > 0
    with pytest.raises(ValueError, match="5 layers"):
        LayerMix(5)([torch.zeros(1, 2, 3)] * 4)


def test_all_objectives_join_one_forward(encoder, task):
    model, wavs, lens = joint(encoder, task)
    losses, encoded = model(wavs, lens, ("wav2vec2", "rms", "units"))
    assert encoded.hidden.any()  # though it does not train
    assert all(loss.isfinite() for loss in losses.values())
    measured = model.measured(("wav2vec2", "units"))
    assert {"wav2vec2/perplexity", "wav2vec2/accuracy"} <= set(measured)
    assert 0 <= measured["units/accuracy"] <= 1


def test_masked_units_are_predicted_where_hidden_only(encoder, task):
    model, wavs, lens = joint(encoder, task)
    units = model.tasks["units"]
    encoded = encoder(wavs, lens, hide=True)
    inputs = model.inputs(wavs, lens, ("units",))
    loss = units(encoded, inputs)
    targets, mask = units.targets(encoded, inputs)
    mask = mask & encoded.hidden
    logits = units.head(encoded.layers[-1])[mask]
    slow = torch.nn.functional.cross_entropy(logits, targets[mask][:, 0])
    torch.testing.assert_close(loss, slow)
    with pytest.raises(ValueError, match="hid none"):
        units(encoder(wavs, lens), inputs)


def test_an_encoder_that_cannot_hide_is_refused(task):
    from tests.helpers.encoders import small_crdnn

    with pytest.raises(ValueError, match="cannot hide"):
        MultiTaskModel(small_crdnn(), {"wav2vec2": task})
