"""Against a stand-in of the library: it may not be installed."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from speechbrain_mtl.workers.huggingface import HuggingFaceLayer
from tests.helpers.batches import noises

KERNELS, STRIDES = [10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2]


class Model(nn.Module):
    """Frames of wav2vec 2.0's times, normalised over time as its own are."""

    def __init__(self):
        super().__init__()
        self.config = SimpleNamespace(
            conv_kernel=KERNELS,
            conv_stride=STRIDES,
            hidden_size=6,
            num_hidden_layers=2,
        )
        self.project = nn.Linear(400, 6)
        self.dropout = nn.Dropout(0.5)

    def forward(self, input_values, output_hidden_states=False):
        assert output_hidden_states
        x = self.dropout(self.project(input_values.unfold(1, 400, 320)))
        x = (x - x.mean(1, keepdim=True)) / (
            1 + x.std(1, keepdim=True, correction=0)
        )
        return SimpleNamespace(hidden_states=(x, 2 * x, 3 * x))


@pytest.fixture
def library(monkeypatch):
    """Put a stand-in where the library would be; give what it makes."""
    torch.manual_seed(0)
    made = SimpleNamespace(
        model=Model(),
        extractor=SimpleNamespace(sampling_rate=16000, do_normalize=False),
        names=[],
    )

    def giver(attribute):
        def from_pretrained(name):
            made.names.append(name)
            return getattr(made, attribute)

        return SimpleNamespace(from_pretrained=from_pretrained)

    module = ModuleType("transformers")
    module.AutoModel = giver("model")
    module.AutoFeatureExtractor = giver("extractor")
    monkeypatch.setitem(sys.modules, "transformers", module)
    return made


def batch():
    return noises(16000, 9001, 9001, 100, offset=0.02)


def test_frames_lie_where_the_convolutions_put_them(library):
    worker = HuggingFaceLayer("some/model", layer=1)
    assert library.names == ["some/model", "some/model"]
    assert (worker.window, worker.step, worker.dim) == (400, 320, 6)
    assert worker.hop == 0.02 and worker.offset == 0.0125
    assert worker.frame_lens(torch.tensor([16000, 399])).tolist() == [49, 1]


@pytest.mark.parametrize("normalize", [False, True])
def test_every_utterance_is_encoded_as_if_alone(library, normalize):
    library.extractor.do_normalize = normalize
    worker = HuggingFaceLayer("some/model", layer=-1)
    worker.train()
    wavs, lens, sizes = batch()
    labels = worker(wavs, lens)
    for row, size in enumerate(sizes):
        wav = torch.nn.functional.pad(wavs[row, :size], (0, max(400 - size, 0)))
        if normalize:
            wav = (wav - wav.mean()) / wav.var(correction=0).add(1e-7).sqrt()
        hidden = library.model(wav[None], output_hidden_states=True)
        alone = hidden.hidden_states[2][0]
        torch.testing.assert_close(labels[row, : len(alone)], alone)
        assert not labels[row, len(alone) :].any()
    assert not labels.requires_grad


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        ImportError, match=r"pip install 'speechbrain_mtl\[hf\]'"
    ):
        HuggingFaceLayer("some/model")


def test_models_that_do_not_fit_are_refused_by_name(library):
    with pytest.raises(ValueError, match="layer 3: some/model has 3 layers"):
        HuggingFaceLayer("some/model", layer=3)
    library.extractor.sampling_rate = 8000
    with pytest.raises(ValueError, match="some/model: takes 8000 Hz"):
        HuggingFaceLayer("some/model")
    library.extractor.sampling_rate = 16000
    del library.model.config.conv_kernel
    with pytest.raises(ValueError, match="some/model: Model has no conv"):
        HuggingFaceLayer("some/model")


def test_the_real_library_gives_the_layer_it_names(tmp_path):
    """A tiny HuBERT of random weights, saved and loaded as from the hub."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.HubertConfig(
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    model = transformers.HubertModel(config).eval()
    model.save_pretrained(tmp_path)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=False)
    extractor.save_pretrained(tmp_path)
    layer = HuggingFaceLayer(str(tmp_path), layer=2)
    assert layer.hop == 0.02 and layer.offset == 0.0125
    wavs = torch.randn(2, 16000)
    found = layer(wavs, torch.tensor([1.0, 0.6]))
    with torch.no_grad():
        for row, length in ((0, 16000), (1, 9600)):
            hidden = model(
                wavs[row : row + 1, :length], output_hidden_states=True
            )
            wanted = hidden.hidden_states[2][0]
            kept = found[row, : len(wanted)]
            assert torch.allclose(kept, wanted, atol=1e-5)
            assert (found[row, len(wanted) :] == 0).all()
