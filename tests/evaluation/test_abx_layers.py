import pytest
import soundfile
import torch

from speechbrain_mtl.evaluation import abx_score, triphone_items
from speechbrain_mtl.evaluation.abx_layers import abx_by_layer
from speechbrain_mtl.report.layer_profile import draw_layer_profile


@pytest.fixture
def phones(entries):
    """Recordings of four levels, of two speakers; segments are triphones."""
    chosen = {}
    for number, (name, entry) in enumerate(entries.items()):
        spans = [
            segment
            for begin, end, label in entry["phones"]
            for segment in (
                [begin, begin + 0.1, "l"],
                [begin + 0.1, end - 0.1, label],
                [end - 0.1, end, "r"],
            )
        ]
        chosen[name] = {**entry, "phones": spans, "speaker": f"s{number % 2}"}
    return chosen


def items_of(entries):
    return [item for item in triphone_items(entries) if item.phone not in "lr"]


@pytest.mark.parametrize("slicing", ["fixed", "librilight"])
def test_each_layer_has_the_error_of_its_own_features(encoder, phones, slicing):
    items = items_of(phones)
    scores = abx_by_layer(encoder, phones, items, ("within", "across"), slicing)
    assert list(scores) == ["within", "across"]
    for layer in range(2):
        features = {}
        for name, entry in phones.items():
            wav = torch.from_numpy(soundfile.read(entry["wav"])[0]).float()
            encoded = encoder(wav[None], torch.ones(1))
            features[name] = encoded.layers[layer][0].half()
        for speaker, found in scores.items():
            assert found[layer] == abx_score(
                features,
                items,
                speaker,
                slicing,
                hop=encoder.hop,
                offset=encoder.offset,
            )
    # One value has no direction but its sign; two of them have.
    assert scores["within"][0].error == 0.5
    assert scores["within"][1].error != 0.5


def test_triphones_of_the_manifest_are_the_items_unless_given(encoder, phones):
    whole = abx_by_layer(encoder, phones)
    given = abx_by_layer(encoder, phones, triphone_items(phones))
    assert whole == given


def test_layers_do_not_depend_on_batches(encoder, phones):
    items = items_of(phones)
    one = abx_by_layer(encoder, phones, items, batch_seconds=0.1)
    assert one == abx_by_layer(encoder, phones, items, batch_seconds=1e3)


def test_items_of_no_entry_are_named(encoder, phones):
    items = items_of(phones)
    items[3] = items[3]._replace(file="lost")
    with pytest.raises(ValueError, match="lost: named by items, but not in"):
        abx_by_layer(encoder, phones, items)


def test_a_profile_is_drawn(tmp_path):
    path = tmp_path / "layers.png"
    profiles = {"within": [0.2, 0.1, 0.3], "across": [0.3, 0.25]}
    draw_layer_profile(profiles, path)
    assert path.read_bytes()[1:4] == b"PNG"
    before = path.read_bytes()
    draw_layer_profile(profiles, path)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="without layers"):
        draw_layer_profile({"within": []}, path)
