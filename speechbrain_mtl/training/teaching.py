"""What tasks that learn from another task of the run are given of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from speechbrain_mtl.models import Encoded, Encoder
from speechbrain_mtl.tasks import CTCTask, Task
from speechbrain_mtl.tasks.base import Teaching


def check_teachers(tasks: Mapping[str, Task]) -> None:
    """Refuse tasks whose teacher is not there, or no CTC task.

    Arguments
    ---------
    tasks : dict
        All tasks of the run.

    Raises
    ------
    ValueError
        Naming the task, its teacher and those that could be.
    """
    able = sorted(n for n, task in tasks.items() if isinstance(task, CTCTask))
    for name, task in tasks.items():
        if task.teacher is not None and task.teacher not in able:
            raise ValueError(
                f"task '{name}' learns from '{task.teacher}', which is no CTC "
                f"task of this run; those are {able}"
            )


# It switches modes, which torch.compile would trace anew each time.
@torch.compiler.disable
@torch.no_grad()
def teaching_of(
    teacher: CTCTask,
    encoder: Encoder,
    encoded: Encoded,
    wavs: torch.Tensor,
    lens: torch.Tensor,
) -> Teaching:
    """Ask a task in eval mode: nothing is hidden, dropped, or learnt from.

    Arguments
    ---------
    teacher : CTCTask
        The task to ask.
    encoder : Encoder
        What it reads.
    encoded : Encoded
        What that made of the utterances, in whatever mode it is.
    wavs : torch.Tensor
        The utterances, [B, T], 16 kHz.
    lens : torch.Tensor
        Relative lengths, [B].

    Returns
    -------
    teaching : Teaching
    """
    with in_eval_mode(encoder, teacher) as training:
        if training[0]:
            encoded = encoder(wavs, lens)
        log_probs, frames = teacher.log_probs(encoded)
    # Autocast would hand weights, cast without gradient, to what comes next.
    torch.clear_autocast_cache()
    return Teaching(teacher, log_probs, frames)


@contextmanager
def in_eval_mode(*modules: nn.Module) -> Iterator[list[bool]]:
    """Put modules into eval mode, and each part back into its own mode.

    Example
    -------
    >>> head = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    >>> with in_eval_mode(head) as training:
    ...     training, head[0].training
    ([True], False)
    >>> head[0].training, head[1].training
    (True, False)
    """
    before = [
        (part, part.training) for module in modules for part in module.modules()
    ]
    training = [module.training for module in modules]
    for module in modules:
        module.eval()
    try:
        yield training
    finally:
        for part, mode in before:
            part.training = mode
