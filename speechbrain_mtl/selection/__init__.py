"""Offline selection of pretext tasks by conditional independence."""

from speechbrain_mtl.selection.baselines import (
    equal_shares,
    everything,
    lowest_spread,
    naive_top_k,
    random_weights,
    single_best,
    uniform,
)
from speechbrain_mtl.selection.downsampling import gaussian_downsample
from speechbrain_mtl.selection.hsic import (
    hsic,
    hsic_coefficients,
    normalized_hsic,
)
from speechbrain_mtl.selection.kernels import (
    cosine_kernel,
    log_rbf_kernel,
    median_variance,
    rbf_kernel,
)
from speechbrain_mtl.selection.measured import Measured
from speechbrain_mtl.selection.mrmr import mrmr
from speechbrain_mtl.selection.objective import group_objective
from speechbrain_mtl.selection.processes import several_processes
from speechbrain_mtl.selection.rfe import rfe
from speechbrain_mtl.selection.selection import Selection, SelectionError
from speechbrain_mtl.selection.selector import Selector
from speechbrain_mtl.selection.significance import (
    permutation_moments,
    permutation_test,
)
from speechbrain_mtl.selection.solver import Solution, solve_weights

__all__ = [
    "Measured",
    "Selection",
    "SelectionError",
    "Selector",
    "Solution",
    "cosine_kernel",
    "equal_shares",
    "everything",
    "gaussian_downsample",
    "group_objective",
    "hsic",
    "hsic_coefficients",
    "log_rbf_kernel",
    "lowest_spread",
    "median_variance",
    "mrmr",
    "naive_top_k",
    "normalized_hsic",
    "permutation_moments",
    "permutation_test",
    "random_weights",
    "rbf_kernel",
    "rfe",
    "several_processes",
    "single_best",
    "solve_weights",
    "uniform",
]
