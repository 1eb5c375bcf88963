"""Where a corpus comes from: what every message about a gap in it needs."""

import dataclasses
import logging
import os
from pathlib import Path

from speechbrain_mtl.data.corpora.common import check_folders

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A corpus, its publisher and its terms.

    Arguments
    ---------
    name : str
        Of the corpus.
    url : str
        Where to get it.
    licence : str
        On what terms.
    layout : str
        What lies where in its folder, where that needs saying.
    folders : tuple of str
        Names its archive unpacks to.

    Example
    -------
    >>> print(Corpus("Digits", "https://digits.org", "CC0", "wav/<digit>.wav"))
    Get Digits from https://digits.org (CC0) and set data_folder to the \
folder that holds wav/<digit>.wav.
    """

    name: str
    url: str
    licence: str
    layout: str = ""
    folders: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """What to do when it is not there."""
        where = f"the folder that holds {self.layout}" if self.layout else "it"
        return (
            f"Get {self.name} from {self.url} ({self.licence}) and set "
            f"data_folder to {where}."
        )

    def __str__(self) -> str:
        return self.remedy

    def open(
        self, data_folder: str | os.PathLike, output_folder: str | os.PathLike
    ) -> tuple[Path, Path]:
        """Check its folder and the manifest's; see `check_folders`."""
        return check_folders(data_folder, output_folder, self.remedy)

    def compare_size(self, part: str, found: int, official: int) -> None:
        """Say so when a part is not as large as its publisher says.

        Arguments
        ---------
        part : str
            Its name.
        found : int
            Recordings there are.
        official : int
            Recordings there should be. Fewer is only a warning: a thinned
            copy serves, but its scores are not those of the corpus.
        """
        if found != official:
            logger.warning(
                f"{self.name}: {found} recordings of {part}, the whole corpus "
                f"has {official}. Scores are not those of the corpus."
            )
