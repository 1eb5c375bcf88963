"""Pretext labels against openSMILE, Praat and librosa: agreement and speed.

    python -m benchmarks.workers --data ../shared/data

Agreement is by frame on real speech. Speeds are measured in turn, one thread
on every side, so that what else the machine does hits all of them; only the
ratios of one run mean anything. Writes benchmarks/results/workers.json.
"""

import argparse
import platform
import statistics
import time
import warnings
from pathlib import Path

import librosa
import numpy as np
import opensmile
import parselmouth
import torch

from benchmarks.oracles import (
    COLUMNS,
    pearson,
    praat_harmonicity,
    praat_pitch,
    read_clips,
    smile_pair,
    smile_sets,
    smile_tables,
)
from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.data.audio import SAMPLE_RATE
from speechbrain_mtl.workers import WorkerBank, default_bank

RESULT = Path(__file__).parent / "results" / "workers.json"


def librosa_mfcc(wav: torch.Tensor) -> np.ndarray:
    """Twenty coefficients and their deltas, of the same frames."""
    power = librosa.feature.melspectrogram(
        y=np.pad(wav.numpy(), 96),  # librosa centres the window in n_fft
        sr=SAMPLE_RATE,
        n_fft=512,
        win_length=320,
        hop_length=160,
        window=torch.hamming_window(320, periodic=False).numpy(),
        center=False,
        n_mels=80,
        norm=None,
    )
    level = librosa.power_to_db(power, top_db=None)
    static = librosa.feature.mfcc(S=level, n_mfcc=20)
    slope = librosa.feature.delta(static, width=5, mode="nearest")
    return np.concatenate([static, slope]).T


def agreement(clips: list[torch.Tensor]) -> list[dict]:
    """Compare the labels of all clips with their oracles."""
    bank, tools = default_bank(), smile_sets()
    pairs = {name: [] for name in [*COLUMNS, "log_hnr"]}
    cepstra, decisions, errors = [], [], []
    for wav in clips:
        labels = {
            name: value[0].numpy()
            for name, value in bank(wav[None], torch.ones(1)).items()
        }
        tables = smile_tables(tools, wav)
        for name in COLUMNS:
            pair = smile_pair(name, labels[name][:, 0], tables)
            pairs[name].append(pair)
        f0, theirs = labels["f0"][:, 0], praat_pitch(wav)
        both = (f0 > 0) & (theirs > 0)
        decisions.append((f0 > 0) == (theirs > 0))
        errors.append(np.abs(f0[both] / theirs[both] - 1))
        theirs = praat_harmonicity(wav)
        both = (f0 > 0) & (theirs > -200)
        pairs["log_hnr"].append((labels["log_hnr"][both, 0], theirs[both]))
        cepstra.append((labels["mfcc"][:, :40], librosa_mfcc(wav)))
    errors = np.concatenate(errors)
    worst = min(
        pearson([(ours[:, k], theirs[:, k]) for ours, theirs in cepstra])
        for k in range(40)
    )

    def row(label, oracle, measure, figure, target, above=True):
        return {
            "label": label,
            "oracle": oracle,
            "measure": measure,
            "figure": float(figure),
            "target": target,
            "reached": bool(figure >= target if above else figure <= target),
        }

    return [
        *(
            row(name, f"openSMILE {table}", "r", pearson(pairs[name]), target)
            for name, (table, _, target) in COLUMNS.items()
        ),
        row("mfcc", "librosa", "lowest r of 20 + 20", worst, 0.998),
        row(
            "f0",
            "Praat pitch_ac",
            "voicing agreement",
            np.concatenate(decisions).mean(),
            0.98,
        ),
        row(
            "f0",
            "Praat pitch_ac",
            "errors > 20%",
            (errors > 0.2).mean(),
            0.02,
            above=False,
        ),
        row(
            "f0",
            "Praat pitch_ac",
            "median error",
            np.median(errors),
            0.0005,
            above=False,
        ),
        row(
            "log_hnr",
            "Praat harmonicity_cc",
            "r",
            pearson(pairs["log_hnr"]),
            0.92,
        ),
    ]


def speed(clips: list[torch.Tensor], repetitions: int) -> dict[str, list]:
    """Time everybody in turn; seconds of audio per second, by contestant."""
    bank = default_bank()
    scalar = {name: worker for name, worker in bank.items() if worker.dim == 1}
    eight = WorkerBank(scalar)
    wavs = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    lens = torch.tensor([len(clip) for clip in clips]) / wavs.shape[1]
    batch = sum(map(len, clips)) / SAMPLE_RATE
    one = max(clips, key=len)
    five, one_len = one[None, : 5 * SAMPLE_RATE], torch.ones(1)
    single = len(one) / SAMPLE_RATE
    tools = smile_sets()
    contestants = {
        "eight labels": (batch, lambda: eight(wavs, lens)),
        "openSMILE, two passes": (
            single,
            lambda: smile_tables(tools, one),
        ),
        "Praat, pitch and harmonicity": (
            single,
            lambda: (praat_pitch(one), praat_harmonicity(one)),
        ),
        "ten labels": (batch, lambda: bank(wavs, lens)),
        "eight labels, one 5 s file": (
            five.shape[1] / SAMPLE_RATE,
            lambda: eight(five, one_len),
        ),
        **{
            name: (batch, lambda worker=worker: worker(wavs, lens))
            for name, worker in bank.items()
        },
    }
    speeds = {name: [] for name in contestants}
    for repetition in range(repetitions + 1):
        for name, (seconds, work) in contestants.items():
            start = time.perf_counter()
            work()
            if repetition:  # the first is to warm up
                speeds[name].append(seconds / (time.perf_counter() - start))
    return speeds


def summary(values: list[float]) -> dict[str, float]:
    """Median and spread."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--clips", type=int, default=30, help="of each set")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*not writable.*")
    torch.set_num_threads(1)

    clips = [
        clip
        for name in ("ljspeech_aligned", "librispeech_unlabelled")
        for clip in read_clips(options.data / name, options.clips, seconds=10)
    ]
    table = agreement(clips)
    for row in table:
        print(
            "{label:12} {oracle:24} {measure:20} {figure:.5f}".format(**row),
            f"(target {row['target']})",
            "" if row["reached"] else "MISSED",
        )
    speeds = speed(clips[-10:], options.repetitions)
    for name, values in speeds.items():
        numbers = summary(values)
        print(
            f"{name:30} {numbers['median']:9,.0f} x real time "
            f"({numbers['least']:,.0f} to {numbers['most']:,.0f})"
        )
    ratios = {
        peer: summary(
            [a / b for a, b in zip(speeds["eight labels"], speeds[peer])]
        )
        for peer in ("openSMILE, two passes", "Praat, pitch and harmonicity")
    }
    for peer, ratio in ratios.items():
        print(
            f"eight labels: {ratio['median']:.1f} x {peer} "
            f"({ratio['least']:.1f} to {ratio['most']:.1f})"
        )
    write_json(
        RESULT,
        {
            "machine": platform.processor() or platform.machine(),
            "versions": {
                "torch": torch.__version__,
                "opensmile": opensmile.__version__,
                "parselmouth": parselmouth.__version__,
                "librosa": librosa.__version__,
            },
            "threads": torch.get_num_threads(),
            "clips": len(clips),
            "seconds": sum(map(len, clips)) / SAMPLE_RATE,
            "repetitions": options.repetitions,
            "agreement": table,
            "times_real_time": {k: summary(v) for k, v in speeds.items()},
            "ratio_of_eight_labels": ratios,
        },
    )


if __name__ == "__main__":
    main()
