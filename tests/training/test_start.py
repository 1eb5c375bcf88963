import pytest

from speechbrain_mtl.training.start import start

YAML = """
seed: 3
output_folder: {folder}/run
net: !new:torch.nn.Linear [!ref <seed>, 4]
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(YAML.format(folder=tmp_path))
    return path


def test_it_gives_objects_data_and_run_options(recipe):
    started = start([str(recipe), "--device=cpu", "--seed=5"])
    assert started.run_opts["device"] == "cpu"
    assert started.hparams["net"].in_features == 5
    assert started.settings["net"]["items"] == [5, 4]
    assert started.hparams_file == str(recipe)
    assert "seed: 5" in started.overrides


def test_a_key_the_yaml_does_not_have_is_refused(recipe):
    with pytest.raises(KeyError, match="sed.*not found"):
        start([str(recipe), "--sed=5"])
