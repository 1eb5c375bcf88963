"""Does the score say what a label is worth? A world where that is known."""

import torch
from scipy.stats import spearmanr

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.features import Measurements
from speechbrain_mtl.selection.ranking import rank

CLASSES, LABELS = 6, 24


def test_the_score_ranks_labels_as_downstream_errors_do():
    """Predict a label from unlabelled speech, then the class from that.

    Speech carries two traits of the class, three nuisances and noise; labels
    mix them at random, on a random scale. The feature learned from a label is
    judged with five labelled examples a class.
    """
    traits = torch.randn(CLASSES, 2).double()
    loadings = torch.randn(5, 400).double()

    def draw(y):
        sources = torch.cat([traits[y], torch.randn(len(y), 3).double()], 1)
        noise = 1.5 * torch.randn(len(y), 400).double()
        return sources @ loadings + noise, sources

    of_class = torch.rand(2, LABELS) * (torch.rand(LABELS) < 0.8)
    of_nuisance = 1.5 * torch.rand(3, LABELS) * torch.rand(LABELS)
    mixing = torch.cat([of_class, of_nuisance]).double()
    noise, scale = torch.rand(LABELS), torch.rand(LABELS).clamp(min=0.2)

    def label(sources):
        random = noise * torch.randn(len(sources), LABELS)
        return sources @ mixing + random

    y = torch.arange(CLASSES).repeat_interleave(60)
    speech, sources = draw(y)
    z = label(sources)
    z = scale * (z - z.mean(0)) / z.std(0)
    measured = Measurements(
        speech.float().view(-1, 10, 40),
        {f"{k:02d}": z[:, k : k + 1] for k in range(LABELS)},
        seconds=1.0,
    )
    comparison = Comparison(measured, y)
    evidence = gather(comparison, y, torch.arange(len(y)), draws=5)
    ranking = rank(evidence, comparison.names, "centered")

    speech, sources = draw(torch.randint(CLASSES, (3000,)))
    center = speech.mean(0)
    speech = speech - center
    gram = speech.T @ speech + 50 * torch.eye(400).double()
    learned = torch.linalg.solve(gram, speech.T @ label(sources))
    truth = torch.randint(CLASSES, (2000,))
    tested = (draw(truth)[0] - center) @ learned
    errors = torch.zeros(LABELS)
    few = torch.arange(CLASSES).repeat_interleave(5)
    for _ in range(10):
        shown = (draw(few)[0] - center) @ learned
        means = shown.view(CLASSES, 5, LABELS).mean(1)
        guess = (tested[:, None] - means).abs().argmin(1)
        errors += (guess != truth[:, None]).float().mean(0) / 10

    def agreement(scores):
        return spearmanr(scores, errors).statistic

    assert agreement(ranking.ci) > 0.85
    assert agreement(evidence.columns["reference"]) < 0.5
    assert agreement(evidence.columns["unbiased"]) < 0.75
