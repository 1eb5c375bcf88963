"""One training step of SUPERB's nine tasks: packed, task by task, all at once.

    python -m benchmarks.joint_step

Three ways to encode two utterances a task (one of sd), with the same encoder,
heads and losses:

* packed: utterances of all tasks sorted by length, in as few forwards as a
  budget of padded audio allows; pr and asr read the same two recordings, as
  they do of SUPERB's data when every step draws all tasks, and those are
  encoded once;
* task by task: a padded forward a task, in turn, and one backward;
* all at once: one padded forward.

Audio is noise, weights are random, answers are drawn. Lengths are drawn around
the means of the data sets and then shrunk, as the card says, so that a step on
a processor ends: less padding in absolute terms, the same in relation. Nothing
is dropped or hidden, so that losses can be compared.

Steps are run in turn, on one thread, and their processor time is counted: what
else the machine does hits all alike and little. The first turn warms up.
Memory is the peak of a fresh process above what it had before its step, as
Linux counts it. Writes benchmarks/results/joint_step.json.
"""

import argparse
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.dataio.batch import PaddedData
from speechbrain.utils.data_utils import batch_pad_right
from torch import nn

from benchmarks.weightings import resident, summary
from speechbrain_mtl.data.atomic import write_json
from speechbrain_mtl.models import Wav2Vec2Encoder
from speechbrain_mtl.tasks import Inputs, SupervisedTask
from speechbrain_mtl.training.packed_loader import packed
from speechbrain_mtl.training.packed_model import PackedModel

RESULT = Path(__file__).parent / "results" / "joint_step.json"
HEADS = Path(__file__).parents[1] / "hparams" / "blocks" / "superb_heads.yaml"
RATE = 16000
REFERENCE = "packed"
#: Of each task's utterances: mean, deviation, least and most seconds. Means
#: are those of the data sets; asv and sid read at most 8 s; the rest is ours.
SECONDS = {
    "pr": (12.7, 3.5, 2.0, 16.0),
    "asr": (12.7, 3.5, 2.0, 16.0),
    "sf": (3.0, 0.8, 1.0, 6.0),
    "ks": (1.0, 0.0, 1.0, 1.0),
    "ic": (2.3, 0.8, 0.8, 6.0),
    "sid": (8.2, 3.0, 4.0, 8.0),
    "asv": (8.2, 3.0, 4.0, 8.0),
    "sd": (15.0, 2.0, 5.0, 20.0),
    "er": (4.6, 3.0, 0.6, 16.0),
}
#: Reads the recordings of another task.
SAME = {"asr": "pr"}
#: As in SUPERB; `spoken` gives the other tasks their symbols.
CLASSES = {"ks": 12, "sid": 1251, "asv": 1211, "er": 4}
INTENT = {"action": 6, "object": 14, "location": 4}
WORDS = ("so", "it", "is", "then", "who", "would", "ever", "know")


@dataclass
class Plan:
    """One geometry to measure.

    Arguments
    ---------
    encoder : dict
        Of `Wav2Vec2Encoder`.
    heads : dict
        Values of keys of ``superb_heads.yaml``.
    shrink : float
        Utterances last this share of what they do in the data sets.
    pack_seconds : float
        Padded audio of one packed forward, times `shrink`.
    batches : int
        Different batches, one a repetition, and then again from the first.
    repetitions : int
        Timed steps of each way.
    """

    encoder: dict
    heads: dict
    shrink: float
    pack_seconds: float
    batches: int
    repetitions: int


PLANS = {
    "mini": Plan(
        encoder={
            "hidden_size": 64, "layers": 3, "heads": 4,
            "feedforward_size": 256, "conv_channels": 32,
            "position_kernel": 32,
        },
        heads={
            "projection": 32, "text_projection": 32, "text_size": 32,
            "speaker_projection": 32, "speaker_pooled": 64,
            "speaker_embedding": 32, "diarization_size": 32,
        },
        shrink=0.25, pack_seconds=20.0, batches=5, repetitions=5,
    ),
    "HuBERT Base": Plan(
        encoder={}, heads={}, shrink=0.2, pack_seconds=20.0, batches=3,
        repetitions=3,
    ),
}  # fmt: skip


def spoken(words: Sequence[str], seconds: float) -> dict:
    """Everything that any of the tasks may want to know of an utterance."""
    return {
        "phones": [word[0].upper() for word in words],
        "text": " ".join(words),
        "bio": ["B-what" if n % 3 == 0 else "O" for n in range(len(words))],
        "duration": seconds,
        "turns": [[0.0, 0.6 * seconds, "ann"], [0.4 * seconds, seconds, "bob"]],
    }


def make_model(plan: Plan) -> PackedModel:
    """Make encoder and heads at random weights; training draws nothing."""
    torch.manual_seed(0)
    settings = {"dropout": 0.0, "mask_prob": 0.0, **plan.encoder}
    encoder = Wav2Vec2Encoder(**settings)
    quiet = {"augment": None, "text_dropout": 0.0, "phone_symbols": "learned"}
    with open(HEADS, encoding="utf-8") as file:
        tasks = load_hyperpyyaml(file, {**quiet, **plan.heads})["superb_tasks"]
    for name, task in tasks.items():
        if name in CLASSES:
            task.field = "label"
        count = CLASSES.get(name, max(INTENT.values()))
        task.prepare(
            encoder.dims, {f"u{i}": answers(i, 1.0) for i in range(count)}
        )
    return PackedModel(encoder, tasks).train()


def answers(number: int, seconds: float) -> dict:
    """An entry; its classes follow its number, its words its length."""
    count = max(1, round(2 * seconds))
    words = [WORDS[(number + i) % len(WORDS)] for i in range(count)]
    return {
        **spoken(words if seconds != 1.0 else WORDS, seconds),
        "label": f"{number:04d}",
        "intent": {k: str(number % size) for k, size in INTENT.items()},
    }


def items_of(
    tasks: dict[str, SupervisedTask], plan: Plan, seed: int
) -> list[tuple[str, dict]]:
    """Draw a step's utterances and answers of all tasks."""
    generator = torch.Generator().manual_seed(seed)
    items = []
    recordings: dict[str, tuple[float, torch.Tensor]] = {}
    for task, (mean, deviation, least, most) in SECONDS.items():
        for i in range(1 if task == "sd" else 2):
            name = f"{SAME.get(task, task)}{i}"
            if name not in recordings:
                drawn = mean + deviation * float(
                    torch.randn((), generator=generator)
                )
                seconds = plan.shrink * min(max(drawn, least), most)
                size = round(seconds * RATE)
                noise = 0.1 * torch.randn(size, generator=generator)
                recordings[name] = seconds, noise
            seconds, noise = recordings[name]
            entry = answers((seed + i) % 4, seconds)
            item = {
                "id": name,
                "sig": noise,
                "seconds": seconds,
                "part": name,
                f"target_{task}": tasks[task].encode(entry),
            }
            items.append((task, item))
    return items


def packed_losses(
    model: PackedModel, items: list[tuple[str, dict]], plan: Plan
) -> tuple[dict[str, torch.Tensor], int, float]:
    """Ours; also how many forwards, of how many padded seconds."""
    return _packed(model, items, plan.pack_seconds * plan.shrink * RATE)


def all_at_once(
    model: PackedModel, items: list[tuple[str, dict]], plan: Plan
) -> tuple[dict[str, torch.Tensor], int, float]:
    """One forward, padded to the longest of all."""
    return _packed(model, items, float("inf"))


def _packed(
    model: PackedModel, items: list[tuple[str, dict]], budget: float
) -> tuple[dict[str, torch.Tensor], int, float]:
    batch = packed(items, budget)
    losses, _ = model(batch, list(SECONDS))
    padded = sum(pack.wavs.numel() for pack in batch.packs) / RATE
    return losses, len(batch.packs), padded


def task_by_task(
    model: PackedModel, items: list[tuple[str, dict]], plan: Plan
) -> tuple[dict[str, torch.Tensor], int, float]:
    """A forward a task, as the published system does, without any packing."""
    losses, padded = {}, 0.0
    for task in SECONDS:
        own = [item for name, item in items if name == task]
        wavs, lens = batch_pad_right([item["sig"] for item in own])
        target = PaddedData(
            *batch_pad_right([item[f"target_{task}"] for item in own])
        )
        encoded = model.encoder(wavs, lens)
        inputs = Inputs(wavs, lens, {}, None, target)
        losses[task] = model.tasks[task](encoded, inputs)
        padded += wavs.numel() / RATE
    return losses, len(losses), padded


WAYS: dict[str, Callable] = {
    REFERENCE: packed_losses,
    "task by task": task_by_task,
    "all at once": all_at_once,
}


class Steps:
    """One model and its optimiser; a call is one training step."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.model = make_model(plan)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5)

    def items(self, number: int) -> list[tuple[str, dict]]:
        tasks = dict(self.model.tasks.items())
        return items_of(tasks, self.plan, number % self.plan.batches)

    def __call__(
        self, way: str, items: list[tuple[str, dict]]
    ) -> tuple[dict[str, float], int, float]:
        losses, forwards, padded = WAYS[way](self.model, items, self.plan)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return (
            {n: float(x.detach()) for n, x in losses.items()},
            forwards,
            padded,
        )


def peak_megabytes(plan: Plan, way: str) -> float:
    """Peak of one step above what there was; in a fresh process."""
    torch.set_num_threads(1)
    steps = Steps(plan)
    items = steps.items(0)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = resident("VmRSS")
    steps(way, items)
    return (resident("VmHWM") - before) / 1024


def memory(plan: Plan, way: str) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(peak_megabytes, (plan, way))


def apart(plan: Plan) -> float:
    """Largest difference between losses of the same weights, in relation."""
    model = make_model(plan)
    items = items_of(dict(model.tasks.items()), plan, 0)
    with torch.no_grad():
        found = {way: ask(model, items, plan)[0] for way, ask in WAYS.items()}
    ours = found.pop(REFERENCE)
    return max(
        abs(float(other[name] / ours[name]) - 1)
        for other in found.values()
        for name in SECONDS
    )


def measure(plan: Plan) -> dict:
    """Time, memory and losses of all three ways."""
    steps = Steps(plan)
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    padded: dict[str, float] = dict.fromkeys(WAYS, 0.0)
    forwards: dict[str, int] = dict.fromkeys(WAYS, 0)
    audio = 0.0
    ways = list(WAYS)
    for repetition in range(plan.repetitions + 1):
        items = steps.items(repetition)
        # Each way follows each other: what one leaves behind hits all.
        turn = repetition % len(ways)
        for way in ways[turn:] + ways[:turn]:
            start = time.process_time()
            _, count, seconds = steps(way, items)
            spent = time.process_time() - start
            if repetition:  # the first is to warm up
                times[way].append(spent)
                forwards[way] += count
                padded[way] += seconds
        if repetition:
            heard = {item["part"]: item["seconds"] for _, item in items}
            audio += sum(heard.values())
    rows = {}
    for way, values in times.items():
        ratios = [a / b for a, b in zip(values, times[REFERENCE])]
        rows[way] = {
            "times_packed": summary(ratios),
            "seconds": summary(values),
            "forwards": forwards[way] / plan.repetitions,
            "padded_seconds": padded[way] / plan.repetitions,
            "peak_megabytes": memory(plan, way),
        }
    return {
        "plan": asdict(plan),
        "encoder_parameters": sum(
            p.numel() for p in steps.model.encoder.parameters()
        ),
        "head_parameters": sum(
            p.numel() for p in steps.model.tasks.parameters()
        ),
        "audio_seconds": audio / plan.repetitions,
        "losses_apart": apart(plan),
        "rows": rows,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--plans", nargs="+", default=list(PLANS))
    parser.add_argument("--repetitions", type=int, help="of all plans")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    found = {}
    for name in options.plans:
        plan = PLANS[name]
        if options.repetitions:
            plan = replace(plan, repetitions=options.repetitions)
        found[name] = measure(plan)
        print(f"{name}: losses apart by {found[name]['losses_apart']:.1e}")
        for way, row in found[name]["rows"].items():
            ratio = row["times_packed"]
            print(
                f"  {way:13} {ratio['median']:5.2f} x time "
                f"({ratio['least']:.2f} to {ratio['most']:.2f}), "
                f"{row['forwards']:.1f} forwards of "
                f"{row['padded_seconds']:.0f} s in all, "
                f"{row['peak_megabytes']:.0f} MB"
            )
    write_json(
        options.out,
        {
            "machine": platform.processor() or platform.machine(),
            "versions": {
                name: version(name) for name in ("torch", "transformers")
            },
            "threads": torch.get_num_threads(),
            "load": load,
            "seconds_of_tasks": SECONDS,
            "plans": found,
        },
    )


if __name__ == "__main__":
    main()
