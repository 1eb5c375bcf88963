"""Tasks: head + target + loss on top of an encoded batch."""

from speechbrain_mtl.tasks.base import FrameLabels, Inputs, Task
from speechbrain_mtl.tasks.pretext import PretextTask
from speechbrain_mtl.tasks.units import UnitTask

__all__ = ["FrameLabels", "Inputs", "PretextTask", "Task", "UnitTask"]
