"""What was compared and how, in words and numbers for the file."""

from typing import Any

import numpy as np

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.features import MELS
from speechbrain_mtl.selection.kernels import (
    PUBLISHED_FLOOR,
    PUBLISHED_VARIANCE,
)
from speechbrain_mtl.selection.measured import Measured


def describe_data(measured: Measured) -> dict[str, Any]:
    """Say what was compared.

    Arguments
    ---------
    measured : Measured
        The data.

    Returns
    -------
    data : dict
        Ready for JSON.
    """
    segments = measured.segments
    return {
        **measured.source,
        "label_field": measured.label_field,
        "strata": len(segments.names),
        "effective_strata": segments.effective_strata,
        "segments": len(segments),
        "samples": segments.samples,
        "short_segments": segments.short,
        "hours": measured.measurements.seconds / 3600,
        "speakers": segments.speakers,
        "dropped_classes": list(segments.dropped),
    }


def describe_kernel(
    comparison: Comparison,
    n_samples: int,
    centering: str,
    trajectory: bool,
    rounding: float,
) -> dict[str, Any]:
    """Say which kernels ranked and weighed.

    Arguments
    ---------
    comparison : Comparison
        Holds them.
    n_samples : int
        Rows of an embedding.
    centering, trajectory
        See `Selector`.
    rounding : float
        From `Evidence`.

    Returns
    -------
    kernel : dict
        Ready for JSON.
    """
    published = centering == "reference"
    label = "course of the label" if trajectory else "mean label"
    variances = dict(
        zip(comparison.names, np.array(comparison.bandwidths).tolist())
    )
    speech = f"cosine of {MELS} Gaussian-downsampled log-mels"
    return {
        "n_samples": n_samples,
        "label": f"radial basis function of the z-scored {label}",
        "trajectory": trajectory,
        "centering": centering,
        "speech": speech
        if published
        else f"{speech}, standardised in every band",
        "bandwidth": "fixed" if published else comparison.bandwidth,
        "variance": PUBLISHED_VARIANCE if published else variances,
        "floor": PUBLISHED_FLOOR if published else None,
        "estimator": "biased" if published else "unbiased",
        "blocks": len(comparison.cuts),
        "rounding_error": rounding,
    }
