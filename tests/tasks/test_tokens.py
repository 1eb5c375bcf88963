"""Token sets: the blank is 0, what was said comes back, nothing is guessed."""

import copy
import io
import pickle

import pytest
import sentencepiece
import torch

from speechbrain_mtl.tasks.sentence_pieces import SentencePieces
from speechbrain_mtl.tasks.tokens import CharacterTokens, LabelTokens, said

TEXTS = ["so it is", "is it so", "sit so so", "it is his"]
ENTRIES = {f"u{i}": {"text": text} for i, text in enumerate(TEXTS)}
PHONES = {
    "u1": {"phones": [[0, 1, "sil"], [1, 2, "s"], [2, 3, "ow"], [3, 4, "s"]]},
    "u2": {"phones": ["ow", "ow", "t"]},
}


def sets():
    return [
        (LabelTokens("phones"), PHONES),
        (LabelTokens("phones", keep_silence=True), PHONES),
        (CharacterTokens("text"), ENTRIES),
        (SentencePieces("text", size=9), ENTRIES),
        (SentencePieces("text", size=12, kind="bpe"), ENTRIES),
    ]


def fitted():
    made = sets()
    for tokens, entries in made:
        tokens.fit(entries)
    return made


def test_what_was_said_comes_back_and_is_never_the_blank():
    for tokens, entries in fitted():
        for entry in entries.values():
            ids = tokens.encode(entry)
            assert set(ids) <= set(range(1, len(tokens.labels) + 1))
            assert tokens.decode(ids) == tokens.reference(entry)
            # The blank and marks behind the labels say nothing.
            more = [0, *ids, 0, len(tokens.labels) + 2]
            assert tokens.decode(more) == tokens.reference(entry)


def test_labels_are_those_of_the_entries_given():
    (dropped, _), (kept, _), (spelled, _), *_ = fitted()
    assert dropped.labels == ["ow", "s", "t"]
    assert kept.labels == ["ow", "s", "sil", "t"]
    assert spelled.labels == sorted(set("".join(TEXTS)))


def test_silence_is_left_out_or_kept():
    (dropped, _), (kept, _), *_ = fitted()
    assert dropped.reference(PHONES["u1"]) == ["s", "ow", "s"]
    assert kept.reference(PHONES["u1"]) == ["sil", "s", "ow", "s"]


def test_aligned_words_read_as_text():
    words = [[0.0, 0.4, "so"], [0.4, 0.5, "it"]]
    assert said(words) == said("so it")


@pytest.mark.parametrize("value", [None, 3, [3], [[0, 1]], {"a": "b"}])
def test_other_things_are_no_transcript(value):
    with pytest.raises(ValueError, match="neither a text nor a list"):
        said(value)


@pytest.mark.parametrize("way", ["pickle", "deepcopy", "checkpoint"])
def test_they_travel(way):
    for (tokens, entries), (empty, _) in zip(fitted(), sets()):
        if way == "pickle":
            copied = pickle.loads(pickle.dumps(tokens))
        elif way == "deepcopy":
            copied = copy.deepcopy(tokens)
        else:
            file = io.BytesIO()
            torch.save(tokens.state(), file)
            file.seek(0)
            copied = empty
            copied.load_state(torch.load(file, weights_only=True))
        assert copied.labels == tokens.labels
        for entry in entries.values():
            assert copied.encode(entry) == tokens.encode(entry)


def test_another_set_is_refused():
    for tokens, _ in fitted():
        state = {**tokens.state(), "labels": ["x"]}
        with pytest.raises(ValueError, match="Train anew"):
            tokens.load_state(state)


def test_pieces_that_cut_otherwise_are_refused():
    one, other = (SentencePieces("text", 4, kind="char") for _ in range(2))
    one.fit({"u1": {"text": "aaab aab"}})
    other.fit({"u1": {"text": "aaaaaaab aab"}})
    assert one.labels == other.labels
    with pytest.raises(ValueError, match="cut words otherwise"):
        one.load_state(other.state())


def test_unknown_labels_are_named():
    for tokens, entries in fitted():
        entry = next(iter(entries.values()))
        words = [*tokens.reference(entry), "Q"]
        assert tokens.unknown(words) == ["Q"]
        with pytest.raises(ValueError, match="'Q'"):
            tokens.encode_words(words)


def test_no_transcript_at_all_is_an_error():
    for tokens, _ in sets():
        with pytest.raises(ValueError, match="no transcript"):
            tokens.fit({"u1": {tokens.field: []}, "u2": {}})


def test_spelling_is_kept_as_it_is():
    tokens = SentencePieces("text", size=7, kind="char")
    tokens.fit({"u1": {"text": "ﬁ ½"}})  # a ligature and a fraction
    assert tokens.decode(tokens.encode({"text": "ﬁ ½"})) == ["ﬁ", "½"]


def test_a_long_transcript_is_learned_from(caplog):
    tokens = SentencePieces("text", size=6, kind="char")
    tokens.fit({"u1": {"text": "ab " * 4000}, "u2": {"text": "cd"}})
    assert {"a", "b", "c", "d"} < set(tokens.labels)


def test_a_written_model_is_read_again(tmp_path):
    path = tmp_path / "pieces.model"
    learned = SentencePieces("text", size=9, output_file=path)
    learned.fit(ENTRIES)
    loaded = SentencePieces("text", model_file=path)
    loaded.fit({"u1": {"text": "other words"}})
    assert loaded.labels == learned.labels
    assert [p.name for p in tmp_path.iterdir()] == ["pieces.model"]


def test_bad_models_and_sizes_are_named(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        SentencePieces("text", model_file=tmp_path / "gone").fit(ENTRIES)
    (tmp_path / "bad").write_text("no model")
    with pytest.raises(ValueError, match="no model of SentencePiece"):
        SentencePieces("text", model_file=tmp_path / "bad").fit(ENTRIES)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(tmp_path / "shifted"),
        vocab_size=10,
        unk_id=1,
        bos_id=0,
        minloglevel=2,
    )
    shifted = SentencePieces("text", model_file=tmp_path / "shifted.model")
    with pytest.raises(ValueError, match="unk_id=0"):
        shifted.fit(ENTRIES)
    with pytest.raises(ValueError, match="do not give 900 pieces"):
        SentencePieces("text", size=900).fit(ENTRIES)
    with pytest.raises(ValueError, match="kind 'word'"):
        SentencePieces("text", kind="word")
