"""Encoders leave home: SpeechBrain's interface, HuggingFace's checkpoints."""

import pytest
import soundfile
import torch

from speechbrain_mtl.inference import (
    MTLEncoder,
    export_huggingface,
    write_inference,
)
from speechbrain_mtl.models import CRDNN, HuggingFaceEncoder, Wav2Vec2Encoder
from speechbrain_mtl.tasks import Inputs, Wav2Vec2Task
from speechbrain_mtl.training.pretrain import save_encoder

CRDNN_SETTINGS = {
    "!": "!new:speechbrain_mtl.models.CRDNN",
    "n_mels": 20,
    "cnn_channels": [4],
    "rnn_layers": 1,
    "rnn_size": 8,
    "dnn_blocks": 1,
    "dnn_size": 16,
    "projection": 16,
}
SIZES = {
    "hidden_size": 32,
    "layers": 2,
    "heads": 2,
    "feedforward_size": 64,
    "conv_channels": 16,
    "position_kernel": 16,
    "position_groups": 4,
}
W2V2_SETTINGS = {"!": "!new:speechbrain_mtl.models.Wav2Vec2Encoder", **SIZES}


@pytest.fixture
def crdnn(tmp_path):
    torch.manual_seed(0)
    settings = {k: v for k, v in CRDNN_SETTINGS.items() if k != "!"}
    encoder = CRDNN(**settings)
    encoder.calibrate(torch.randn(2, 16000), torch.ones(2))
    save_encoder(encoder, tmp_path / "encoder.ckpt")
    write_inference(tmp_path, CRDNN_SETTINGS)
    return tmp_path, encoder.eval()


def test_a_trained_folder_is_loaded_by_its_path(crdnn, tmp_path):
    folder, encoder = crdnn
    loaded = MTLEncoder.from_hparams(folder, savedir=tmp_path / "cache")
    wavs, lens = torch.randn(2, 16000), torch.tensor([1.0, 0.7])
    for ours, layer in zip(
        loaded.encode_batch(wavs, lens).layers, encoder(wavs, lens).layers
    ):
        torch.testing.assert_close(ours, layer, rtol=0, atol=0)
        assert not ours.requires_grad


def test_recordings_of_any_rate_are_encoded(crdnn, tmp_path):
    folder, _ = crdnn
    path = tmp_path / "a.wav"
    soundfile.write(path, 0.1 * torch.randn(8000).numpy(), 8000)
    loaded = MTLEncoder.from_hparams(folder, savedir=tmp_path / "cache")
    encoded = loaded.encode_file(path)
    assert encoded.lens.tolist() == [49]  # a second


def test_a_folder_without_a_finished_training_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no inference\.yaml"):
        MTLEncoder.from_hparams(tmp_path)


def test_only_transformers_are_exported(crdnn, tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ValueError, match="CRDNN has no counterpart"):
        export_huggingface(crdnn[0], tmp_path / "out")


@pytest.mark.parametrize("layer_norm", [False, True])
def test_round_trip_through_huggingface(tmp_path, layer_norm):
    """Load a checkpoint, train some steps, export, load with theirs."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    start = Wav2Vec2Encoder(**SIZES, layer_norm=layer_norm)
    start.network.save_pretrained(tmp_path / "start")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "start")
    encoder = HuggingFaceEncoder(str(tmp_path / "start"))
    task = Wav2Vec2Task(32, 16, codes=8, code_size=16, project_size=16)
    parameters = [*encoder.parameters(), *task.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    wavs, lens = torch.randn(2, 16000), torch.ones(2)
    for _ in range(3):
        optimizer.zero_grad()
        task(encoder(wavs, lens), Inputs(wavs, lens)).backward()
        optimizer.step()
    trained = tmp_path / "trained"
    trained.mkdir()
    save_encoder(encoder, trained / "encoder.ckpt")
    settings = {
        "!": "!new:speechbrain_mtl.models.HuggingFaceEncoder",
        "source": str(tmp_path / "start"),
    }
    write_inference(trained, settings)
    folder = export_huggingface(trained, tmp_path / "out")

    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    wav = 0.3 + torch.randn(9000)
    values = extractor(wav.numpy(), sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        expected = theirs(values.input_values, output_hidden_states=True)
        ours = encoder.eval()(wav[None], torch.ones(1)).layers
        before = start.eval()(wav[None], torch.ones(1)).layers
    for layer, other in zip(ours[:-1], expected.hidden_states):
        torch.testing.assert_close(layer, other, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        ours[-1], expected.last_hidden_state, rtol=1e-4, atol=1e-5
    )
    assert (ours[-1] - before[-1]).abs().max() > 1e-3
