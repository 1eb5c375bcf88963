"""Independent runs side by side: one process each, a fixed number of threads.

A run always has the same number of threads, whatever runs beside it: sums are
rounded differently on another number, and results would depend on what else
was left to do.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import torch


def _begin(threads: int, parent: int) -> None:
    """Set a worker process up; let it end with its parent, even a killed one.

    An orphan would go on writing to a folder that the next start uses.
    """
    torch.set_num_threads(threads)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Pool:
    """Run jobs at once where that helps, one after the other elsewhere.

    Jobs share a machine's processors, but not a GPU, nor the processes of a
    distributed run: there they run in turn, in this process.

    Arguments
    ---------
    processes : int
        Jobs at once.
    threads : int
        Threads of each job.

    Example
    -------
    >>> Pool(processes=1, threads=1).map(abs, [-1, 2])
    [1, 2]
    """

    def __init__(self, processes: int, threads: int) -> None:
        if processes < 1 or threads < 1:
            raise ValueError(
                f"processes={processes}, threads={threads}: at least 1 each"
            )
        together = not (torch.cuda.is_available() or "WORLD_SIZE" in os.environ)
        self.processes = processes if together else 1
        self.threads = threads
        self._workers: ProcessPoolExecutor | None = None

    def map(self, job: Callable[[Any], Any], items: Iterable) -> list:
        """Call `job` on every item, in threads that may wait for `run`.

        Arguments
        ---------
        job : callable
            Of one item; heavy work goes through `run`.
        items : iterable
            What to call it on.

        Returns
        -------
        results : list
            In the order of the items. An error in any job is raised.
        """
        torch.set_num_threads(self.threads)
        if self.processes == 1:
            return [job(item) for item in items]
        context = multiprocessing.get_context("spawn")
        with (
            ProcessPoolExecutor(
                self.processes,
                mp_context=context,
                initializer=_begin,
                initargs=(self.threads, os.getpid()),
            ) as self._workers,
            ThreadPoolExecutor(self.processes) as waiting,
        ):
            return list(waiting.map(job, items))

    def run(self, work: Callable, *arguments: Any) -> Any:
        """Do heavy work in a process of its own, or here where jobs take turns.

        Arguments
        ---------
        work : callable
            A module-level function.
        *arguments
            Picklable.

        Returns
        -------
        result : Any
            What `work` returned.
        """
        if self.processes == 1:
            return work(*arguments)
        return self._workers.submit(work, *arguments).result()
