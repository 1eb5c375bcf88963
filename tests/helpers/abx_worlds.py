"""Made-up features and items, the same in every version of numpy."""

import numpy as np
import torch

HEADER = "#file onset offset #phone prev-phone next-phone speaker\n"
HOP = 0.02


def world(
    seed=0,
    files=6,
    tokens=30,
    speakers=3,
    phones=3,
    contexts=2,
    width=8,
    strength=0.0,
    discrete=False,
):
    """Items of random phones; noise of the given strength of each phone.

    Some items are too short for a frame, and a tenth of discrete frames are
    silent: all zeros.
    """
    random = np.random.RandomState(seed)  # its numbers never change
    sound = random.standard_normal((phones, width))
    features, items = {}, []
    for file in range(files):
        spans, time = [], 0.0
        for _ in range(tokens):
            end = round(time + random.uniform(0.015, 0.2), 3)
            spans.append((time, end, random.randint(phones)))
            time = end
        frames = random.standard_normal((int(time / HOP) + 2, width))
        for begin, end, phone in spans:
            name = f"f{file}", begin, end, f"p{phone}"
            around = f"l{random.randint(contexts)}", "r", f"s{file % speakers}"
            items.append((*name, *around))
            first, last = int(begin / HOP), int(end / HOP) + 1
            frames[first:last] += strength * sound[phone]
        if discrete:
            silent = random.uniform(size=(len(frames), 1)) < 0.1
            frames = np.eye(width)[frames.argmax(1)] * ~silent
        features[f"f{file}"] = torch.from_numpy(frames.astype(np.float32))
    return features, items


#: Worlds whose errors zerospeech-libriabx was asked for.
GOLDEN = {
    "noise": {"seed": 1},
    "speech": {"seed": 2, "strength": 0.7, "speakers": 2, "width": 40},
    "units": {"seed": 3, "discrete": True},
}


def write_world(folder, features, items):
    """Write a world as other programs read it; give the items' path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frames in features.items():
        np.save(folder / f"{name}.npy", frames.numpy())
    lines = [" ".join(map(str, item)) + "\n" for item in items]
    path = folder / "phones.item"
    path.write_text(HEADER + "".join(lines))
    return path
