"""Tasks: head + target + loss on top of an encoded batch."""

from speechbrain_mtl.tasks.base import FrameLabels, Inputs, Task
from speechbrain_mtl.tasks.pretext import PretextTask

__all__ = ["FrameLabels", "Inputs", "PretextTask", "Task"]
