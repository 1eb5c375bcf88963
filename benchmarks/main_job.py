"""Is the gain real? The main job over seeds: paired differences, intervals.

    python -m benchmarks.main_job --seeds 3

runs `train.py` for every seed (a seed already done is not repeated), pairs
this run with its baselines seed by seed, and writes
`docs/results/main_job.json` and `.md`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from speechbrain_mtl.data.atomic import atomic_path, write_json
from speechbrain_mtl.evaluation.intervals import seed_interval

ROOT = Path(__file__).parents[1]
CARDS = ROOT / "docs" / "results"
BASELINES = ("fbank_context", "random_init", "uniform")


def run(hparams: str, downstream: str, seed: int, extra: list[str]) -> Path:
    """Run one seed and give its output folder."""
    strategy = Path(hparams).stem
    command = ["train.py", hparams, f"--downstream={downstream}"]
    command += [f"--seed={seed}", *extra]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    return ROOT / "results" / f"{strategy}_{downstream}" / str(seed)


def mean_and_interval(values: list[float]) -> dict:
    """Mean over seeds, with Student's interval from three seeds on."""
    mean = sum(values) / len(values)
    interval = list(seed_interval(values)) if len(values) > 2 else None
    return {"mean": mean, "interval": interval, "seeds": values}


def card(metrics: list[dict], command: str) -> dict:
    """Collect a result card from the metrics of several seeds."""
    probes = {}
    for name, probe in metrics[0]["probes"].items():
        sign = 1 if probe["higher_is_better"] else -1
        mine = [m["probes"][name]["value"] for m in metrics]
        entry = {"metric": probe["metric"], "this": mean_and_interval(mine)}
        for row in BASELINES:
            theirs = [m["baselines"][row][name]["value"] for m in metrics]
            entry[row] = mean_and_interval(theirs)
            # Positive is better, for accuracies and error rates alike.
            gain = [sign * (a - b) for a, b in zip(mine, theirs)]
            entry[f"gain_over_{row}"] = mean_and_interval(gain)
        probes[name] = entry
    return {
        "experiment": metrics[0]["experiment"],
        "command": command,
        "git": metrics[0]["git"],
        "versions": metrics[0]["versions"],
        "data": metrics[0]["data"],
        "hours_of_audio": metrics[0]["train"]["hours_of_audio"],
        "seeds": [m["seed"] for m in metrics],
        "weights": [m["weights"] for m in metrics],
        "cost": [m["cost"] for m in metrics],
        "probes": probes,
    }


def percent(value: dict, signed: bool = False) -> str:
    """Write a mean and its interval in percent."""
    sign = "+" if signed else ""
    text = f"{100 * value['mean']:{sign}.1f}"
    if value["interval"] is None:
        return text
    low, high = (100 * bound for bound in value["interval"])
    return f"{text} [{low:.1f}, {high:.1f}]"


def table(result: dict) -> str:
    """Lay a card out as a Markdown table."""
    lines = [
        "| probe/head | log-mel ± 5 | random init | uniform weights | this | "
        "gain over log-mel ± 5 | over random init | over uniform |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, entry in result["probes"].items():
        label = name if entry["metric"] == "accuracy" else f"{name} (PER)"
        cells = [percent(entry[row]) for row in (*BASELINES, "this")]
        for row in BASELINES:
            cells.append(percent(entry[f"gain_over_{row}"], signed=True))
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the seeds, write the card, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--downstream", default="word")
    parser.add_argument("--hparams", default="hparams/sparsemax.yaml")
    args, extra = parser.parse_known_args()
    metrics = []
    for seed in range(args.seeds):
        folder = run(args.hparams, args.downstream, seed, extra)
        metrics.append(json.loads((folder / "metrics.json").read_text()))
    command = "python -m benchmarks.main_job " + " ".join(sys.argv[1:])
    result = card(metrics, command.strip())
    name = "main_job"
    if args.downstream != "word" or Path(args.hparams).stem != "sparsemax":
        name += f"_{Path(args.hparams).stem}_{args.downstream}"
    write_json(CARDS / f"{name}.json", result)
    with atomic_path(CARDS / f"{name}.md") as temporary:
        temporary.write_text(table(result), encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
