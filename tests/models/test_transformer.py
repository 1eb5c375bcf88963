"""The encoders of HuggingFace's: same layers as theirs, and padding-safe."""

import copy
import pickle
from itertools import pairwise

import pytest
import torch

from speechbrain_mtl.models import (
    HuggingFaceEncoder,
    TransformerEncoder,
    Wav2Vec2Encoder,
)

transformers = pytest.importorskip("transformers")

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 4,
    "conv_kernel": [10, 8, 4, 4],
    "conv_stride": [5, 4, 4, 4],
    "num_feat_extract_layers": 4,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
KINDS = {
    "wav2vec2": ("Wav2Vec2Config", "Wav2Vec2Model", {}),
    "wav2vec2_large": (
        "Wav2Vec2Config",
        "Wav2Vec2Model",
        {
            "feat_extract_norm": "layer",
            "do_stable_layer_norm": True,
            "conv_bias": True,
        },
    ),
    "hubert": ("HubertConfig", "HubertModel", {}),
    "wavlm": ("WavLMConfig", "WavLMModel", {}),
}


@pytest.fixture(params=KINDS)
def folder(request, tmp_path):
    """A checkpoint folder of a tiny model of each kind."""
    config, model, more = KINDS[request.param]
    torch.manual_seed(0)
    config = getattr(transformers, config)(**SIZES, **more)
    network = getattr(transformers, model)(config)
    # Group norms of ones and zeros would hide a mistake.
    for name, value in network.named_parameters():
        if "layer_norm" in name:
            value.data += 0.3 * torch.randn_like(value)
    network.save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    return tmp_path


def utterances():
    generator = torch.Generator().manual_seed(1)
    long = torch.randn(12000, generator=generator)
    return long, 0.1 + 2 * torch.randn(7003, generator=generator)


def test_layers_are_those_of_huggingface(folder):
    encoder = HuggingFaceEncoder(str(folder)).eval()
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    for wav in utterances():
        values = extractor(
            wav.numpy(), sampling_rate=16000, return_tensors="pt"
        )
        with torch.no_grad():
            expected = theirs(values.input_values, output_hidden_states=True)
            encoded = encoder(wav[None], torch.ones(1))
        layers = [*expected.hidden_states[:-1], expected.last_hidden_state]
        assert len(encoded.layers) == len(layers) == len(encoder.dims) == 4
        for ours, layer in zip(encoded.layers, layers):
            torch.testing.assert_close(ours, layer, rtol=1e-4, atol=1e-5)
        assert encoded.lens.tolist() == [layers[0].shape[1]]
        assert encoded.hidden is None


def test_company_and_padding_change_nothing(folder):
    encoder = HuggingFaceEncoder(str(folder)).eval()
    long, short = utterances()
    with torch.no_grad():
        alone = [encoder(wav[None], torch.ones(1)) for wav in (long, short)]
        batch = torch.full((2, 15000), 7.0)
        batch[0, :12000], batch[1, :7003] = long, short
        both = encoder(batch, torch.tensor([12000, 7003]) / 15000)
    for row, one in enumerate(alone):
        n = int(one.lens)
        assert int(both.lens[row]) == n
        for ours, layer in zip(both.layers, one.layers):
            torch.testing.assert_close(
                ours[row, :n], layer[0], rtol=1e-4, atol=1e-5
            )
            assert not ours[row, n:].any()
        torch.testing.assert_close(
            both.latents[row, :n], one.latents[0], rtol=1e-4, atol=1e-5
        )


def test_a_recording_shorter_than_a_window_gives_one_frame(folder):
    encoder = HuggingFaceEncoder(str(folder)).eval()
    encoded = encoder(torch.randn(2, 100), torch.tensor([1.0, 0.5]))
    assert encoded.lens.tolist() == [1, 1]
    assert all(layer.isfinite().all() for layer in encoded.layers)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Wav2Vec2Encoder(
        32,
        3,
        2,
        64,
        conv_channels=16,
        position_kernel=16,
        position_groups=4,
        dropout=0.0,
    )


def test_frames_are_hidden_in_training_and_when_asked(encoder):
    wavs, lens = torch.randn(3, 32000), torch.tensor([1.0, 0.8, 0.5])
    assert encoder.eval()(wavs, lens).hidden is None
    asked = encoder(wavs, lens, hide=True)
    shares = asked.hidden.sum(1) / asked.lens
    assert ((shares > 0.3) & (shares < 0.65)).all()
    assert not (asked.hidden & ~asked.mask()).any()
    assert encoder.train()(wavs, lens).hidden.any()
    encoder.mask_prob = 0.0
    assert encoder(wavs, lens).hidden is None


def test_what_is_hidden_is_not_seen_but_kept_as_latents(encoder):
    encoder.eval()
    wavs, lens = torch.randn(1, 16000), torch.ones(1)
    hide = torch.ones(1, 49, dtype=torch.bool)
    other = encoder(torch.randn(1, 16000), lens, hide=hide)
    hidden = encoder(wavs, lens, hide=hide)
    for one, two in zip(hidden.layers, other.layers):
        torch.testing.assert_close(one, two)
    plain = encoder(wavs, lens)
    torch.testing.assert_close(hidden.latents, plain.latents)
    assert (hidden.latents - other.latents).abs().max() > 0.1


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_gradient_of_a_layer_reaches_all_below_and_none_above(encoder, layer):
    encoded = encoder(torch.randn(1, 16000), torch.ones(1))
    encoded.layers[layer].square().mean().backward()
    for number, block in enumerate(encoder.network.encoder.layers):
        grads = [p.grad is not None for p in block.parameters()]
        assert all(grads) if number < layer else not any(grads)
    for name, value in encoder.network.feature_extractor.named_parameters():
        assert value.grad.abs().max() > 0, name


def test_checkpointing_changes_neither_layers_nor_gradients(encoder):
    lean = copy.deepcopy(encoder)
    lean.network.gradient_checkpointing_enable(
        gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    grads = []
    for one in (encoder, lean):
        torch.manual_seed(1)
        encoded = one.train()(torch.ones(1, 16000).cumsum(1), torch.ones(1))
        sum(layer.square().mean() for layer in encoded.layers).backward()
        grads.append([p.grad for p in one.parameters() if p.grad is not None])
    assert len(grads[0]) == len(grads[1])
    for one, two in zip(*grads):
        torch.testing.assert_close(one, two)


def test_a_copy_reads_its_own_layers(encoder):
    twin = copy.deepcopy(encoder).eval()
    for value in encoder.parameters():
        value.data.mul_(0.5)
    wavs, lens = torch.randn(1, 16000), torch.ones(1)
    before = encoder.eval()(wavs, lens).layers
    after = twin(wavs, lens).layers
    for one, two in zip(before, after):
        assert (one - two).abs().max() > 0.01
    for one, two in zip(encoder(wavs, lens).layers, before):
        torch.testing.assert_close(one, two)


def test_an_encoder_can_be_sent_to_another_process(encoder):
    encoder.network.feature_extractor.requires_grad_(False)
    encoder.mask_prob = 0.3
    twin = pickle.loads(pickle.dumps(encoder.eval()))
    assert type(twin) is type(encoder) and not twin.training
    assert twin.mask_prob == 0.3
    frozen = [
        [n for n, p in one.named_parameters() if not p.requires_grad]
        for one in (encoder, twin)
    ]
    assert frozen[0] == frozen[1] != []
    wavs, lens = torch.randn(2, 16000), torch.tensor([1.0, 0.6])
    for one, two in zip(encoder(wavs, lens).layers, twin(wavs, lens).layers):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_no_layer_is_dropped(encoder):
    network = copy.deepcopy(encoder.network)
    network.config.layerdrop = 1.0
    encoder = TransformerEncoder(network).train()
    layers = encoder(torch.randn(1, 16000), torch.ones(1)).layers
    assert len(layers) == 4
    assert not any(torch.equal(one, two) for one, two in pairwise(layers))


def test_a_model_of_another_rate_is_refused(folder):
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=8000).save_pretrained(
        folder
    )
    with pytest.raises(ValueError, match="8000 Hz"):
        HuggingFaceEncoder(str(folder))


def with_cls(**more):
    torch.manual_seed(0)
    sizes = {"position_kernel": 16, "position_groups": 4, **more}
    return Wav2Vec2Encoder(
        32, 3, 2, 64, conv_channels=16, dropout=0.0, cls_token=True, **sizes
    )


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_lower_layers_are_the_same_without_those_above(folder, depth):
    encoder = HuggingFaceEncoder(str(folder), cls_token=True).eval()
    wavs, lens = torch.randn(2, 12000), torch.tensor([1.0, 0.6])
    ran = []
    for number, layer in enumerate(encoder.network.encoder.layers, start=1):
        layer.register_forward_hook(lambda *_, n=number: ran.append(n))
    whole = encoder(wavs, lens)
    ran.clear()
    part = encoder(wavs, lens, depth=depth)
    assert ran == list(range(1, depth + 1))
    assert len(part.layers) == len(part.cls_states) == depth + 1
    for name in ("layers", "cls_states"):
        for one, two in zip(getattr(part, name), getattr(whole, name)):
            torch.testing.assert_close(one, two, rtol=0, atol=0)
    # The next call runs all of them again.
    assert len(encoder(wavs, lens).layers) == 4


@pytest.mark.parametrize("depth", [0, 4])
def test_layers_that_are_not_there_are_refused(encoder, depth):
    with pytest.raises(ValueError, match=rf"depth is {depth}.*1 to 3"):
        encoder(torch.randn(1, 16000), torch.ones(1), depth=depth)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_layers_that_are_not_run_get_no_gradient(checkpointing):
    encoder = with_cls(checkpointing=checkpointing).train()
    encoded = encoder(torch.randn(1, 16000), torch.ones(1), depth=2)
    encoded.cls_states[2].square().sum().backward()
    for number, block in enumerate(encoder.network.encoder.layers):
        grads = [p.grad is not None for p in block.parameters()]
        assert all(grads) if number < 2 else not any(grads)
    assert encoder.cls_token.grad.abs().max() > 0
    assert encoder.network.masked_spec_embed.grad.abs().max() > 0


def test_the_cls_token_is_no_frame_and_never_hidden():
    encoder = with_cls().eval()
    wavs, lens = torch.randn(2, 16000), torch.ones(2)
    hide = torch.ones(2, 49, dtype=torch.bool)
    encoded = encoder(wavs, lens, hide=hide)
    assert all(layer.shape == (2, 49, 32) for layer in encoded.layers)
    assert all(state.shape == (2, 32) for state in encoded.cls_states)
    before = encoded.cls_states[0]
    encoder.cls_token.data += 1
    after = encoder(wavs, lens, hide=hide)
    assert (after.cls_states[0] - before).abs().max() > 0.1
    # It speaks to the frames, and they to it.
    assert (after.layers[-1] - encoded.layers[-1]).abs().max() > 1e-4
    apart = encoder(torch.randn(2, 16000), lens).cls_states[-1]
    assert (apart - encoder(wavs, lens).cls_states[-1]).abs().max() > 1e-4


def test_the_cls_token_comes_first_and_its_states_beside_the_frames():
    encoder = with_cls().eval()
    seen = []
    encoder.network.encoder.register_forward_pre_hook(
        lambda _, arguments: seen.append(arguments[0].clone())
    )
    for layer in encoder.network.encoder.layers:
        layer.register_forward_pre_hook(lambda _, a: seen.append(a[0].clone()))
    wavs, lens = torch.randn(2, 16000), torch.tensor([1.0, 0.5])
    encoded = encoder(wavs, lens)
    assert torch.equal(seen[0][:, 0], encoder.cls_token.expand(2, -1))
    mask = encoded.mask()
    for state, layer, cls in zip(seen[1:], encoded.layers, encoded.cls_states):
        assert torch.equal(layer[mask], state[:, 1:][mask])
        assert torch.equal(cls, state[:, 0])


def test_company_and_padding_do_not_change_the_cls_token():
    encoder = with_cls().eval()
    long, short = utterances()
    batch = torch.full((2, 15000), 7.0)
    batch[0, :12000], batch[1, :7003] = long, short
    both = encoder(batch, torch.tensor([12000, 7003]) / 15000)
    for row, wav in enumerate((long, short)):
        alone = encoder(wav[None], torch.ones(1))
        for ours, state in zip(both.cls_states, alone.cls_states):
            torch.testing.assert_close(
                ours[row], state[0], rtol=1e-4, atol=1e-5
            )


def test_a_copy_has_its_own_cls_token():
    encoder = with_cls().eval()
    twin = copy.deepcopy(encoder)
    assert torch.equal(twin.cls_token, encoder.cls_token)
    twin.cls_token.data.zero_()
    assert encoder.cls_token.abs().max() > 0


def test_sizes_are_those_of_base():
    with torch.device("meta"):
        encoder = Wav2Vec2Encoder(cls_token=True)
    # HuggingFace's Base has 94 371 712.
    assert sum(p.numel() for p in encoder.parameters()) == 94371712 + 768
