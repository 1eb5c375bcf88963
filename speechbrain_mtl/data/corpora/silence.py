"""Entries for silence: seconds cut from recordings of background noise."""

from collections.abc import Mapping
from pathlib import Path

from speechbrain_mtl.data.corpora.common import read_headers
from speechbrain_mtl.data.manifest import raise_problems

NOISE = "_background_noise_"
SILENCE = "_silence_"
LENGTH = 1.0  # s
# Where in a recording each part begins and ends, so that none hears another.
ZONES = {"train": (0.0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1.0)}
SHORTEST = 10 * LENGTH  # s; a tenth of it holds one cut


def silence_entries(
    data_folder: Path, noise_folder: Path, wanted: Mapping[str, int]
) -> dict[str, dict]:
    """Cut silence for every part, evenly spread over noises and time.

    Arguments
    ---------
    data_folder : pathlib.Path
        The corpus; becomes ``{data_root}``.
    noise_folder : pathlib.Path
        Its recordings of noise.
    wanted : mapping
        Number of cuts of each part: train, valid, test. One at least is made.

    Returns
    -------
    entries : dict
        ``{id: {wav, duration, sample_rate, word, speaker, split, keyword,
        start, stop}}`` with the recording's own duration.

    Raises
    ------
    ManifestError
        When there is no noise, or recordings are unreadable or too short.
    """
    files = sorted(
        file
        for file in noise_folder.glob("*.wav")
        if not file.name.startswith(".")
    )
    headers = read_headers(data_folder, files)
    problems = [
        f"{file.name}: {header['duration']:g} s, too short to part in three. "
        f"Give {SHORTEST:g} s or more, or move it away."
        for file, header in headers.items()
        if header["duration"] < SHORTEST
    ]
    if not files:
        problems.append("no WAV files. Copy the folder again.")
    raise_problems(noise_folder, problems)

    entries = {}
    for part, number in wanted.items():
        for turn, (file, header) in enumerate(headers.items()):
            # The first recordings give one more when it does not come out.
            count = (max(number, 1) + len(files) - 1 - turn) // len(files)
            for start in _starts(header["duration"], part, count):
                key = f"{SILENCE}_{file.stem}_{round(1000 * start)}"
                entries[key] = header | {
                    "word": SILENCE,
                    "speaker": file.stem,
                    "split": part,
                    "keyword": SILENCE,
                    "start": start,
                    "stop": round(start + LENGTH, 3),
                }
    return entries


def _starts(duration: float, part: str, count: int) -> list[float]:
    """Evenly spaced starts within a part's zone, in whole milliseconds."""
    first, last = (duration * edge for edge in ZONES[part])
    step = (last - LENGTH - first) / max(count - 1, 1)
    # Up at the zone's begin, down at its end: never beyond either.
    low, high = -int(-1000 * first // 1), int(1000 * (last - LENGTH))
    starts = [round(1000 * (first + i * step)) for i in range(count)]
    return [min(max(start, low), high) / 1000 for start in starts]
