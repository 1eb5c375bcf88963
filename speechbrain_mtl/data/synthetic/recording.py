"""One item of the plan becomes files and an entry of the manifest."""

import hashlib
import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

from speechbrain_mtl.data.synthetic.channel import SAMPLE_RATE
from speechbrain_mtl.data.synthetic.mixtures import Turn, mix, rttm, times
from speechbrain_mtl.data.synthetic.plan import Item
from speechbrain_mtl.data.synthetic.scenes import png, render
from speechbrain_mtl.data.synthetic.utterance import utter

WAV_HEADER = 44  # bytes
# All entries hold all fields, null where they do not apply: SpeechBrain takes
# the fields of a data set from its first entry.
FIELDS = (
    *("wav", "duration", "sample_rate", "kind"),
    *("speaker", "gender", "accent", "split", "utterance_split"),
    *("text", "words", "phones", "emotion", "augment"),
    *("held_out", "emotion_label", "keyword", "intent", "slots", "bio"),
    *("image", "scene", "rttm", "speakers", "turns", "sha256"),
)


def record(item: Item, seed: int, out: Path) -> dict[str, Any]:
    """Make the files of an item.

    Arguments
    ---------
    item : Item
        What to make.
    seed : int
        Of the corpus.
    out : Path
        The corpus's folder; sub-folders are made when missing.

    Returns
    -------
    entry : dict
        The item's entry of the manifest.
    """
    place = item.folder + item.name
    if item.kind == "mixture":
        sound, turns = mix(item, seed)
        labels = _of_turns(turns)
        labels["rttm"] = _write(
            out, f"rttm/{place}.rttm", rttm(item.name, turns).encode()
        )
    else:
        line = item.lines[0]
        sound, phones, words = utter(line, seed)
        labels = {
            "speaker": line.speaker.name,
            "gender": line.speaker.gender,
            "accent": line.speaker.accent,
            "emotion": line.emotion,
            "words": times(words),
            "phones": times(phones),
            "augment": line.augment,
            **item.labels,
        }
    if "scene" in labels:
        # all captions of a scene write the same picture
        picture = f"img/{item.folder}{labels.get('image_id', item.name)}.png"
        labels["image"] = _write(out, picture, png(render(labels["scene"])))
    content = wav_bytes(sound)
    labels |= {
        "wav": _write(out, f"wav/{place}.wav", content),
        "duration": len(sound) / SAMPLE_RATE,
        "sample_rate": SAMPLE_RATE,
        "kind": item.kind,
        "split": item.split,
        "utterance_split": item.utterance_split,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    # what the plan adds to all items of a corpus comes after
    fields = dict.fromkeys((*FIELDS, *item.labels))
    return {field: labels.get(field) for field in fields}


def wav_bytes(sound: np.ndarray) -> bytes:
    """Encode floats in [-1, 1] as a 16-bit WAV file.

    Example
    -------
    >>> len(wav_bytes(np.zeros(100))) - WAV_HEADER
    200
    """
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _of_turns(turns: list[Turn]) -> dict[str, Any]:
    """Labels of a mixture; those of both speakers merged in order of time."""
    words = sorted(word for turn in turns for word in turn.words)
    phones = sorted(phone for turn in turns for phone in turn.phones)
    return {
        "text": " ".join(turn.text for turn in turns),
        "words": times(words),
        "phones": times(phones),
        "augment": {},
        "speakers": sorted({turn.speaker for turn in turns}),
        "turns": [
            {
                "speaker": turn.speaker,
                "start": times([turn.words[0]])[0][0],
                "end": times([turn.words[-1]])[0][1],
                "text": turn.text,
                "words": times(turn.words),
                "phones": times(turn.phones),
            }
            for turn in turns
        ],
    }


def _write(out: Path, name: str, content: bytes) -> str:
    """Write one file; return its path as the manifest has it."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return "{data_root}/" + name
