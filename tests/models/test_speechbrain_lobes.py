"""The encoder of SpeechBrain's modules: same layers as theirs, padding-safe."""

import copy
import pickle
from functools import partial
from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.lobes.models.transformer.Branchformer import (
    BranchformerEncoder,
)
from speechbrain.lobes.models.transformer.Conformer import ConformerEncoder
from speechbrain.lobes.models.transformer.Transformer import (
    PositionalEncoding,
    TransformerEncoder,
)
from speechbrain.lobes.models.wav2vec import EncoderWrapper, W2VLatentExtractor
from speechbrain.nnet.attention import RelPosEncXL
from torch.nn import functional

from speechbrain_mtl.inference import MTLEncoder, write_inference
from speechbrain_mtl.losses import sample_negatives
from speechbrain_mtl.models import SpeechBrainEncoder
from speechbrain_mtl.tasks import Inputs, Wav2Vec2Task
from speechbrain_mtl.training import pretrain
from speechbrain_mtl.training.settings import read_settings
from speechbrain_mtl.workers import WorkerBank
from tests.recipes.miniature import write_tones

BLOCKS = Path(__file__).parents[2] / "hparams" / "blocks"

WIDTH, CHANNELS = 32, 16
SIZES = {"num_layers": 3, "nhead": 2, "d_ffn": 64, "d_model": WIDTH}
KINDS = {
    "pre_norm": partial(TransformerEncoder, normalize_before=True),
    "post_norm": TransformerEncoder,
    "rope": partial(TransformerEncoder, attention_type="RoPEMHA"),
    "hypermixing": partial(TransformerEncoder, attention_type="hypermixing"),
    "relative": partial(TransformerEncoder, attention_type="RelPosMHAXL"),
    "conformer": ConformerEncoder,
    "conformer_plain": partial(ConformerEncoder, attention_type="regularMHA"),
}
RELATIVE = {"relative", "conformer"}


def parts(kind="pre_norm", encoding=None, **more):
    torch.manual_seed(0)
    extractor = W2VLatentExtractor([CHANNELS] * 7)
    if encoding is None:
        encoding = RelPosEncXL if kind in RELATIVE else PositionalEncoding
    layers = KINDS[kind](**SIZES | more)
    wrapper = EncoderWrapper(CHANNELS, WIDTH, layers, encoding, 0.0)
    # Norms of ones and zeros would hide a mistake.
    for module in (extractor, wrapper):
        for value in module.parameters():
            if value.dim() == 1:
                value.data += 0.3 * torch.randn_like(value)
    return extractor, wrapper


@pytest.fixture(params=KINDS)
def encoder(request):
    return SpeechBrainEncoder(*parts(request.param)).eval()


@pytest.fixture
def plain():
    return SpeechBrainEncoder(*parts()).eval()


def utterances():
    generator = torch.Generator().manual_seed(1)
    long = torch.randn(12000, generator=generator)
    return long, 0.1 + 2 * torch.randn(7003, generator=generator)


def batch_of(long, short):
    batch = torch.full((2, 15000), 7.0)
    batch[0, :12000], batch[1, :7003] = long, short
    return batch, torch.tensor([12000, 7003]) / 15000


@pytest.mark.parametrize("kind", sorted(set(KINDS) - RELATIVE))
def test_the_last_layer_of_one_utterance_is_speechbrains(kind):
    extractor, wrapper = parts(kind)
    encoder = SpeechBrainEncoder(*copy.deepcopy((extractor, wrapper))).eval()
    extractor.eval(), wrapper.eval()
    for wav in utterances():
        signal = functional.layer_norm(wav, wav.shape)[None]
        with torch.no_grad():
            latents = extractor(signal, normalize_signal=False)
            expected = wrapper(latents, wav_lens=torch.ones(1))["embeddings"]
            encoded = encoder(wav[None], torch.ones(1))
        torch.testing.assert_close(encoded.latents, latents)
        torch.testing.assert_close(
            encoded.layers[-1], expected, rtol=1e-4, atol=1e-5
        )
        assert encoded.lens.tolist() == [latents.shape[1]]


def test_each_waveform_is_normalised_by_itself_as_in_the_recipe(plain):
    # A quiet one, where what is added to the variance counts.
    wavs = [0.01 * wav for wav in utterances()]
    seen = []
    plain.extractor.register_forward_pre_hook(lambda _, a: seen.append(a[0]))
    plain(*batch_of(*wavs))
    for row, wav in zip(seen[0], wavs):
        expected = functional.layer_norm(wav, wav.shape)
        torch.testing.assert_close(row[: len(wav)], expected)
        assert not row[len(wav) :].any()


def test_hidden_frames_are_hidden_as_speechbrain_does(plain):
    wav = utterances()[0][None]
    mask = torch.zeros(1, 36, dtype=torch.bool)
    mask[0, 4:19] = True
    signal = functional.layer_norm(wav, wav.shape[1:])
    with torch.no_grad():
        latents = plain.extractor(signal, normalize_signal=False)
        theirs = plain.wrapper(latents, mask=mask)["embeddings"]
        ours = plain(wav, torch.ones(1), hide=mask)
    torch.testing.assert_close(ours.layers[-1], theirs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.latents, latents)
    assert torch.equal(ours.hidden, mask)


def test_frames_are_hidden_in_a_share_of_utterances_while_training():
    encoder = SpeechBrainEncoder(*parts("pre_norm"), mask_share=0.25)
    wavs, lens = torch.randn(4, 16000), torch.ones(4)
    with torch.no_grad():
        trained = encoder.train()(wavs, lens).hidden
        asked = encoder.eval()(wavs, lens, hide=True).hidden
    assert int(trained.any(dim=1).sum()) == 1
    assert int(asked.any(dim=1).sum()) == 4


@pytest.mark.parametrize("kind", ["pre_norm", "post_norm", "conformer_plain"])
def test_all_layers_are_the_hidden_states_of_speechbrain(kind):
    encoder = SpeechBrainEncoder(*parts(kind)).eval()
    wav = utterances()[0][None]
    with torch.no_grad():
        layers = encoder(wav, torch.ones(1)).layers
        # Their modules keep nothing of the masks of a batch.
        encoder(*batch_of(*utterances()))
        network = encoder.wrapper.latent_encoder
        network.output_hidden_states = True
        last, _, states = network(layers[0])
    assert len(layers) == len(states) == len(encoder.dims) == 4
    for ours, theirs in zip(layers, [*states[:-1], last]):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_company_and_padding_change_nothing(encoder):
    with torch.no_grad():
        alone = [encoder(w[None], torch.ones(1)) for w in utterances()]
        both = encoder(*batch_of(*utterances()))
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


@pytest.mark.parametrize("kind", ["pre_norm", "conformer"])
def test_company_and_padding_do_not_change_the_loss(kind):
    encoder = SpeechBrainEncoder(*parts(kind)).eval()
    task = Wav2Vec2Task(WIDTH, CHANNELS, codes=12, code_size=16).eval()
    hidden = torch.zeros(2, 45, dtype=torch.bool)
    hidden[0, 5:25] = hidden[1, 3:19] = True
    counts = hidden.sum(1)
    generator = torch.Generator().manual_seed(3)
    negatives, _ = sample_negatives(counts, 9, generator)

    def losses(wavs, lens, hide, negatives):
        frames = (wavs.shape[1] - encoder.window) // encoder.step + 1
        encoded = encoder(wavs, lens, hide=hide[:, :frames])
        loss = task(encoded, Inputs(wavs, lens), negatives)
        return loss, task.measured["contrastive"]

    wavs, lens = batch_of(*utterances())
    both = losses(wavs, lens, hidden, negatives)
    less = losses(wavs[:, :12000], lens * 15000 / 12000, hidden, negatives)
    torch.testing.assert_close(both, less, rtol=1e-5, atol=1e-6)
    # A mean over hidden frames, each told from others of its utterance.
    own = negatives[:20], negatives[20:] - counts[0]
    alone = [
        losses(wav[None], torch.ones(1), hidden[row : row + 1], own[row])[1]
        for row, wav in enumerate(utterances())
    ]
    torch.testing.assert_close(
        both[1] * counts.sum(), alone[0] * counts[0] + alone[1] * counts[1]
    )


def test_a_frame_lies_where_its_window_does(plain):
    """A click moves the latents of the frames around it, and no other."""
    assert plain.hop == 0.02
    # 11 samples, then six times 2 more of 5, 10, ... 160 samples.
    assert plain.window == 11 + 2 * (5 + 10 + 20 + 40 + 80 + 160) == 641
    wav = torch.zeros(1, 16000)
    click = wav.clone()
    click[0, 8000] = 1.0
    one, two = (
        plain.extractor(w, normalize_signal=False) for w in (wav, click)
    )
    moved = (one - two).abs().sum(-1)[0].nonzero()[:, 0].tolist()
    encoded = plain(click, torch.ones(1))
    centres = encoded.offset + encoded.hop * torch.arange(one.shape[1])
    # The middle of sample 8000.
    near = (centres - 8000.5 / 16000).abs() * 16000 <= plain.window / 2
    assert moved == near.nonzero()[:, 0].tolist() != []
    assert encoded.lens.tolist() == [one.shape[1]]


def test_a_recording_shorter_than_a_window_gives_one_frame(encoder):
    encoded = encoder(torch.randn(2, 100), torch.tensor([1.0, 0.5]))
    assert encoded.lens.tolist() == [1, 1]
    assert all(layer.isfinite().all() for layer in encoded.layers)


def test_gradients_reach_everything(encoder):
    torch.manual_seed(0)
    task = Wav2Vec2Task(WIDTH, CHANNELS, codes=12, code_size=16)
    encoded = encoder.train()(*batch_of(*utterances()))
    assert encoded.hidden.any()
    inputs = Inputs(torch.zeros(2, 15000), torch.ones(2))
    task.train()(encoded, inputs).backward()
    named = dict(encoder.named_parameters())
    # Moves all of a query's scores alike, as keys' biases do.
    unread = {
        name
        for name, value in named.items()
        if value.grad is None or not value.grad.any()
    }
    assert not unread, unread


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_lower_layers_are_the_same_without_those_above(encoder, depth):
    ran = []
    for number, layer in enumerate(encoder.wrapper.latent_encoder.layers):
        layer.register_forward_hook(lambda *_, n=number: ran.append(n + 1))
    wavs, lens = batch_of(*utterances())
    with torch.no_grad():
        whole = encoder(wavs, lens)
        ran.clear()
        part = encoder(wavs, lens, depth=depth)
    assert ran == list(range(1, depth + 1)) and len(part.layers) == depth + 1
    for one, two in zip(part.layers, whole.layers):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


@pytest.mark.parametrize("depth", [0, 4])
def test_layers_that_are_not_there_are_refused(plain, depth):
    with pytest.raises(ValueError, match=rf"depth is {depth}.*1 to 3"):
        plain(torch.randn(1, 16000), torch.ones(1), depth=depth)


def test_frames_are_hidden_in_training_and_when_asked(plain):
    wavs, lens = torch.randn(3, 32000), torch.tensor([1.0, 0.8, 0.5])
    assert plain(wavs, lens).hidden is None
    asked = plain(wavs, lens, hide=True)
    assert not (asked.hidden & ~asked.mask()).any() and asked.hidden.any()
    assert plain.train()(wavs, lens).hidden.any()
    assert plain(wavs, lens, hide=False).hidden is None
    plain.mask_prob = 0.0
    assert plain(wavs, lens).hidden is None


def test_a_copy_is_its_own_and_can_be_sent(encoder):
    wavs, lens = batch_of(*utterances())
    with torch.no_grad():
        before = encoder(wavs, lens).layers[-1]
        for twin in (
            copy.deepcopy(encoder),
            pickle.loads(pickle.dumps(encoder)),
        ):
            torch.testing.assert_close(twin(wavs, lens).layers[-1], before)
            for value in twin.parameters():
                value.mul_(0.5)
            torch.testing.assert_close(encoder(wavs, lens).layers[-1], before)


@pytest.mark.parametrize("kind", ["pre_norm", "conformer"])
def test_a_checkpoint_of_speechbrains_recipe_is_read(kind, tmp_path):
    """Files and names are those of its recoverables."""
    extractor, wrapper = parts(kind)
    torch.save(extractor.state_dict(), tmp_path / "latent_extractor.ckpt")
    torch.save(wrapper.state_dict(), tmp_path / "latent_encoder.ckpt")
    other = copy.deepcopy((extractor, wrapper))
    for module in other:
        for value in module.parameters():
            value.data.normal_()
    encoder = SpeechBrainEncoder(*other, checkpoint=tmp_path).eval()
    expected = SpeechBrainEncoder(extractor, wrapper).eval()
    wav = utterances()[0][None]
    torch.testing.assert_close(
        encoder(wav, torch.ones(1)).layers[-1],
        expected(wav, torch.ones(1)).layers[-1],
    )
    # And the way back: a trained one's modules are SpeechBrain's again.
    parts(kind)[1].load_state_dict(encoder.wrapper.state_dict())


def test_a_checkpoint_of_other_modules_is_refused(tmp_path):
    with pytest.raises(ValueError, match="latent_extractor.ckpt: no such"):
        SpeechBrainEncoder(*parts(), checkpoint=tmp_path)
    extractor, wrapper = parts()
    torch.save(extractor.state_dict(), tmp_path / "latent_extractor.ckpt")
    torch.save(wrapper.state_dict(), tmp_path / "latent_encoder.ckpt")
    with pytest.raises(ValueError, match="latent_encoder.ckpt is of another"):
        SpeechBrainEncoder(*parts(num_layers=2), checkpoint=tmp_path)


def test_a_recording_beyond_the_positional_encoding_is_refused():
    encoding = partial(PositionalEncoding, max_len=40)
    encoder = SpeechBrainEncoder(*parts(encoding=encoding)).eval()
    encoder(torch.randn(1, 13121), torch.ones(1))  # 40 frames
    with pytest.raises(ValueError, match=r"41 frames.*40 \(0\.8 s\)"):
        encoder(torch.randn(1, 13441), torch.ones(1))


@pytest.mark.parametrize(
    "kind, more, complaint",
    [
        ("pre_norm", {"layerdrop_prob": 0.1}, "layerdrop_prob is 0.1"),
        ("pre_norm", {"ffn_type": "1dcnn"}, "1dcnn convolves over padding"),
        ("relative", {"encoding": PositionalEncoding}, "wants RelPosEncXL"),
        ("pre_norm", {"encoding": RelPosEncXL}, "is RelPosEncXL, which"),
    ],
)
def test_what_cannot_be_kept_from_padding_is_refused(kind, more, complaint):
    with pytest.raises(ValueError, match=complaint):
        SpeechBrainEncoder(*parts(kind, **more))


def test_modules_that_do_not_fit_are_refused():
    extractor, wrapper = parts()
    with pytest.raises(ValueError, match=r"makes 8 values.*reads 16"):
        SpeechBrainEncoder(W2VLatentExtractor([8] * 7), wrapper)
    wrapper.latent_encoder = BranchformerEncoder(1, WIDTH, 2)
    with pytest.raises(ValueError, match="latent_encoder is a Branchformer"):
        SpeechBrainEncoder(extractor, wrapper)


def test_the_block_pretrains_and_is_read_again_for_inference(tmp_path):
    block = BLOCKS / "wav2vec2_speechbrain.yaml"
    sizes = {"width": 48, "layers": 2, "conv_channels": 16}
    with open(block) as file:
        encoder = load_hyperpyyaml(file, sizes)["encoder"]
    before = copy.deepcopy(encoder.state_dict())
    paths = write_tones(tmp_path / "tones", ["a", "b", "c"], seconds=1.0)
    entries = {n: {"wav": str(p), "duration": 1.0} for n, p in paths.items()}
    task = Wav2Vec2Task(48, 16, codes=12, code_size=16, dropout=0.0)
    summary = pretrain(
        encoder,
        {"wav2vec2": task},
        WorkerBank({}),
        {"wav2vec2": 1.0},
        train={name: entries[name] for name in "ab"},
        valid={"c": entries["c"]},
        folder=tmp_path,
        opt_class=partial(torch.optim.AdamW, lr=1e-3),
        hours=4 / 3600,
        epoch_hours=2 / 3600,
        batch_seconds=1.0,
        crop_seconds=1.0,
        warmup_steps=1,
        grad_share_every=0,
        progressbar=False,
    )
    assert summary["steps"] == 4
    moved = [
        name
        for name, value in encoder.named_parameters()
        if not torch.equal(value, before[name])
    ]
    assert len(moved) > 40 and "wrapper.mask_emb" in moved
    write_inference(tmp_path, read_settings(str(block), sizes)["encoder"])
    # Read from where the training left it.
    again = MTLEncoder.from_hparams(str(tmp_path))
    wav = utterances()[0][None]
    torch.testing.assert_close(
        again.encode_batch(wav).layers[-1],
        encoder.eval()(wav, torch.ones(1)).layers[-1],
    )
