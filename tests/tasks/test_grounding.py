"""Grounding and wav2vec 2.0 on one encoder: who runs, who learns from what."""

from types import SimpleNamespace

import pytest
import torch

from speechbrain_mtl.tasks import GroundingTask
from speechbrain_mtl.tasks.grounding import SETTLED, image_numbers
from speechbrain_mtl.tasks.matching import CosineMatching
from speechbrain_mtl.training import MultiTaskModel
from tests.helpers.encoders import small_crdnn
from tests.helpers.grounding import pairs, small_encoder, small_model

pytest.importorskip("transformers")

BOTH = ("wav2vec2", "grounding")


def encoded_pairs(model, **more):
    wavs, lens, batch = pairs(**more)
    return model.encoder(wavs, lens, hide=False), batch


def test_the_loss_is_that_of_dot_products_in_a_loop():
    model = small_model().eval()
    task = model.tasks["grounding"]
    wavs, lens, batch = pairs()
    losses, encoded = model(wavs, lens, ("grounding",), batch)
    speech, images = task.embed_speech(encoded), task.embed_images(batch)
    total = 0.0
    for one, others in ((speech, images), (images, speech)):
        for i, vector in enumerate(one):
            own = torch.dot(vector, others[i]) - 1.0
            terms = [own.exp()]
            for j, other in enumerate(others):
                if batch.image_id[j] != batch.image_id[i]:
                    terms.append(torch.dot(vector, other).exp())
            total += sum(terms).log() - own
    torch.testing.assert_close(losses["grounding"], total / 4)


def test_padding_of_speech_and_of_regions_changes_nothing():
    model = small_model().eval()
    losses = []
    for more in (0, 7):
        wavs, lens, batch = pairs(more=more)
        losses.append(model(wavs, lens, ("grounding",), batch)[0]["grounding"])
        task = model.tasks["grounding"]
        vectors = task.embed_images(batch)
        for row, n in enumerate((5, 3, 4, 5)):
            alone = SimpleNamespace(image=batch.image.data[row : row + 1, :n])
            torch.testing.assert_close(
                vectors[row], task.embed_images(alone)[0], rtol=1e-4, atol=1e-5
            )
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-5)


def watch(model):
    """Which parts run: lists that fill up."""
    ran, calls = [], []
    encoder = model.encoder.network
    for number, layer in enumerate(encoder.encoder.layers, start=1):
        layer.register_forward_hook(lambda *_, n=number: ran.append(n))
    encoder.feature_extractor.register_forward_hook(
        lambda *_: calls.append("cnn")
    )
    for name, task in model.tasks.items():
        task.register_forward_hook(lambda *_, n=name: calls.append(n))
    return ran, calls


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("mask_in_av", [True, False])
def test_an_inactive_branch_is_not_run(training, mask_in_av):
    model = small_model(mask_in_av=mask_in_av).train(training)
    ran, calls = watch(model)
    wavs, lens, batch = pairs()

    def forward(*active):
        ran.clear(), calls.clear()
        return model(wavs, lens, active, batch)[1]

    encoded = forward("grounding")
    assert ran == [1, 2] and calls == ["cnn", "grounding"]
    # As published, speech is hidden while training only.
    assert (encoded.hidden is not None) == (mask_in_av and training)
    encoded = forward("wav2vec2")
    assert ran == [1, 2, 3] and calls == ["cnn", "wav2vec2"]
    assert encoded.hidden.any()
    encoded = forward(*BOTH)
    assert ran == [1, 2, 3] and calls == ["cnn", *BOTH]
    assert encoded.hidden.any()


def touched(model, name):
    """Which parameters a task's loss gives a gradient that is not 0."""
    model.zero_grad()
    torch.manual_seed(1)
    losses, _ = model(*pairs()[:2], BOTH, pairs()[2])
    losses[name].backward()
    return {
        n: bool(p.grad.abs().max() > 1e-8)
        for n, p in model.named_parameters()
        if p.grad is not None
    }


def test_gradients_flow_as_the_published_map_says():
    model = small_model().train()
    av, ssl = touched(model, "grounding"), touched(model, "wav2vec2")
    shared = {
        "encoder.cls_token",
        "encoder.network.masked_spec_embed",
        "encoder.network.feature_extractor.conv_layers.0.conv.weight",
        "encoder.network.feature_projection.projection.weight",
        "encoder.network.encoder.pos_conv_embed.conv.bias",
        "encoder.network.encoder.layers.0.attention.q_proj.weight",
        "encoder.network.encoder.layers.1.feed_forward.output_dense.weight",
    }
    for name in shared:
        assert av[name] and ssl[name], name
    top = "encoder.network.encoder.layers.2."
    for name, _ in model.named_parameters():
        if name.startswith((top, "tasks.wav2vec2.")):
            assert name not in av and name in ssl, name
        if name.startswith("tasks.grounding."):
            assert name in av and name not in ssl, name
    assert all(av[n] for n in av if n.startswith("tasks.grounding.image.cls"))


def test_pixels_and_the_learnt_temperature_do_as_well():
    model = small_model(pixels=True, matching=CosineMatching()).train()
    wavs, lens, batch = pairs()
    batch.image = torch.rand(4, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        losses, _ = model(wavs, lens, BOTH, batch)
    sum(losses.values()).backward()
    own = model.tasks["grounding"]
    for name, parameter in own.named_parameters():
        assert parameter.grad.isfinite().all(), name
    assert own.matching.fall.grad != 0
    assert own.image.convolutions[0].weight.grad.abs().max() > 0


def test_other_encoders_ground_speech_without_a_token_of_theirs():
    from speechbrain_mtl.models import AudioHead, RegionEncoder

    encoder = small_crdnn()
    encoder.calibrate(torch.randn(2, 16000), torch.ones(2))
    layer = len(encoder.dims) - 1
    head = AudioHead(encoder.dims[layer], (8, 16), encoder_cls=False)
    image = RegionEncoder(6, boxes=False)
    task = GroundingTask(head, image, layer=layer)
    model = MultiTaskModel(encoder.eval(), {"grounding": task})
    wavs, lens, batch = pairs()
    assert model(wavs, lens, ("grounding",), batch)[0]["grounding"].isfinite()
    task = GroundingTask(head, image, layer=layer + 1)
    with pytest.raises(ValueError, match=f"highest of CRDNN is {layer}"):
        MultiTaskModel(encoder, {"grounding": task})


def test_what_is_missing_is_told():
    model = small_model().eval()
    wavs, lens, _ = pairs()
    with pytest.raises(ValueError, match="no 'image'"):
        model(wavs, lens, ("grounding",), SimpleNamespace(image_id=[1] * 4))
    with pytest.raises(ValueError, match="reads layer 0"):
        GroundingTask(None, None, layer=0)


def test_images_have_the_same_number_everywhere():
    # printf a | b2sum -l 64
    assert image_numbers(["a"]).tolist() == [0x40F89E395B66422F >> 1]
    assert image_numbers([3, 1]).tolist() == [3, 1]
    assert image_numbers(torch.tensor([3, 1])).tolist() == [3, 1]
    numbers = image_numbers([f"{n}.jpg" for n in range(2000)])
    assert len(numbers.unique()) == 2000 and (numbers >= 0).all()


def test_right_ones_are_counted_both_ways():
    model = small_model().eval()
    task = model.tasks["grounding"]
    scores = torch.tensor(
        [[0, 9, 1, 2], [0, 9, 1, 2], [0, 1, 2, 9], [0, 1, 2, 9]]
    ).float()
    task.matching.similarity = lambda speech, images: scores
    ids = torch.tensor([0, 1, 2, 2])
    task._measure(torch.zeros(4, 1), torch.zeros(4, 1), ids)
    found = {name: value.item() for name, value in task.measured.items()}
    # By row 1, 3, 3 (of the same image) are right; by column 0 and 3 are.
    assert found["speech_to_image"] == 3 / 4
    assert found["image_to_speech"] == 2 / 4 + 1 / 4
    assert found["chance"] == 6 / 16


def test_a_run_that_guesses_is_warned_of_in_time():
    task = small_model().tasks["grounding"]
    guessed = {"speech_to_image": 0.02, "image_to_speech": 0.01, "chance": 0.02}
    learnt = {**guessed, "speech_to_image": 0.5}
    assert task.advice(guessed) is None  # too early to tell
    task.batches.fill_(SETTLED)
    task.load_state_dict(task.state_dict())
    assert task.done == SETTLED
    assert "0.020 by chance" in task.advice(guessed)
    assert task.advice(learnt) is None


@pytest.mark.slow
def test_tones_find_their_colours():
    """Eight pitches and eight colours, learnt by heart."""
    model = small_model(pixels=True).train()
    time = torch.arange(3200) / 16000
    pitch = 150.0 * 1.3 ** torch.arange(8)[:, None]
    wavs, lens = (2 * torch.pi * pitch * time).sin(), torch.ones(8)
    colours = torch.tensor([[n & 1, n & 2, n & 4] for n in range(8)])
    pixels = (colours > 0).float()[..., None, None].expand(-1, 3, 16, 16)
    batch = SimpleNamespace(image=pixels, image_id=list(range(8)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        losses, _ = model(wavs, lens, ("grounding",), batch)
        losses["grounding"].backward()
        optimizer.step()
        optimizer.zero_grad()
    task = model.eval().tasks["grounding"]
    model(wavs, lens, ("grounding",), batch)
    # By chance 1 in 8; the loss began at 2 log(1 + 7 e).
    assert task.measured["speech_to_image"] > 0.7
    assert task.measured["image_to_speech"] > 0.7


def test_layers_above_may_be_missing_from_the_encoder_too():
    encoder = small_encoder().eval()
    task = small_model().eval().tasks["grounding"]
    wavs, lens, _ = pairs()
    whole = task.embed_speech(encoder(wavs, lens))
    part = task.embed_speech(encoder(wavs, lens, depth=2))
    assert torch.equal(whole, part)
