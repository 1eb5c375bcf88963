"""Published ways to combine conflicting gradients, from torchjd."""

from torch import nn


def aggregator(name: str, **settings: object) -> nn.Module:
    """Make an aggregator of torchjd, which is imported only here.

    ==============  =====================================================
    PCGrad          https://arxiv.org/abs/2001.06782; a sum over tasks
    CAGrad          https://arxiv.org/abs/2110.14048; needs ``c``; a mean
    UPGrad          https://arxiv.org/abs/2406.16232; a mean
    NashMTL         https://arxiv.org/abs/2202.01017; needs ``n_tasks``; norm
                    at most ``max_norm``
    AlignedMTL      https://arxiv.org/abs/2305.19000; a mean
    ==============  =====================================================

    Sum, mean or norm: how large the combined gradient is. It matters to the
    clipping of gradients and to SGD, hardly to Adam.

    Large gradients rule the mean of CAGrad and UPGrad, and the solver of
    UPGrad does not see gradients below about 1 % of the largest: give it
    ``projector=torchjd.linalg.QuadprogProjector(reg_eps=1e-8)`` where losses
    are of unlike size.

    Arguments
    ---------
    name : str
        One of the above, or another of ``torchjd.aggregation`` that weighs
        gradients.
    settings
        Arguments of that class.

    Returns
    -------
    aggregator : torchjd.aggregation.WeightedAggregator

    Raises
    ------
    ImportError
        When torchjd, or the solver that it wants for this one, is missing.
    ValueError
        When there is no such aggregator, or it gives no weight a task or
        remembers what a checkpoint cannot hold.

    Example
    -------
    >>> aggregator("CAGrad", c=0.5)  # doctest: +SKIP
    CAGrad(c=0.5, norm_eps=0.0001)
    """
    try:
        from torchjd import Stateful, aggregation

        known = {
            found: getattr(aggregation, found)
            for found in aggregation.__all__
            if _weighs(getattr(aggregation, found), aggregation, Stateful)
        }
        if name not in known:
            raise ValueError(
                f"aggregator '{name}' is none of torchjd's that weigh "
                f"gradients and can be resumed: {sorted(known)}"
            )
        return known[name](**settings)
    except ImportError as error:
        raise ImportError(
            f"'{name}' needs torchjd and its solvers: "
            "pip install 'speechbrain_mtl[mtl]'"
        ) from error


def _weighs(found: type, aggregation: object, stateful: type) -> bool:
    """Whether a class can be used as it is; Nash-MTL's state we keep."""
    bases = (
        aggregation.WeightedAggregator,
        aggregation.GramianWeightedAggregator,
    )
    if not issubclass(found, bases) or found in bases:
        return False
    return found is aggregation.NashMTL or not issubclass(found, stateful)
