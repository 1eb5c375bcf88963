"""What a corpus is made of: a pure function of settings and index."""

import functools
from dataclasses import dataclass
from typing import Any

from speechbrain_mtl.data.synthetic import texts
from speechbrain_mtl.data.synthetic.captions import (
    captioned_scene,
    scene_count,
)
from speechbrain_mtl.data.synthetic.keyed import draws
from speechbrain_mtl.data.synthetic.scenes import scene
from speechbrain_mtl.data.synthetic.speakers import Speaker, speaker, split_of
from speechbrain_mtl.data.synthetic.tables import table

DEFAULT_MINUTES, DEFAULT_SPEAKERS = 32.0, 24
MIN_SPEAKERS = 4
SCENE = "scene"  # the kind of spoken captions that come by choice
_FOLDER = 1000  # files


@dataclass(frozen=True)
class Line:
    """Something one speaker says.

    Arguments
    ---------
    key : str
        Names the utterance's random generators.
    speaker : Speaker
        Who.
    text : str
        What.
    emotion : str
        How.
    phonemes : bool
        Whether the text is phoneme input.
    level_db : float, optional
        Level of the speech; as loud as it comes if None.
    augment : dict
        ``snr_db`` and ``rt60``, where they apply.
    """

    key: str
    speaker: Speaker
    text: str
    emotion: str = "neutral"
    phonemes: bool = False
    level_db: float | None = None
    augment: dict[str, float] | None = None


@dataclass(frozen=True)
class Item:
    """One recording of the corpus.

    Arguments
    ---------
    name : str
        Its id in the manifest.
    kind : str
        A kind of ``plan.json``.
    folder : str
        ``""``, or a sub-folder with a final slash.
    split, utterance_split : str
        ``"train"``, ``"valid"`` or ``"test"``: by speaker, by utterance.
    lines : tuple of Line
        One, or the turns of a mixture.
    labels : dict
        What is known before anything is said.
    """

    name: str
    kind: str
    folder: str
    split: str
    utterance_split: str
    lines: tuple[Line, ...]
    labels: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The items of a corpus, each made when asked for.

    Arguments
    ---------
    minutes : float
        Wanted length; counts of items follow from it.
    speakers : int
        At least 4.
    seed : int
        Another seed: other speakers, other sentences.
    mixtures : int, optional
        How many, whatever the length; all else stays as it is without. A
        seventeen-second mixture is of two speakers of one split.
    scenes : int, optional
        How many pictures with five spoken captions each, after all else;
        none by default. A scene and its speakers are of one split.

    Raises
    ------
    ValueError
        When a setting makes no corpus.

    Example
    -------
    >>> plan = Plan(minutes=1, speakers=4, seed=0)
    >>> plan[0].name, plan[0].lines[0].speaker.name
    ('read_000000', 'spk000')
    >>> sum(plan.counts.values()) == len(plan)
    True
    """

    minutes: float = DEFAULT_MINUTES
    speakers: int = DEFAULT_SPEAKERS
    seed: int = 0
    mixtures: int | None = None
    scenes: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.minutes < 1e6:
            raise ValueError(f"minutes is {self.minutes}; it must lie above 0.")
        if self.speakers < MIN_SPEAKERS:
            raise ValueError(
                f"speakers is {self.speakers}; at least {MIN_SPEAKERS} are "
                "needed to fill train, valid and test and to mix two of one "
                "split."
            )
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must not be negative.")
        if self.mixtures is not None and self.mixtures < 1:
            raise ValueError(
                f"mixtures is {self.mixtures}; it must be at least 1."
            )
        most = scene_count()
        if self.scenes is not None and not 1 <= self.scenes <= most:
            raise ValueError(
                f"scenes is {self.scenes}; there are 1 to {most} that captions "
                "can tell apart."
            )

    @functools.cached_property
    def counts(self) -> dict[str, int]:
        """How many items of each kind; whole rounds of speakers if enough."""
        counts = {}
        for kind, part in table("plan")["kinds"].items():
            seconds = part["minutes"] * 60 * self.minutes / DEFAULT_MINUTES
            count = max(1, round(seconds / part["seconds"]))
            rounds = round(count / self.speakers)
            whole = rounds > 0 and kind != "mixture"
            counts[kind] = rounds * self.speakers if whole else count
        if self.mixtures is not None:
            counts["mixture"] = self.mixtures
        if self.scenes is not None:
            counts[SCENE] = self.scenes * table("scenes")["captions"]
        return counts

    @property
    def expected_seconds(self) -> float:
        """Length of the audio, about."""
        seconds = {k: v["seconds"] for k, v in table("plan")["kinds"].items()}
        seconds[SCENE] = table("scenes")["caption_seconds"]
        return sum(n * seconds[kind] for kind, n in self.counts.items())

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __getitem__(self, index: int) -> Item:
        kind, number, before = self._place(index)
        if kind == SCENE:
            return self._scene(number)
        name = f"{kind}_{number:06d}"
        # scenes have folders of their own and change no other name
        many = len(self) - self.counts.get(SCENE, 0) > 5 * _FOLDER
        folder = f"{index // _FOLDER:03d}/" if many else ""
        if kind == "mixture":
            return self._mixture(name, number, folder)
        turn, who = divmod(number, self.speakers)
        person = speaker(self.seed, who)
        labels = self._said(kind, name, number)
        if self.scenes is not None:
            labels["image_id"] = name if kind == "caption" else None
        rules = table("plan")
        pattern = rules["utterance_splits"]
        line = Line(
            key=name,
            speaker=person,
            text=(
                texts.syllable(turn, who, self.seed)
                if kind == "abx"
                else labels["text"]
            ),
            emotion=labels.get("emotion_label", "neutral"),
            phonemes=kind == "abx",
            level_db=rules["emotion_level_db"] if kind == "emotion" else None,
            augment=self._channel(kind, name),
        )
        return Item(
            name=name,
            kind=kind,
            folder=folder,
            split=person.split,
            utterance_split=pattern[(before + turn) % len(pattern)],
            lines=(line,),
            labels=labels,
        )

    def _place(self, index: int) -> tuple[str, int, int]:
        """Kind, number within it, and how many turns were before the kind."""
        number, before = index, 0
        for kind, count in self.counts.items():
            if 0 <= number < count:
                return kind, number, before
            number -= count
            before += -(-count // self.speakers)
        raise IndexError(f"item {index} of {len(self)}")

    def _said(self, kind: str, name: str, number: int) -> dict[str, Any]:
        turn, who = divmod(number, self.speakers)
        random = draws(self.seed, name, "text")
        if kind == "read":
            # every other sentence of a test speaker is made of pairs that
            # nobody else says
            held_out = split_of(who) == "test" and turn % 2 == 1
            text = texts.sentence(random, held_out)
            return {"text": text, "held_out": held_out}
        if kind == "emotion":
            emotions = list(table("voices")["emotions"])
            return {
                "text": texts.sentence(random, held_out=False, tail=False),
                "emotion_label": emotions[(turn + who) % len(emotions)],
            }
        if kind == "command":
            return texts.command(number, self.seed, random)
        if kind == "caption":
            # two neighbours, in number and in voice, share a place of both
            # sorts; `turn` keeps the sorts from following the gender
            return scene(number // 2, (turn + who) % 2 + 1, self.seed, random)
        if kind == "keyword":
            return texts.keyword(turn, who)
        return {"text": ""}  # a syllable is no word

    def _channel(self, kind: str, name: str) -> dict[str, float]:
        rules = table("plan")
        random = draws(self.seed, name, "channel")
        if kind not in rules["noisy_kinds"]:
            return {}
        if random.random() >= rules["noisy_share"]:
            return {}
        augment = {"snr_db": round(random.uniform(*rules["snr_db"]), 1)}
        if random.random() < rules["reverberant_share_of_noisy"]:
            augment["rt60"] = round(random.uniform(*rules["rt60"]), 2)
        return augment

    def _scene(self, number: int) -> Item:
        """One caption; those of a scene are by different speakers if enough."""
        content = table("scenes")
        number, turn = divmod(number, content["captions"])
        split = content["parts"][number % len(content["parts"])]
        image = f"{SCENE}_{number:06d}"
        labels = captioned_scene(number, self.seed)
        members = self._members[split]
        first = draws(self.seed, image, "speakers").integers(len(members))
        person = speaker(self.seed, members[(first + turn) % len(members)])
        name = f"{image}_{turn}"
        text = labels.pop("captions")[turn]
        return Item(
            name=name,
            kind=SCENE,
            folder=f"{SCENE}/{number * content['captions'] // _FOLDER:03d}/",
            split=split,
            utterance_split=split,
            lines=(Line(name, person, text, augment={}),),
            labels={**labels, "text": text, "image_id": image},
        )

    @functools.cached_property
    def _members(self) -> dict[str, list[int]]:
        """Speakers of each split, by index."""
        members: dict[str, list[int]] = {}
        for index in range(self.speakers):
            members.setdefault(split_of(index), []).append(index)
        return members

    def _mixture(self, name: str, number: int, folder: str) -> Item:
        random = draws(self.seed, name, "plan")
        pattern = table("plan")["speaker_splits"][0]
        members = self._members
        # a split with one speaker has no mixtures
        able = [s for s in pattern if len(members.get(s, [])) > 1]
        split = able[number % len(able)]
        pair = random.choice(members[split], 2, replace=False)
        people = [speaker(self.seed, int(index)) for index in pair]
        lines = tuple(
            Line(
                key=f"{name}_turn{turn}",
                speaker=people[turn % 2],
                text=texts.sentence(
                    draws(self.seed, name, turn, "text"),
                    held_out=split == "test" and turn % 2 == 1,
                ),
            )
            for turn in range(table("plan")["turns"])
        )
        more = {} if self.scenes is None else {"image_id": None}
        return Item(name, "mixture", folder, split, split, lines, more)
