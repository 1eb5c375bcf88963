import itertools

import pytest
import torch
from entmax import sparsemax

from speechbrain_mtl.selection import (
    cosine_kernel,
    group_objective,
    log_rbf_kernel,
    solve_weights,
)


def strata(sizes, labels, seed=0, dtype=torch.float64):
    """Labels that depend on speech, each to its own degree and spread."""
    generator = torch.Generator().manual_seed(seed)
    like = {"generator": generator, "dtype": torch.float64}
    Ks, log_Ls = [], []
    for n in sizes:
        source = torch.randn(n, labels, **like)
        mix = torch.randn(labels, 12, **like)
        speech = 3 + source @ mix + 0.3 * torch.randn(n, 12, **like)
        share = torch.linspace(0.2, 1.0, labels, dtype=torch.float64)
        z = share * source + (1 - share) * torch.randn(n, labels, **like)
        z = 0.4 * z * torch.linspace(0.5, 1.5, labels, dtype=torch.float64)
        Ks.append(cosine_kernel(speech).to(dtype))
        log_Ls.append(log_rbf_kernel(z.T[..., None]).to(dtype))
    return Ks, log_Ls


def published_procedure(Ks, log_Ls, mapping, seed, steps=1000):
    """Autograd through explicit traces, as the published script does it."""
    torch.manual_seed(seed)
    k = len(log_Ls[0])
    if mapping == "softmax":
        inputs = torch.randn(1, k)
    else:
        inputs = 1 + 0.05 * torch.randn(1, k)
    inputs.requires_grad_()
    optimizer = torch.optim.SGD([inputs], lr=0.01, momentum=0.9)
    map_of = {"softmax": torch.softmax, "sparsemax": sparsemax}[mapping]
    for _ in range(steps):
        optimizer.zero_grad()
        weights = map_of(inputs, -1)[0]
        total = torch.zeros(())
        for K, log_L in zip(Ks, log_Ls):
            n = len(K)
            group = sum(w * D.clamp(-10, 0) for w, D in zip(weights, log_L))
            H = torch.eye(n, dtype=K.dtype) - 1 / n**2
            total = total + torch.trace(K @ H @ group.exp() @ H).float() / n**2
        total = total / len(Ks)
        total.backward()
        optimizer.step()
    return weights.detach().double(), float(total.detach())


@pytest.mark.parametrize("mapping", ["softmax", "sparsemax"])
def test_the_published_trajectory_is_followed(mapping):
    Ks, log_Ls = strata([9], labels=3)
    weights, score = published_procedure(Ks, log_Ls, mapping, seed=5)
    ours = solve_weights(
        Ks, log_Ls, mapping, "reference", seed=5, solver="reference"
    )
    torch.testing.assert_close(ours.weights, weights, rtol=0, atol=1e-4)
    assert ours.objective == pytest.approx(score, rel=1e-6)
    assert ours.evaluations == 1000


@pytest.mark.parametrize("mapping", ["softmax", "sparsemax"])
@pytest.mark.parametrize("seed", [0, 2])
def test_the_solver_beats_the_published_procedure_in_fewer_steps(mapping, seed):
    Ks, log_Ls = strata([20, 25, 30], labels=5, seed=seed)
    published = solve_weights(
        Ks, log_Ls, mapping, "reference", seed=seed, solver="reference"
    )
    ours = solve_weights(Ks, log_Ls, mapping, "reference")
    assert ours.objective <= published.objective + 1e-8
    assert ours.converged and ours.evaluations < 200
    if mapping == "sparsemax":
        far = (ours.weights - published.weights).abs().max()
        assert far < 0.02


@pytest.mark.parametrize(
    "centering, estimator",
    [("reference", "biased"), ("centered", "biased"), ("centered", "unbiased")],
)
@pytest.mark.parametrize("seed", range(2))
def test_it_matches_an_exhaustive_grid(centering, estimator, seed):
    Ks, log_Ls = strata([15], labels=3, seed=seed)
    solution = solve_weights(
        Ks, log_Ls, centering=centering, estimator=estimator
    )
    best = min(
        float(
            group_objective(
                Ks,
                log_Ls,
                torch.tensor([i, j, 20 - i - j]).double() / 20,
                centering,
                estimator,
            )
        )
        for i, j in itertools.product(range(21), repeat=2)
        if i + j <= 20
    )
    assert solution.objective <= best + 1e-12
    assert solution.objective >= best - 0.02 * abs(best)
    assert float(solution.weights.sum()) == pytest.approx(1)
    assert float(solution.weights.min()) >= 0
    exact = group_objective(Ks, log_Ls, solution.weights, centering, estimator)
    assert solution.objective == pytest.approx(float(exact))


def test_a_vertex_that_is_a_local_minimum_does_not_trap_it():
    # Two vertices are minima here; the descent from the centre finds one.
    for seed in range(10):
        Ks, log_Ls = strata([12], labels=4, seed=seed)
        solution = solve_weights(Ks, log_Ls, "simplex")
        vertices = [
            float(group_objective(Ks, log_Ls, vertex))
            for vertex in torch.eye(4, dtype=torch.float64)
        ]
        assert solution.objective <= min(vertices) + 1e-12


def test_order_of_labels_and_strata_changes_nothing():
    Ks, log_Ls = strata([15, 18, 20], labels=4)
    first = solve_weights(Ks, log_Ls, "sparsemax", temperature=0.1)
    labels, order = [2, 0, 3, 1], [1, 2, 0]
    shuffled = solve_weights(
        [Ks[i] for i in order],
        [log_Ls[i][labels] for i in order],
        "sparsemax",
        temperature=0.1,
    )
    torch.testing.assert_close(
        shuffled.weights, first.weights[labels], rtol=0, atol=1e-4
    )
    assert shuffled.objective == pytest.approx(first.objective, rel=1e-6)


def test_padded_strata_give_the_weights_of_unpadded_ones():
    Ks, log_Ls = strata([12, 20], labels=3)
    K = torch.full((2, 20, 20), float("nan"), dtype=torch.float64)
    log_L = torch.full((2, 3, 20, 20), float("nan"), dtype=torch.float64)
    for row, n in enumerate((12, 20)):
        K[row, :n, :n], log_L[row, :, :n, :n] = Ks[row], log_Ls[row]
    padded = solve_weights(K, log_L, lens=torch.tensor([12, 20]))
    alone = solve_weights(Ks, log_Ls)
    torch.testing.assert_close(padded.weights, alone.weights)


def test_float32_finds_the_weights_of_float64():
    exact = solve_weights(*strata([40, 50], 5), centering="reference")
    single = solve_weights(
        *strata([40, 50], 5, dtype=torch.float32), centering="reference"
    )
    assert single.objective == pytest.approx(exact.objective, rel=1e-6)
    torch.testing.assert_close(single.weights, exact.weights, rtol=0, atol=5e-3)


def test_the_same_call_gives_the_same_weights():
    Ks, log_Ls = strata([20, 20], labels=4)
    options = {"mapping": "softmax", "temperature": 0.1}
    first = solve_weights(Ks, log_Ls, **options)
    assert torch.equal(
        first.weights, solve_weights(Ks, log_Ls, **options).weights
    )


def test_many_pairs_are_searched_by_a_sample_and_solved_in_full():
    Ks, log_Ls = strata([400, 400, 400], labels=3)  # 240,600 pairs
    solution = solve_weights(Ks, log_Ls, "simplex")
    best = min(
        float(group_objective(Ks, log_Ls, vertex))
        for vertex in torch.eye(3, dtype=torch.float64)
    )
    assert solution.converged and solution.objective <= best + 1e-12


def test_labels_that_are_all_constant_do_not_break_it():
    Ks, log_Ls = strata([10], labels=2)
    solution = solve_weights(Ks, [0 * log_Ls[0]])
    assert solution.objective == pytest.approx(0, abs=1e-15)
    assert float(solution.weights.sum()) == pytest.approx(1)


def test_unknown_solvers_and_maps_are_refused():
    Ks, log_Ls = strata([10], labels=2)
    with pytest.raises(ValueError, match="solver 'adam'"):
        solve_weights(Ks, log_Ls, solver="adam")
    with pytest.raises(ValueError, match="mapping 'simplex'.*published"):
        solve_weights(Ks, log_Ls, "simplex", solver="reference")
