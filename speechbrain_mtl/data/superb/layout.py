"""What each of the nine tasks needs of its data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARTS = ("train", "valid", "test")
Parts = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]


@dataclass(frozen=True)
class Needs:
    """What a task needs.

    Arguments
    ---------
    name : str
        In words.
    fields : tuple of str
        Of every entry; the first holds the answer.
    corpus : str
        Where SUPERB takes it from.
    closed : bool
        Whether all answers must occur in training.
    new_voices : bool
        Whether nobody may be heard in two parts.
    """

    name: str
    fields: tuple[str, ...]
    corpus: str
    closed: bool = True
    new_voices: bool = True


# In the order of the paper on multi-task finetuning, arXiv 2110.09930.
TASKS = {
    "pr": Needs("phone recognition", ("phones",), "LibriSpeech"),
    "asr": Needs("speech recognition", ("text",), "LibriSpeech"),
    "sf": Needs("slot filling", ("bio", "text"), "Audio SNIPS"),
    "ks": Needs("keyword spotting", ("keyword",), "Speech Commands v0.01"),
    "ic": Needs("intents", ("intent",), "Fluent Speech Commands"),
    "sid": Needs(
        "speaker identification", ("speaker",), "VoxCeleb1", new_voices=False
    ),
    "asv": Needs(
        "speaker verification", ("speaker",), "VoxCeleb1", closed=False
    ),
    "sd": Needs(
        "diarization", ("turns", "speakers"), "Libri2Mix", closed=False
    ),
    "er": Needs("emotions", ("emotion_label",), "IEMOCAP"),
}


def answers(task: str, value: Any) -> set[str]:
    """List what an entry's answer is made of: classes, phones, characters.

    Arguments
    ---------
    task : str
        One of `TASKS`.
    value : str, dict or list
        The answer.

    Returns
    -------
    classes : set of str
        Of slot tags, the slots.

    Example
    -------
    >>> sorted(answers("ic", {"action": "set", "location": "none"}))
    ['action set', 'location none']
    >>> sorted(answers("sf", ["O", "B-object", "I-object"]))
    ['object']
    >>> sorted(answers("pr", [[0.0, 0.1, "SIL"], [0.1, 0.2, "AH"]]))
    ['AH', 'SIL']
    """
    if isinstance(value, Mapping):
        return {f"{slot} {filling}" for slot, filling in value.items()}
    if task == "sf":
        return {tag.partition("-")[2] for tag in value if tag != "O"}
    if task == "asr":
        return set(value)
    if isinstance(value, str):
        return {value}
    return {part if isinstance(part, str) else part[2] for part in value}


def voices(entry: Mapping[str, Any]) -> set[str]:
    """Name who is heard in an entry; nobody where it does not say.

    Example
    -------
    >>> voices({"speaker": None, "speakers": ["ann", "bob"]}) == {"ann", "bob"}
    True
    """
    if entry.get("speakers"):
        return set(entry["speakers"])
    return {entry["speaker"]} if entry.get("speaker") else set()


def recording(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Identify what is heard: the file, and which part of it."""
    return entry["wav"], entry.get("start"), entry.get("stop")
