"""An encoder small enough to run, and to train, in a test."""

import torch

from speechbrain_mtl.models import CRDNN


def small_crdnn(**settings):
    sizes = {
        "cnn_channels": [4],
        "projection": 16,
        "rnn_size": 8,
        "rnn_layers": 1,
        "dnn_blocks": 1,
        "dnn_size": 16,
    }
    return CRDNN(**sizes | settings)


def calibrated_crdnn(seed=0, **settings):
    """One that has seen audio; only its last layer is 12 wide."""
    torch.manual_seed(seed)
    encoder = small_crdnn(dnn_size=12, **settings)
    encoder.calibrate(torch.randn(2, 16000), torch.ones(2))
    return encoder
