"""The language model: known perplexity, padding, files, no test text."""

import logging

import pytest
import torch

from speechbrain_mtl.tasks.language_model import LanguageModel, perplexity
from speechbrain_mtl.tasks.tokens import CharacterTokens

LABELS = ["a", "b"]
SMALL = {"embedding_size": 8, "hidden_size": 16, "dnn_size": 16}


def coins(count, length=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 3, (count, length), generator=generator).tolist()


def test_perplexity_is_counted_a_token_in_any_batch():
    network = LanguageModel(**SMALL)._network(2).eval()
    sentences = [[1, 2, 1], [2], [1, 1, 1, 1, 2]]
    total = 0.0
    for sentence in sentences:  # one by one, without any padding
        scores, _ = network(torch.tensor([[3, *sentence]]))
        logs = scores[0].double().log_softmax(-1)
        total -= sum(float(logs[i, t]) for i, t in enumerate([*sentence, 4]))
    expected = torch.tensor(total / 12).exp()
    found = perplexity(network, sentences, 3)
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_it_learns_what_can_be_known_and_no_more(caplog):
    caplog.set_level(logging.INFO)
    model = LanguageModel(**SMALL, layers=1, dropout=0.0, epochs=20, lr=0.01)
    network = model.train(coins(800), LABELS)
    # Seven fair coins, then a certain end.
    reached = perplexity(network, coins(400, seed=1), 3)
    assert 2 ** (7 / 8) - 1e-3 < reached < 2 ** (7 / 8) * 1.03
    assert "perplexity 1." in caplog.text and "40 others" in caplog.text


def test_equal_seeds_give_equal_models_and_leave_others_draws_alone():
    model = LanguageModel(**SMALL, epochs=1)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with torch.no_grad():  # as in a test
        one = model.train(coins(30), LABELS)
    assert torch.rand(1) == expected
    two = model.train(coins(30), LABELS)
    assert not one.training
    for a, b in zip(one.parameters(), two.parameters()):
        assert torch.equal(a, b)
    other = LanguageModel(**SMALL, epochs=1, seed=1).train(coins(30), LABELS)
    assert not torch.equal(other.out.w.weight, one.out.w.weight)


def test_a_written_model_is_loaded_and_another_refused(tmp_path):
    path = tmp_path / "lm.ckpt"
    model = LanguageModel(**SMALL, epochs=1, output_file=path)
    trained = model.train(coins(30), LABELS)
    loaded = LanguageModel(**SMALL, model_file=path).load(LABELS)
    sentences = coins(5, seed=3)
    assert perplexity(loaded, sentences, 3) == perplexity(trained, sentences, 3)
    with pytest.raises(ValueError, match="others than the task's 3"):
        LanguageModel(**SMALL, model_file=path).load(["a", "b", "c"])
    with pytest.raises(ValueError, match="other sizes"):
        LanguageModel(hidden_size=4, model_file=path).load(LABELS)
    with pytest.raises(ValueError, match="no such file"):
        LanguageModel(model_file=tmp_path / "gone").load(LABELS)


def test_more_text_is_read_and_bad_lines_are_named(tmp_path):
    tokens = CharacterTokens("text")
    tokens.fit({"u1": {"text": "so is"}})
    path = tmp_path / "text.txt"
    path.write_text("is so\n\nso\n")
    model = LanguageModel(text_file=path)
    assert model.read_text(tokens) == [
        tokens.encode_words(["is", "so"]),
        tokens.encode_words(["so"]),
    ]
    path.write_text("so\nSo\n")
    with pytest.raises(ValueError, match=r"text.txt, line 2: \['S'\]"):
        model.read_text(tokens)
    with pytest.raises(ValueError, match="gone: no such file. Correct text_"):
        LanguageModel(text_file=tmp_path / "gone").read_text(tokens)
    assert LanguageModel().read_text(tokens) == []
