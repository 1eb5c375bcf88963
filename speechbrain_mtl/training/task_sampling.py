"""Which tasks train in which step, and which of their batches."""

from collections.abc import Iterator, Mapping

import numpy as np

from speechbrain_mtl.training.utterances import UtteranceBatchSampler

STRATEGIES = ("all", "proportional", "temperature", "round_robin")


class TaskSampler:
    """Draw tasks for every step, and the next batch of each that is drawn.

    Every task has its own endless row of batches, of which each drawing takes
    the next one: none is left out or comes twice in a pass over the task's
    data. Drawings depend on seed and epoch alone, so that a resumed run
    repeats them.

    Arguments
    ---------
    streams : dict
        `UtteranceBatchSampler` of each task.
    steps_per_epoch : int
        Steps between validations.
    strategy : str
        ``"all"`` draws every task in every step; ``"proportional"`` by
        hours of audio; ``"temperature"`` by hours to the power 1 / T, which
        lifts small tasks; ``"round_robin"`` one after the other.
    temperature : float
        T, 1 or more.
    tasks_per_step : int
        How many different tasks a step draws, but for ``"all"``.
    seed : int
        Fixes the drawings.

    Raises
    ------
    ValueError
        When there is no task, the strategy is unknown, T is below 1, or a
        step is to draw more tasks than there are.

    Example
    -------
    >>> streams = {name: UtteranceBatchSampler([1.0] * 4, 2.0) for name in "ab"}
    >>> sampler = TaskSampler(streams, 2, "round_robin")
    >>> [[task for task, _ in step] for step in sampler]
    [['a', 'a'], ['b', 'b']]
    """

    def __init__(
        self,
        streams: Mapping[str, UtteranceBatchSampler],
        steps_per_epoch: int,
        strategy: str = "all",
        temperature: float = 2.0,
        tasks_per_step: int = 1,
        seed: int = 0,
    ) -> None:
        if not streams:
            raise ValueError("no task to draw")
        if strategy not in STRATEGIES:
            raise ValueError(
                f"strategy '{strategy}' is none of {list(STRATEGIES)}"
            )
        if temperature < 1:
            raise ValueError(
                f"temperature {temperature}: below 1 small tasks would hardly "
                "ever be drawn; give 1 or more"
            )
        if not 1 <= tasks_per_step <= len(streams):
            raise ValueError(
                f"tasks_per_step is {tasks_per_step}; there are "
                f"{len(streams)} tasks"
            )
        self.streams = dict(streams)
        self.steps_per_epoch = steps_per_epoch
        self.strategy = strategy
        self.tasks_per_step = tasks_per_step
        self.seed = seed
        self.epoch = 1
        self.start = 0
        self.rank = next(iter(streams.values())).rank
        self.world_size = next(iter(streams.values())).world_size
        hours = np.array(
            [s.hours_per_batch * s.batches_per_pass for s in streams.values()]
        )
        power = 1 / temperature if strategy == "temperature" else 1.0
        self.shares = hours**power / (hours**power).sum()
        self._before: list[np.ndarray] = [np.zeros(len(streams), dtype=int)]

    def hours_per_step(self) -> float:
        """Tell how much audio a step of one process has, on average."""
        hours = np.array([s.hours_per_batch for s in self.streams.values()])
        if self.strategy == "all":
            return float(hours.sum())
        even = np.full(len(hours), 1 / len(hours))
        shares = even if self.strategy == "round_robin" else self.shares
        return float(self.tasks_per_step * (shares * hours).sum())

    def plan(self, epoch: int) -> list[np.ndarray]:
        """Number the tasks of every step of an epoch, counted from 1."""
        count, steps = len(self.streams), self.steps_per_epoch
        if self.strategy == "all":
            return [np.arange(count)] * steps
        if self.strategy == "round_robin":
            first = (epoch - 1) * steps * self.tasks_per_step
            turns = first + np.arange(steps * self.tasks_per_step)
            return list((turns % count).reshape(steps, -1))
        random = np.random.default_rng([self.seed, epoch])
        return [
            np.sort(
                random.choice(
                    count, self.tasks_per_step, replace=False, p=self.shares
                )
            )
            for _ in range(steps)
        ]

    def drawn_before(self, epoch: int) -> np.ndarray:
        """Count how often each task was drawn before an epoch."""
        while len(self._before) < epoch:
            drawn = np.concatenate(self.plan(len(self._before)))
            counts = np.bincount(drawn, minlength=len(self.streams))
            self._before.append(self._before[-1] + counts)
        return self._before[epoch - 1].copy()

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 1, that the next iteration yields."""
        self.epoch = epoch
        for stream in self.streams.values():
            stream.set_epoch(epoch)

    def __len__(self) -> int:
        return self.steps_per_epoch - self.start

    def __iter__(self) -> Iterator[list[tuple[str, int]]]:
        names = list(self.streams)
        drawn = self.drawn_before(self.epoch)
        for step, tasks in enumerate(self.plan(self.epoch)):
            if step >= self.start:
                yield [
                    (names[task], index)
                    for task in tasks
                    for index in self._batch(names[task], drawn[task])
                ]
            drawn[tasks] += 1

    def _batch(self, task: str, drawn: int) -> list[int]:
        """The batch of this process at a task's next drawing."""
        return self.streams[task].batch(
            int(drawn) * self.world_size + self.rank
        )
