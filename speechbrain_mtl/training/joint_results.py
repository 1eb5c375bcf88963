"""What joint training gives: which weights, chosen how, and what they score."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from speechbrain.utils.distributed import if_main_process

from speechbrain_mtl.data.atomic import atomic_path, write_json
from speechbrain_mtl.evaluation.choice import best_of_each, choose_epoch
from speechbrain_mtl.evaluation.score import Score
from speechbrain_mtl.models import Encoder
from speechbrain_mtl.training.finetune import plain_answers
from speechbrain_mtl.training.joint import JointBrain
from speechbrain_mtl.training.joint_data import JointData
from speechbrain_mtl.training.model import unwrapped
from speechbrain_mtl.training.supervised import named_scores

BEST_OF_EACH = "best_of_each"
State = dict[str, torch.Tensor]


def joint_results(
    brain: JointBrain,
    data: JointData,
    folder: str | os.PathLike,
    rules: Sequence[str],
    reference: Mapping[str, float] | None,
    averaged: int,
    interpolated: Sequence[float],
    initial: Encoder | None,
    progressbar: bool = True,
) -> dict:
    """Choose weights by every rule, on validation alone, and test them.

    Arguments
    ---------
    brain : JointBrain
        Trained.
    data : JointData
        What it was trained on.
    folder : str or path-like
        Gets ``heads.ckpt``, ``encoder.ckpt`` and ``answers.json``.
    rules, reference, averaged, interpolated
        See `train_jointly`.
    initial : Encoder, optional
        The encoder before training; None where its layers were stored.
    progressbar : bool
        Whether to show them.

    Returns
    -------
    results : dict
        ``"rules"``: by rule the ``epoch`` (or epochs by task, or share of
        the encoder) and ``scores``, ``{"<task>/<metric>": score}`` with
        value, interval, n and ``valid``. ``"validations"``: errors by epoch
        and task. ``"errors"``: of each task as it validated best.
        ``"hours"``, ``"steps"``, ``"skipped"``.
    """
    folder = Path(folder)
    tested = Tested(brain, data, progressbar)
    snapshots = brain.hparams.snapshots
    errors = snapshots.errors()
    # Of several as good for a task, those beaten elsewhere are gone.
    best = best_of_each({epoch: errors[epoch] for epoch in snapshots.there()})
    chosen: dict[str, dict] = {}
    for rule in rules:
        if rule == BEST_OF_EACH:
            scores = {}
            for epoch in sorted(set(best.values())):
                own = [task for task in best if best[task] == epoch]
                scores |= tested.epoch(epoch, own)
            chosen[rule] = {"epoch": best, "scores": scores}
        else:
            epoch = choose_epoch(rule, errors, reference)
            chosen[rule] = {"epoch": epoch, "scores": tested.epoch(epoch)}
    first = choose_epoch(
        next((r for r in rules if r != BEST_OF_EACH), "mean_error"),
        errors,
        reference,
    )
    last = snapshots.there()[-averaged:] if averaged else []
    if len(last) > 1:
        state = averaged_states([snapshots.load(epoch) for epoch in last])
        scores = tested.tuned(state)
        chosen[f"mean of last {len(last)}"] = {"epoch": last, "scores": scores}
    if interpolated and initial is not None:
        chosen["interpolated encoder"] = tested.between(
            initial.state_dict(), snapshots.load(first), interpolated
        )
    if if_main_process():
        heads = {}
        for epoch in sorted(set(best.values())):
            state = snapshots.load(epoch)
            own = [task for task in best if best[task] == epoch]
            heads |= {task: part_of(state, f"tasks.{task}.") for task in own}
        with atomic_path(folder / "heads.ckpt") as temporary:
            torch.save(heads, temporary)
        encoder = part_of(snapshots.load(first), "encoder.")
        if encoder:
            with atomic_path(folder / "encoder.ckpt") as temporary:
                torch.save(encoder, temporary)
        write_json(folder / "answers.json", plain_answers(tested.answers))
    progress = brain.hparams.progress
    return {
        "rules": chosen,
        "validations": {str(epoch): found for epoch, found in errors.items()},
        "errors": {task: errors[epoch][task] for task, epoch in best.items()},
        "hours": progress.hours,
        "steps": progress.steps,
        "skipped": progress.skipped,
    }


class Tested:
    """Test weights, each set of them once.

    Arguments
    ---------
    brain : JointBrain
        Whose model takes the weights.
    data : JointData
        Whose tests.
    progressbar : bool
        Whether to show them.
    """

    def __init__(
        self, brain: JointBrain, data: JointData, progressbar: bool
    ) -> None:
        self.brain = brain
        self.data = data
        self.progressbar = progressbar
        self.tasks = list(brain.hparams.entries)
        self.answers: dict[str, dict] = {}
        self._known: dict[tuple[int, str], dict[str, dict]] = {}

    def epoch(
        self, epoch: int, tasks: Sequence[str] | None = None
    ) -> dict[str, dict]:
        """Test some tasks, or all, with the weights of an epoch."""
        wanted = list(tasks or self.tasks)
        missing = [t for t in wanted if (epoch, t) not in self._known]
        if missing:
            snapshots = self.brain.hparams.snapshots
            self._load(snapshots.load(epoch))
            scores = self._tests(missing, snapshots.values(epoch))
            for task in missing:
                self._known[epoch, task] = {
                    name: score
                    for name, score in scores.items()
                    if name.startswith(f"{task}/")
                }
        return {
            name: score
            for task in wanted
            for name, score in self._known[epoch, task].items()
        }

    def tuned(self, state: State) -> dict[str, dict]:
        """Test weights that no validation has seen, once it has."""
        self._load(state)
        valid = self._scores("valid", self.tasks, tune=True)
        return self._tests(self.tasks, named_scores(valid))

    def _tests(
        self, tasks: Sequence[str], valid: Mapping[str, float]
    ) -> dict[str, dict]:
        """Test the weights as they are, beside what they validated at."""
        model = unwrapped(self.brain.modules.model)
        for name in tasks:
            if model.tasks[name].learns:
                self._scores("train", [name])
                entries = self.data.parts[name]["train"]
                model.tasks[name].learn(self.brain.answers[name], entries)
        scores = self._scores("test", tasks)
        self.answers |= self.brain.answers
        return {
            f"{name}/{score.metric}": {
                **score.as_dict(),
                # A test may be scored by more than validation is.
                "valid": valid.get(f"{name}/{score.metric}"),
            }
            for name in tasks
            for score in scores[name]
        }

    def between(
        self, start: State, end: State, shares: Sequence[float]
    ) -> dict:
        """Test the best encoder between two, of those that validation sees."""
        found = []
        for share in shares:
            mixed = {
                name: torch.lerp(start[name[8:]].to(value), value, share)
                if name.startswith("encoder.") and value.is_floating_point()
                else value
                for name, value in end.items()
            }
            self._load(mixed)
            valid = self._scores("valid", self.tasks, tune=True)
            error = sum(v[0].error for v in valid.values()) / len(valid)
            found.append((error, share, mixed))
        _, share, mixed = min(found, key=lambda one: one[:2])
        scores = self.tuned(mixed)
        return {"epoch": None, "share": share, "scores": scores}

    def _load(self, state: State) -> None:
        model = unwrapped(self.brain.modules.model)
        missing, unknown = model.load_state_dict(state, strict=False)
        kept = ("encoder.", "bank.")  # no part of what was trained
        if unknown or any(not name.startswith(kept) for name in missing):
            raise ValueError(f"weights lack {missing}, or know {unknown}")

    def _scores(
        self, part: str, tasks: Sequence[str], tune: bool = False
    ) -> dict[str, list[Score]]:
        parts = self.data.parts
        self.brain.hparams.entries = {n: parts[n][part] for n in tasks}
        batches = self.data.loader(part, tasks)
        return self.brain.test(batches, tune, part, self.progressbar)


def averaged_states(states: Sequence[State]) -> State:
    """Average weights; what is no number is taken from the last.

    Example
    -------
    >>> averaged_states([{"w": torch.zeros(1)}, {"w": torch.ones(1)}])
    {'w': tensor([0.5000])}
    """
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if isinstance(value, torch.Tensor) and value.is_floating_point()
        else value
        for name, value in states[-1].items()
    }


def part_of(state: State, prefix: str) -> State:
    """Take a module's own weights out of a model's.

    Example
    -------
    >>> part_of({"encoder.w": 1, "tasks.a.w": 2}, "encoder.")
    {'w': 1}
    """
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }
