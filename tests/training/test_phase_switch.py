"""Speech alone, then with images: what a switch keeps, and what it leaves."""

import functools
import json

import pytest
import speechbrain as sb
import torch
from speechbrain.utils.checkpoints import Checkpointer
from torch.utils.data import DataLoader

from speechbrain_mtl.training import MultiTaskBrain, Schedule
from speechbrain_mtl.training.alpha import (
    VARIANTS,
    alpha_phases,
    published_stages,
)
from speechbrain_mtl.training.phase_rates import PhaseRates
from speechbrain_mtl.training.progress import JsonLinesLog, Progress
from tests.helpers.grounding import pairs, small_model

pytest.importorskip("transformers")

STEPS = 2  # an epoch
SSL, AV, BOTH = {"wav2vec2"}, {"grounding"}, {"wav2vec2", "grounding"}


class Sampler:
    """The same two batches in every epoch."""

    rank, world_size, steps_per_epoch = 0, 1, STEPS

    def __init__(self):
        self.epoch, self.start = 1, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return STEPS - self.start

    def __iter__(self):
        yield from ([[0, 1], [2, 3]])[self.start :]


def items():
    wavs, lens, batch = pairs()
    return [
        {
            "id": str(row),
            "sig": wavs[row, : round(float(lens[row]) * wavs.shape[1])],
            "image": batch.image.data[row, :3],
            "image_id": name,
            "seconds": 0.5,
        }
        for row, name in enumerate(batch.image_id)
    ]


class Watched(MultiTaskBrain):
    """Keeps the weights at every start of an epoch, and each step's rate."""

    def on_fit_start(self):
        super().on_fit_start()
        self.kept, self.moments, self.steps = [], [], []

    def on_stage_start(self, stage, epoch=None):
        super().on_stage_start(stage, epoch)
        if stage == sb.Stage.TRAIN:
            self.keep()
            self.moments.append(len(self.optimizer.state))

    def on_fit_batch_start(self, batch, should_step):
        super().on_fit_batch_start(batch, should_step)
        rate = self.optimizer.param_groups[0]["lr"]
        weights = self.phase.weighting
        self.steps.append((rate, weights.active, weights.weights))

    def keep(self):
        state = self.modules.model.state_dict()
        self.kept.append({n: v.clone() for n, v in state.items()})


def train(folder, stages):
    model = small_model()
    schedule = Schedule(alpha_phases(stages, 1.0), 1.0)
    counter = sb.utils.epoch_loop.EpochCounter(schedule.epochs)
    progress = Progress()
    brain = Watched(
        modules={"model": model},
        opt_class=functools.partial(
            torch.optim.AdamW, lr=0.01, weight_decay=0.5
        ),
        hparams={
            "schedule": schedule,
            "sampler": Sampler(),
            "progress": progress,
            "lr_scheduler": PhaseRates(schedule, STEPS, 0.01, 0.5),
            "log": JsonLinesLog(folder / "train_log.jsonl"),
            "log_every": 1,
            "grad_share_every": 1,
            "seed": 3,
        },
        run_opts={"device": "cpu", "noprogressbar": True},
        checkpointer=Checkpointer(
            folder / "save",
            recoverables={
                "model": model,
                "counter": counter,
                "progress": progress,
            },
        ),
    )
    collate = functools.partial(
        sb.dataio.batch.PaddedBatch, nonpadded_stack=False
    )
    loaders = [
        DataLoader(items(), batch_sampler=sampler, collate_fn=collate)
        for sampler in (brain.hparams.sampler, Sampler())
    ]
    brain.fit(counter, *loaders)
    brain.keep()
    return brain


def changed(before, after):
    return {n for n in before if not torch.equal(before[n], after[n])}


def only(parameters, *beginnings):
    return {n for n in parameters if n.startswith(beginnings)}


TOP = "encoder.network.encoder.layers.2."


@pytest.mark.parametrize(
    "alphas, first",
    [((0, 0.5), SSL), ((1, 0), AV), ((0.5, 1), BOTH)],
    ids=["(W2V2, VGS+)", "(VGS, W2V2)", "(VGS+, VGS)"],
)
def test_a_switch_keeps_weights_and_forgets_moments(alphas, first, tmp_path):
    stages = [{"epochs": 1, "alpha": alpha} for alpha in alphas]
    seen = []

    class Looking(Checkpointer):
        def save_and_keep_only(self, *arguments, **more):
            super().save_and_keep_only(*arguments, **more)
            path = self.find_checkpoint().paramfiles["model"]
            seen.append(torch.load(path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "Checkpointer", Looking)
        brain = train(tmp_path, stages)
    begun, switched, done = brain.kept
    # Phase 2 begins with the last checkpoint of phase 1, to the bit.
    assert not changed(seen[0], switched) and set(seen[0]) == set(switched)
    assert brain.moments == [0, 0] and len(brain.optimizer.state) > 0
    # The rate rises anew.
    assert [rate for rate, *_ in brain.steps] == [0.01, 0.005] * 2
    names = dict(brain.modules.model.named_parameters())
    ssl_only = only(names, TOP, "tasks.wav2vec2.")
    av_only = only(names, "tasks.grounding.")
    for alpha, before, after in (
        (alphas[0], begun, switched),
        (alphas[1], switched, done),
    ):
        moved = changed(before, after)
        assert len(moved & (set(names) - ssl_only - av_only)) > 20
        # What only the inactive task uses is untouched: no weight decay.
        assert bool(moved & ssl_only) == (alpha < 1)
        assert bool(moved & av_only) == (alpha > 0)
        if alpha in (0, 1):
            inactive = "grounding" if alpha == 0 else "wav2vec2"
            assert not only(moved, f"tasks.{inactive}.")
    assert set(brain.steps[0][1]) == first


def read_log(folder):
    lines = (folder / "train_log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_an_inactive_task_is_not_in_the_log(tmp_path):
    train(tmp_path, [{"epochs": 1, "alpha": 1}, {"epochs": 1, "alpha": 0.25}])
    log = read_log(tmp_path)
    for entry in log:
        tasks = entry["tasks"]
        assert set(tasks) == (AV if entry["epoch"] == 1 else BOTH)
        total = sum(t["loss"] * t["weight"] for t in tasks.values())
        assert entry["loss"] == pytest.approx(total, rel=1e-5)
        assert 0 <= tasks["grounding"]["speech_to_image"] <= 1
    assert log[-1]["tasks"]["grounding"]["weight"] == 0.25


def test_alpha_may_rise_by_the_step(tmp_path):
    brain = train(tmp_path, [{"epochs": 2, "alpha": [0, 1]}])
    weights = [w["grounding"] for *_, w in brain.steps]
    assert weights == pytest.approx([0, 1 / 3, 2 / 3, 1])
    active = [set(active) for _, active, _ in brain.steps]
    assert active == [SSL, BOTH, BOTH, AV]
    valid = [e for e in read_log(tmp_path) if e["split"] == "valid"]
    assert all(set(entry["tasks"]) == BOTH for entry in valid)


def test_tasks_may_take_turns(tmp_path):
    brain = train(tmp_path, [{"epochs": 2, "alternate": 1}])
    active = [set(active) for _, active, _ in brain.steps]
    assert active == [SSL, AV, SSL, AV]
    log = read_log(tmp_path)
    trained = [e["tasks"] for e in log if e["split"] == "train"]
    assert [set(tasks) for tasks in trained] == active
    valid = [e["tasks"] for e in log if e["split"] == "valid"]
    assert all(set(tasks) == BOTH for tasks in valid)


def test_the_nine_runs_are_those_of_the_paper():
    # Of its table: alpha of the first 20 epochs, and of the other 50.
    table = {
        "W2V2": (0, 0),
        "VGS": (1, 1),
        "VGS+": (0.5, 0.5),
        "(W2V2, VGS+)": (0, 0.5),
        "(VGS, VGS+)": (1, 0.5),
        "(W2V2, VGS)": (0, 1),
        "(VGS, W2V2)": (1, 0),
        "(VGS+, W2V2)": (0.5, 0),
        "(VGS+, VGS)": (0.5, 1),
    }
    assert set(VARIANTS) == set(table)
    for name, (early, late) in table.items():
        schedule = Schedule(alpha_phases(published_stages(name), 3.0), 3.0)
        assert schedule.epochs == 70
        for epoch, alpha in ((1, early), (20, early), (21, late), (70, late)):
            weights = schedule.at(epoch).weighting.weights
            assert weights == {"wav2vec2": 1 - alpha, "grounding": alpha}
        restarts = [p.restart_optimizer for p in schedule.phases]
        assert restarts == ([False] if name[0] != "(" else [False, True])


@pytest.mark.parametrize(
    "stage, message",
    [
        ({"epochs": 1, "alpha": 1.5}, "alpha is 1.5"),
        ({"epochs": 1}, "stage 1 is {'epochs': 1}"),
        ({"epochs": 1, "alpha": 0, "alternate": 1}, "either alpha or"),
        ({"epochs": 1, "alternate": 0}, "one step at least"),
    ],
)
def test_senseless_stages_are_refused(stage, message):
    with pytest.raises(ValueError, match=message):
        alpha_phases([stage], 1.0)


@pytest.mark.parametrize(
    "name, epochs, message",
    [
        ("VGS++", 70, "'VGS\\+\\+' is none of"),
        ("(VGS, W2V2)", 1, "2 stages, and 1 epochs"),
    ],
)
def test_runs_that_are_not_there_are_refused(name, epochs, message):
    with pytest.raises(ValueError, match=message):
        published_stages(name, epochs)


def test_rates_go_on_over_phases_that_do_not_restart():
    phases = alpha_phases([{"epochs": 2, "alpha": 0.5}] * 3, 1.0)
    phases[1].restart_optimizer = False
    rate = PhaseRates(Schedule(phases, 1.0), 5, 1.0, 0.1)
    found = [rate.calculate_lr(update) for update in range(1, 31)]
    # 20 updates with 2 of rise; then 10 with 1.
    slow = [0.5, 1.0] + [1 - k / 19 for k in range(1, 19)]
    slow += [1.0] + [1 - k / 10 for k in range(1, 10)]
    assert found == pytest.approx(slow)
