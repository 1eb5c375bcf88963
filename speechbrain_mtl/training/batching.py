"""Length-bucketed, token-budgeted batches: a pure function of seed and step.

Utterances are cut into crops whose lengths lie on a grid, and a batch holds
crops of one length: no padding at all, and few distinct shapes.
"""

from collections.abc import Iterator

import numpy as np
from speechbrain.dataio.dataset import DynamicItemDataset
from torch.utils.data import Sampler

Crop = tuple[int, float, float]  # index of the utterance, start and stop in s


class CropBatchSampler(Sampler):
    """Endless stream of batches of equal-length crops, cut into epochs.

    One pass covers every utterance once: recordings shorter than a crop give
    one crop, longer ones as many whole crops as fit, at a random phase. What
    a pass draws depends on (seed, pass) alone, so a run can be resumed at
    any step without replaying the data, and every process of a distributed
    run takes the same number of batches.

    Arguments
    ---------
    durations : list of float
        Seconds of each utterance.
    batch_seconds : float
        Audio a batch and process, at most.
    crop_seconds : float
        Longest crop.
    grid_seconds : float
        Crop lengths are multiples of this.
    epoch_hours : float, optional
        Audio an epoch, over all processes; one pass over the data if None.
    seed : int
        Fixes crops and order.
    rank, world_size : int
        This process's number and how many there are.

    Raises
    ------
    ValueError
        When there is no utterance, one is shorter than the grid, or a batch
        cannot hold one crop.

    Example
    -------
    >>> sampler = CropBatchSampler([1.0, 3.0], 2.0, crop_seconds=1.0)
    >>> sum(len(batch) for batch in sampler)
    4
    """

    def __init__(
        self,
        durations: list[float],
        batch_seconds: float,
        crop_seconds: float = 2.4,
        grid_seconds: float = 0.2,
        epoch_hours: float | None = None,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.durations = np.asarray(durations, dtype=np.float64)
        if not len(self.durations):
            raise ValueError("no utterance to make batches of")
        if self.durations.min() < grid_seconds:
            index = int(self.durations.argmin())
            raise ValueError(
                f"utterance number {index} lasts {self.durations[index]:.3f} "
                f"s, less than the crop grid of {grid_seconds} s: leave it "
                "out or use a finer grid"
            )
        if batch_seconds < crop_seconds:
            raise ValueError(
                f"a batch of {batch_seconds} s cannot hold a crop of "
                f"{crop_seconds} s: raise batch_seconds or lower crop_seconds"
            )
        self.batch_seconds = batch_seconds
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 1
        self.start = 0
        # The epsilon keeps 2.4 / 0.2 from becoming 11.
        units = np.floor(self.durations / grid_seconds + 1e-6)
        most = int(crop_seconds / grid_seconds + 1e-6)
        self.lengths = np.minimum(units, most) * grid_seconds
        self.counts = np.where(units < most, 1, units // most).astype(int)
        self.batches_per_pass = len(self._pass(0))
        crops = self.lengths * self.counts
        pass_hours = crops.sum() / 3600
        self.hours_per_batch = pass_hours / self.batches_per_pass
        steps = self.batches_per_pass / world_size
        if epoch_hours is not None:
            steps *= epoch_hours / pass_hours
        self.steps_per_epoch = max(1, round(steps))

    def _pass(self, number: int) -> list[list[Crop]]:
        """Plan one pass over the data."""
        rng = np.random.default_rng([self.seed, number])
        index = np.repeat(np.arange(len(self.durations)), self.counts)
        first = np.cumsum(self.counts) - self.counts
        within = np.arange(len(index)) - np.repeat(first, self.counts)
        slack = self.durations - self.lengths * self.counts
        phase = rng.random(len(self.durations)) * slack.clip(min=0)
        starts = phase[index] + within * self.lengths[index]
        stops = starts + self.lengths[index]
        order = rng.permutation(len(index))
        batches = []
        for length in np.unique(self.lengths):
            members = order[self.lengths[index[order]] == length]
            size = max(1, int(self.batch_seconds / length + 1e-6))
            for begin in range(0, len(members), size):
                chosen = members[begin : begin + size]
                batches.append(
                    list(
                        zip(
                            index[chosen].tolist(),
                            starts[chosen].tolist(),
                            stops[chosen].tolist(),
                        )
                    )
                )
        return [batches[i] for i in rng.permutation(len(batches))]

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 1, that the next iteration yields."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps_per_epoch - self.start

    def __iter__(self) -> Iterator[list[Crop]]:
        current, plan = None, None
        begin = (self.epoch - 1) * self.steps_per_epoch
        for step in range(begin + self.start, begin + self.steps_per_epoch):
            number = step * self.world_size + self.rank
            wanted, position = divmod(number, self.batches_per_pass)
            if wanted != current:
                current, plan = wanted, self._pass(wanted)
            yield plan[position]


class CropDataset(DynamicItemDataset):
    """A SpeechBrain data set that is asked for crops, not whole utterances.

    Items are indexed by (utterance, start, stop) as `CropBatchSampler` gives
    them; pipelines see ``start`` and ``stop`` in seconds beside the
    manifest's own fields.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.pipeline.add_static_keys(["start", "stop"])

    def __getitem__(self, crop: Crop) -> dict:
        index, start, stop = crop
        data_id = self.data_ids[index]
        point = {**self.data[data_id], "start": start, "stop": stop}
        return self.pipeline.compute_outputs({"id": data_id, **point})
