"""Synthetic segments whose labels follow the speech to known degrees."""

from dataclasses import dataclass

import numpy as np
import torch

BANDS = 40


@dataclass
class Planted:
    """Segments of some classes, sorted by class.

    Every label is one of the traits that shape a segment's spectrum, in part,
    and noise for the rest; labels also differ in their spread and in what they
    tell of the class.
    """

    classes: int
    samples: int
    means: torch.Tensor  # level of each band in each segment, [C, n, 40]
    values: torch.Tensor  # label means, float64 [C, n, k]
    seed: int

    def segments(self, one: int) -> list[np.ndarray]:
        """Frames of the segments of one class: 20 to 79 rows of 40 bands."""
        random = np.random.default_rng([self.seed, one])
        lengths = random.integers(20, 80, self.samples)
        return [
            (mean + random.normal(0, 0.5, (length, BANDS))).astype("float32")
            for mean, length in zip(self.means[one].numpy(), lengths)
        ]

    def embedded(self, n_samples: int = 10) -> torch.Tensor:
        """Segments as if downsampled already, float32 [C n, n_samples, 40]."""
        generator = torch.Generator().manual_seed(self.seed + 1)
        rows = self.means.flatten(0, 1).float()[:, None]
        noise = torch.randn(
            len(rows), n_samples, BANDS, generator=generator
        ).mul_(0.2)
        return noise.add_(rows)


def plant(
    classes: int, samples: int, labels: int = 7, seed: int = 0
) -> Planted:
    """Draw a world."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    traits = normal(classes, samples, labels)
    means = 3 + normal(classes, 1, BANDS) + 0.7 * traits @ normal(labels, BANDS)
    share = torch.linspace(0.3, 1, labels, dtype=torch.float64)
    noise = (1 - share.square()).sqrt() * normal(classes, samples, labels)
    # Neither may follow the share, or all would rank labels alike.
    spread = 0.2 + 0.4 * torch.rand(labels, generator=generator).double()
    known = torch.rand(labels, generator=generator).double()
    known = known * normal(classes, 1, labels)
    values = spread * (known + share * traits + noise)
    return Planted(classes, samples, means, values, seed)
