"""Four words by three speakers."""

from tests.recipes.miniature import labelled_manifest, speech_folder


def make(folder):
    """Write them; give the options."""
    words = {"word": ["yes", "no", "up", "down"]}
    return [
        f"--manifest={labelled_manifest(folder, words)}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
