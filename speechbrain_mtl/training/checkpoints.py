"""Checkpoints that a kill cannot leave half written."""

import os
import shutil
from pathlib import Path
from typing import Any

from speechbrain.utils.checkpoints import (
    CKPT_PREFIX,
    METAFNAME,
    Checkpoint,
    Checkpointer,
)
from speechbrain.utils.distributed import (
    MainProcessContext,
    ddp_barrier,
    if_main_process,
)

UNFINISHED = METAFNAME + ".unfinished"


class WholeCheckpointer(Checkpointer):
    """SpeechBrain's checkpointer, of which a checkpoint is whole or not there.

    SpeechBrain takes every folder with a ``CKPT.yaml`` for a checkpoint and
    writes that file first: killed while it saves, it cannot resume. Here it
    comes last. (Killed while it deletes, it leaves a part of a checkpoint
    that is neither the last nor the best, and that is deleted later.)

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> class Broken:
    ...     pass
    >>> keeper = WholeCheckpointer(folder, {"state": Broken()})
    >>> keeper.save_checkpoint()
    Traceback (most recent call last):
    RuntimeError: Don't know how to save ...
    >>> keeper.list_checkpoints()
    []
    """

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> Checkpoint | None:
        """Save all recoverables, then declare them a checkpoint."""
        if if_main_process():
            self._remove_unfinished()
        checkpoint = super().save_checkpoint(*args, **kwargs)
        # Others may still be saving states of their own.
        ddp_barrier()
        if checkpoint is not None:
            folder = checkpoint.path
            os.replace(folder / UNFINISHED, folder / METAFNAME)
        # All see it from here on.
        ddp_barrier()
        return checkpoint

    def delete_checkpoints(self, *args: Any, **kwargs: Any) -> None:
        """Delete in one process while the others wait.

        They would list checkpoints while these go, and wait for as many
        deletions as they have counted.
        """
        with MainProcessContext():
            if if_main_process():
                super().delete_checkpoints(*args, **kwargs)
        ddp_barrier()

    def _save_checkpoint_metafile(
        self, fpath: Path, *args: Any, **kwargs: Any
    ) -> dict:
        path = Path(fpath).with_name(UNFINISHED)
        return super()._save_checkpoint_metafile(path, *args, **kwargs)

    def _remove_unfinished(self) -> None:
        """Remove what an earlier kill has left."""
        for folder in Path(self.checkpoints_dir).glob(CKPT_PREFIX + "*"):
            if folder.is_dir() and not (folder / METAFNAME).exists():
                shutil.rmtree(folder)
