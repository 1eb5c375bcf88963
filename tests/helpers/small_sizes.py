"""Options that make any encoder of the pretraining recipes a small one."""

SMALL = [
    "--threads=1",
    "--cnn_channels=[4, 4]",
    "--rnn_size=8",
    "--dnn_size=16",
    "--width=48",
    "--layers=2",
    "--conv_channels=16",
    # Of the checkpoint that the tests of recipes make.
    "--checkpoint_width=24",
    "--checkpoint_channels=16",
]
