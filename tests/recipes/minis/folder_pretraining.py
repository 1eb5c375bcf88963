"""A dozen tones in a folder."""

from tests.helpers.small_sizes import SMALL
from tests.recipes.miniature import speech_folder


def make(folder):
    """Write them; give the options."""
    return [f"--data_folder={speech_folder(folder / 'audio')}", *SMALL]
