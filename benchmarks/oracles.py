"""What established tools say of a recording, at the frames of our labels.

Each tool is imported when it is asked, so that tests can do without.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from speechbrain_mtl.data.audio import SAMPLE_RATE, read_audio

# label: openSMILE's set and column, and the correlation wanted
COLUMNS = {
    "rms": ("ComParE_2016", "pcm_RMSenergy_sma", 0.999),
    "zcr": ("ComParE_2016", "pcm_zcr_sma", 0.999),
    "loudness": ("eGeMAPSv02", "Loudness_sma3", 0.999),
    "alpha_ratio": ("eGeMAPSv02", "alphaRatio_sma3", 0.99),
    "rasta_l1": ("ComParE_2016", "audspecRasta_lengthL1norm_sma", 0.99),
}
START_UP = 25  # frames in which RASTA filters differ by how they begin


def read_clips(
    folder: Path, count: int, seconds: float
) -> Iterator[torch.Tensor]:
    """Read clips of a set of speech, ending where a pitch frame ends.

    One sample more keeps a tool that centres its frames in the recording
    from losing the last one to rounding.
    """
    entries = json.loads((folder / "manifest.json").read_text())
    entries = list(entries.values())
    for entry in entries[:: max(len(entries) // count, 1)][:count]:
        path = entry["wav"].replace("{data_root}", str(folder))
        wav = read_audio(path, stop=min(seconds, entry["duration"]))
        yield wav[: (len(wav) - 641) // 160 * 160 + 641]


def smile_sets() -> dict[str, Any]:
    """Make the extractors of all columns, by the name of the set."""
    import opensmile

    return {
        name: opensmile.Smile(
            getattr(opensmile.FeatureSet, name),
            opensmile.FeatureLevel.LowLevelDescriptors,
        )
        for name in dict.fromkeys(column[0] for column in COLUMNS.values())
    }


def smile_tables(tools: dict[str, Any], wav: torch.Tensor) -> dict[str, Any]:
    """All columns of a waveform, by the name of the set."""
    return {
        name: tool.process_signal(wav.numpy(), SAMPLE_RATE)
        for name, tool in tools.items()
    }


def smile_pair(
    name: str, contour: np.ndarray, tables: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """A label's contour and openSMILE's, where they can be compared."""
    table, column, _ = COLUMNS[name]
    ours, theirs = smooth(contour), tables[table][column].to_numpy()
    # Its last two frames reach beyond the end of the recording.
    end = min(len(ours), len(theirs)) - 2
    start = START_UP if name == "rasta_l1" else 0
    return ours[start:end], theirs[start:end]


def smooth(contour: np.ndarray) -> np.ndarray:
    """The three-frame moving average that openSMILE's labels have."""
    padded = np.pad(contour, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def praat_pitch(wav: torch.Tensor) -> np.ndarray:
    """Praat's F0 at the frames of our pitch track, 0 where unvoiced."""
    import parselmouth

    sound = parselmouth.Sound(wav.double().numpy(), SAMPLE_RATE)
    pitch = sound.to_pitch_ac(time_step=0.01, pitch_floor=75, pitch_ceiling=600)
    return pitch.selected_array["frequency"]


def praat_harmonicity(wav: torch.Tensor) -> np.ndarray:
    """Praat's harmonics-to-noise ratio there, -200 where it has none."""
    import parselmouth

    # Shorter by 5 ms on each side, harmonicity has its frames at those times.
    sound = parselmouth.Sound(wav[80:-80].double().numpy(), SAMPLE_RATE)
    found = sound.to_harmonicity_cc(time_step=0.01, minimum_pitch=75)
    return found.values[0]


def pearson(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Correlate the concatenation of pairs of contours."""
    ours, theirs = (np.concatenate(side) for side in zip(*pairs))
    return float(np.corrcoef(ours, theirs)[0, 1])
