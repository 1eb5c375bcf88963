"""Heads against independent ones of the published shapes, weights copied.

The public heads are written anew here, in plain torch, one utterance after the
other where lengths matter.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.tasks.superb import (
    EmotionRecognition,
    IntentClassification,
    KeywordSpotting,
    PhoneRecognition,
    SlotFilling,
    SpeakerDiarization,
    SpeakerIdentification,
    SpeechRecognition,
    XVectorVerification,
)

D = 24  # of the encoder
LENS = torch.tensor([40, 23, 31])


def batch():
    torch.manual_seed(1)
    return Encoded((torch.randn(3, 40, D),), LENS, 0.02, 0.0125)


def prepared(task, entries):
    torch.manual_seed(0)
    task.prepare((D,), entries)
    return task.eval()


def copied(public, pairs):
    """Copy parameters by name, all of them."""
    state = {name: value.detach().clone() for name, value in pairs.items()}
    public.load_state_dict(state, strict=True)
    return public.eval()


def linear(name, layer):
    return {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}


def close(ours, theirs, lens=LENS):
    for row, size in enumerate(lens.tolist()):
        torch.testing.assert_close(
            ours[row, :size], theirs[row, :size], rtol=1e-4, atol=1e-5
        )


# --- utterances: projector, mean over valid frames, linear


class UtteranceHead(nn.Module):
    def __init__(self, size, outputs):
        super().__init__()
        self.projector = nn.Linear(size, 256)
        self.post = nn.Linear(256, outputs)

    def forward(self, x, lens):
        x = self.projector(x)
        return self.post(torch.stack([f[:n].mean(0) for f, n in zip(x, lens)]))


@pytest.mark.parametrize(
    ("task", "classes"),
    [
        (KeywordSpotting(), 12),
        (SpeakerIdentification(), 1251),
        (EmotionRecognition(), 4),
    ],
    ids=["ks", "sid", "er"],
)
def test_utterance_heads(task, classes):
    entries = {f"u{i}": {task.field: f"{i:04d}"} for i in range(classes)}
    prepared(task, entries)
    first, second = task.head
    public = copied(
        UtteranceHead(D, classes),
        linear("projector", first) | linear("post", second),
    )
    encoded = batch()
    torch.testing.assert_close(
        task.logits(encoded),
        public(encoded.layers[0], LENS),
        rtol=1e-4,
        atol=1e-5,
    )


def test_the_intent_head_is_one_layer_for_all_slots():
    sizes = {"action": 6, "object": 14, "location": 4}
    entries = {
        f"u{i}": {"intent": {s: f"{i % n:02d}" for s, n in sizes.items()}}
        for i in range(84)
    }
    task = prepared(IntentClassification(), entries)
    first, second = task.head
    public = copied(
        UtteranceHead(D, 24),
        linear("projector", first) | linear("post", second),
    )
    encoded = batch()
    logits = task.logits(encoded)
    assert [part.shape[1] for part in logits] == [6, 14, 4]
    torch.testing.assert_close(
        torch.cat(logits, 1),
        public(encoded.layers[0], LENS),
        rtol=1e-4,
        atol=1e-5,
    )


# --- frames: projector, linear


def test_the_phone_head():
    task = prepared(PhoneRecognition(), {"u": {"phones": ["S", "OW1"]}})
    public = nn.Sequential(nn.Linear(D, 256), nn.Linear(256, 74))
    pairs = linear("0", task.trunk.projector) | linear("1", task.out)
    copied(public, pairs)
    encoded = batch()
    ours, lens = task.log_probs(encoded)
    assert torch.equal(lens, LENS)
    close(ours, public(encoded.layers[0]).log_softmax(-1))


# --- recurrent: projector, packed bidirectional LSTMs, linear


class RecurrentHead(nn.Module):
    def __init__(self, size, width, outputs):
        super().__init__()
        self.projector = nn.Linear(size, width)
        self.rnn0 = nn.LSTM(width, width, bidirectional=True, batch_first=True)
        self.rnn1 = nn.LSTM(
            2 * width, width, bidirectional=True, batch_first=True
        )
        self.linear = nn.Linear(2 * width, outputs)

    def forward(self, x, lens):
        x = self.projector(x)
        for rnn in (self.rnn0, self.rnn1):
            x = pack_padded_sequence(x, lens, True, enforce_sorted=False)
            x, _ = pad_packed_sequence(rnn(x)[0], True)
        return self.linear(x)


def recurrent(name, layer):
    """Name one of our BiLSTMs as torch names its own."""
    pairs = {}
    for part, ending in ((layer.ahead, ""), (layer.back, "_reverse")):
        for key, value in part.named_parameters():
            pairs[f"{name}.{key}{ending}"] = value
    return pairs


SPOKEN = {"u": {"text": "so it is", "bio": ["O", "B-a", "I-a"]}}


@pytest.mark.parametrize(
    ("make", "outputs"), [(SpeechRecognition, 32), (SlotFilling, 33)]
)
def test_recurrent_heads(make, outputs):
    task = prepared(make(projection=8, hidden_size=8, augment=None), SPOKEN)
    trunk = task.trunk
    public = RecurrentHead(D, 8, outputs)
    pairs = (
        linear("projector", trunk.projector)
        | recurrent("rnn0", trunk.layers[0])
        | recurrent("rnn1", trunk.layers[1])
        | linear("linear", task.out)
    )
    copied(public, pairs)
    encoded = batch()
    ours, _ = task.log_probs(encoded)
    close(ours, public(encoded.layers[0], LENS).log_softmax(-1))


def test_dropout_follows_each_recurrent_layer():
    task = prepared(
        SpeechRecognition(projection=8, hidden_size=8, augment=None), SPOKEN
    )
    task.train()
    frames = batch().layers[0]
    torch.manual_seed(5)
    ours, _ = task.trunk(frames, LENS)
    torch.manual_seed(5)
    x = task.trunk.projector(frames)
    for layer in task.trunk.layers:
        x = functional.dropout(layer(x, LENS), 0.2)
    torch.testing.assert_close(ours, x)


# --- diarization: one LSTM, linear


class DiarizationHead(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rnn = nn.LSTM(size, 512, num_layers=1, batch_first=True)
        self.linear = nn.Linear(512, 2)

    def forward(self, x, lens):
        x = pack_padded_sequence(x, lens, True, enforce_sorted=False)
        return self.linear(pad_packed_sequence(self.rnn(x)[0], True)[0])


def test_the_diarization_head():
    entry = {"duration": 1.0, "turns": [[0, 0.4, "ann"], [0.2, 0.9, "bob"]]}
    task = prepared(SpeakerDiarization(), {"u": entry})
    pairs = {f"rnn.{k}": v for k, v in task.lstm.named_parameters()}
    public = copied(DiarizationHead(D), pairs | linear("linear", task.out))
    encoded = batch()
    close(task.logits(encoded), public(encoded.layers[0], LENS))


# --- verification: connector, time-delay layers over unfolded frames, pooling

CONTEXTS = ((5, 1), (3, 2), (3, 3), (1, 1), (1, 1))


class SpeakerHead(nn.Module):
    def __init__(self, size, width, pooled, speakers):
        super().__init__()
        self.connector = nn.Linear(size, width)
        self.tdnn = nn.ModuleList(
            nn.Linear(context * width, pooled if last else width)
            for (context, _), last in zip(CONTEXTS, (0, 0, 0, 0, 1))
        )
        self.linear1 = nn.Linear(2 * pooled, width)
        self.linear2 = nn.Linear(width, width)
        self.W = nn.Parameter(torch.empty(width, speakers))

    def embed(self, x):
        """Embed one utterance, [F, D]."""
        x = self.connector(x)
        for layer, (context, dilation) in zip(self.tdnn, CONTEXTS):
            frames = len(x) - (context - 1) * dilation
            x = torch.stack(
                [
                    torch.cat([x[t + k * dilation] for k in range(context)])
                    for t in range(frames)
                ]
            )
            x = layer(x).relu()
        pooled = torch.cat([x.mean(0), x.std(0)])
        return self.linear1(pooled).relu()

    def loss(self, x, lens, labels, s=30.0, m=0.4):
        total = 0.0
        for frames, size, label in zip(x, lens, labels):
            vector = self.linear2(self.embed(frames[:size])).relu()
            cosines = vector / vector.norm() @ (self.W / self.W.norm(dim=0))
            own = torch.exp(s * (cosines[label] - m))
            others = torch.exp(s * cosines).sum() - torch.exp(
                s * cosines[label]
            )
            total = total - torch.log(own / (own + others))
        return total / len(lens)


def test_the_verification_head():
    entries = {f"u{i}": {"speaker": f"{i}"} for i in range(5)}
    task = prepared(
        XVectorVerification(projection=16, pooled_size=20, embedding_size=16),
        entries,
    )
    public = SpeakerHead(D, 16, 20, 5)
    head = task.embedder
    pairs = linear("connector", head.connector) | {"W": task.directions.T}
    for i, layer in enumerate(head.layers):
        # Of a filter, frames side by side.
        flat = layer.weight.transpose(1, 2).flatten(1)
        pairs |= {f"tdnn.{i}.weight": flat, f"tdnn.{i}.bias": layer.bias}
    pairs |= linear("linear1", head.linear) | linear("linear2", task.last)
    copied(public, pairs)
    encoded = batch()
    frames = encoded.layers[0]
    expected = torch.stack([public.embed(x[:n]) for x, n in zip(frames, LENS)])
    torch.testing.assert_close(
        task.embed(encoded), expected, rtol=1e-4, atol=1e-5
    )
    labels = torch.tensor([4, 0, 2])
    inputs = type("I", (), {"target": type("T", (), {"data": labels[:, None]})})
    torch.testing.assert_close(
        task(encoded, inputs),
        public.loss(frames, LENS, labels),
        rtol=1e-4,
        atol=1e-5,
    )


# --- sizes over an encoder of 768


def test_transcribing_and_verifying_heads_have_the_published_sizes():
    def count(task, entries):
        with torch.device("meta"):
            task.prepare((768,) * 13, entries)
        weights = {n: p.numel() for n, p in task.named_parameters()}
        assert weights.pop("reader.mix.logits") == 13
        return sum(weights.values())

    projector = 768 * 1024 + 1024
    phones = {"u": {"phones": ["S"]}}
    linears = 768 * 256 + 256 + 256 * 74 + 74
    assert count(PhoneRecognition(), phones) == linears == 215_882
    assert count(SpeechRecognition(), SPOKEN) == 42_041_376 + projector
    slots = [f"B-{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(39)]
    entries = {"u": {"text": " ".join("x" for _ in slots), "bio": slots}}
    outputs = 31 + 2 * 39
    sizes = 42_041_376 + (outputs - 32) * 2049 + projector
    assert count(SlotFilling(), entries) == sizes
    speakers = {f"u{i}": {"speaker": f"{i}"} for i in range(1211)}
    assert count(XVectorVerification(), speakers) == 6_730_204
