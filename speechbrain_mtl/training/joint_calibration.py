"""Statistics of pretext targets, before tasks train together."""

import torch
from tqdm import tqdm

from speechbrain_mtl.tasks import Task
from speechbrain_mtl.training.joint_data import JointData
from speechbrain_mtl.training.packed_model import PackedModel


@torch.no_grad()
def calibrate_jointly(
    model: PackedModel,
    data: JointData,
    minutes: float,
    device: str | torch.device,
    progressbar: bool = True,
) -> None:
    """Measure what tasks need to know of their targets, each on its own data.

    The encoder's own statistics, which came with it, stay as they are.

    Arguments
    ---------
    model : PackedModel
        The tasks' statistics are filled.
    data : JointData
        The first training batches of each are read, the same on every
        process.
    minutes : float
        Of audio of each task, at most.
    device : str or torch.device
        Where to compute.
    progressbar : bool
        Whether to show one.
    """
    model.to(device).eval()
    for name, task in model.tasks.items():
        if type(task).calibrate is Task.calibrate:
            continue
        for batch in tqdm(
            data.first_batches(name, minutes),
            desc=f"statistics of {name}",
            disable=not progressbar,
        ):
            task.calibrate(model.inputs_of(batch.to(device), name))
