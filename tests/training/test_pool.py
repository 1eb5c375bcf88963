"""Jobs side by side give the results of jobs in turn."""

import os

import pytest
import torch

from speechbrain_mtl.training.pool import Pool


def threads_and_process(value):
    return value, torch.get_num_threads(), os.getpid()


def fail(value):
    raise ValueError(f"job {value} cannot be done")


def test_jobs_run_in_processes_of_their_own_with_fixed_threads():
    pool = Pool(processes=2, threads=1)
    results = pool.map(lambda v: pool.run(threads_and_process, v), [1, 2, 3])
    assert [r[0] for r in results] == [1, 2, 3]
    assert {r[1] for r in results} == {1}
    assert os.getpid() not in {r[2] for r in results}


def test_distributed_runs_take_turns_in_this_process(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    pool = Pool(processes=2, threads=1)
    results = pool.map(lambda v: pool.run(threads_and_process, v), [1, 2])
    assert {r[2] for r in results} == {os.getpid()}


def test_an_error_in_a_job_reaches_the_caller():
    pool = Pool(processes=2, threads=1)
    with pytest.raises(ValueError, match="job 7 cannot be done"):
        pool.map(lambda v: pool.run(fail, v), [7])


@pytest.mark.parametrize("processes, threads", [(0, 1), (1, 0)])
def test_no_process_or_thread_is_refused(processes, threads):
    with pytest.raises(ValueError, match="at least 1 each"):
        Pool(processes, threads)
