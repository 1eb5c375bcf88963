"""Which tasks, with what weights, in what order should train a speech encoder?"""

__version__ = "0.1.0"
