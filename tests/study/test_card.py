import json

import pytest

from speechbrain_mtl.report.study_figures import draw_study
from speechbrain_mtl.selection import Selection
from speechbrain_mtl.study import study_card, study_tables
from speechbrain_mtl.study.card import SCORES, paired
from speechbrain_mtl.study.run import name_runs
from speechbrain_mtl.study.study import mean_error

LABELS = ["a", "b", "c", "d", "e"]


@pytest.fixture
def card():
    """Labels of rising error; "ci" foresees it, "reference" the reverse."""
    rising = {name: 0.1 * (k + 1) for k, name in enumerate(LABELS)}
    tasks = {
        name: {
            **dict.fromkeys(SCORES, value),
            "reference": -value,
            "relevance": -value,
        }
        for name, value in rising.items()
    }
    selection = Selection("words", "sparsemax", rising, tasks)
    singles = {name: [v, v + 0.01, v + 0.02] for name, v in rising.items()}
    groups = {"uniform": [0.3, 0.3, 0.4], "sparsemax": [0.2, 0.25, 0.3]}
    return study_card(
        {"word": selection},
        {"word": singles},
        {"word": [0.5, 0.5, 0.6]},
        {"word": groups},
        {"word": {"uniform": {"a": 1.0}, "sparsemax": {"b": 1.0}}},
    )


def test_a_score_is_judged_by_what_it_promises(card):
    found = card["downstream"]["word"]["agreement"]
    assert found["ci"]["spearman"] == pytest.approx(1)
    assert found["reference"]["spearman"] == pytest.approx(-1)
    # High relevance promises low errors; here it keeps the promise.
    assert found["relevance"]["spearman"] == pytest.approx(1)
    assert card["downstream"]["word"]["reliability"] == pytest.approx(1)


def test_gains_are_paired_by_seed(card):
    gain = card["groups"]["word"]["sparsemax"]["gain_over_uniform"]
    assert gain["mean"] == pytest.approx((0.1 + 0.05 + 0.1) / 3)
    low, high = gain["interval"]
    assert low < gain["mean"] < high
    own = card["groups"]["word"]["uniform"]["gain_over_uniform"]
    assert own["mean"] == 0 and own["interval"] == [0, 0]
    with pytest.raises(ValueError):
        paired([0.1], [0.1, 0.2])


def test_the_card_is_json_and_the_tables_name_every_label_and_strategy(card):
    assert json.loads(json.dumps(card)) == card
    text = study_tables(card)
    for name in (*LABELS, "sparsemax", "uniform", "not trained"):
        assert f"| {name} |" in text or f"| *{name}* |" in text
    assert "+1.00" in text and "-1.00" in text


def test_the_picture_is_drawn(card, tmp_path):
    path = draw_study(card, tmp_path / "study.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_groups_can_be_compared_without_single_labels(card, tmp_path):
    groups = {
        "uniform": [0.3, 0.3, 0.4],
        "base alone": [0.4, 0.5, 0.4],
    }
    alone = study_card(
        {}, {}, {"word": [0.5, 0.5, 0.6]}, {"word": groups}, {"word": {}}
    )
    text = study_tables(alone)
    assert "Spearman" not in text
    assert "| base alone | word | 43.3 | -10.0" in text
    assert "| *not trained* | word | 53.3 | |" in text
    path = draw_study(alone, tmp_path / "study.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_equal_weights_are_one_run():
    even, odd = {"f0": 0.5, "zcr": 0.5}, {"f0": 1.0, "zcr": 0.0}
    names = name_runs(
        {
            "word": {"uniform": even, "naive top": odd},
            "phone": {"uniform": dict(reversed(even.items())), "mrmr": even},
        }
    )
    assert names["word"]["uniform"] == names["phone"]["uniform"]
    assert names["phone"]["mrmr"] == names["word"]["uniform"]
    assert names["word"]["naive top"] == "group_word_naive_top"


def test_the_error_of_a_task_is_the_mean_over_its_folds_only():
    def probe(value, higher=True):
        return {"value": value, "higher_is_better": higher}

    results = {
        "digit.digit_ann/linear": probe(0.9),
        "digit.digit_bob/linear": probe(0.7),
        "speaker/linear": probe(0.1),
        "phone/linear": probe(0.4, higher=False),
    }
    assert mean_error(results, "digit") == pytest.approx(0.2)
    assert mean_error(results, "speaker") == pytest.approx(0.9)
    assert mean_error(results, "phone") == pytest.approx(0.4)
    with pytest.raises(KeyError, match="no probe of 'word'"):
        mean_error(results, "word")
