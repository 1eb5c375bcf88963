"""The embedded corpus: labelled formant speech, made on this computer."""

from speechbrain_mtl.data.synthetic.corpus import (
    CorpusError,
    Summary,
    generate,
)

__all__ = ["CorpusError", "Summary", "generate"]
