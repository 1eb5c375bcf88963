"""Ten digits by three speakers, as the archive unpacks."""

from tests.recipes.miniature import speech_folder, write_tones


def make(folder):
    """Write them; give the options."""
    names = [
        f"{digit}_{speaker}_{take}"
        for digit in range(10)
        for speaker in ("ann", "bob", "theo")
        for take in range(9)
    ]
    write_tones(folder / "fsdd" / "recordings", names, seconds=0.2)
    return [
        f"--data_folder={folder / 'fsdd'}",
        "--folds=[ann, theo]",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
