"""Scenes that five captions describe, each so that no other scene fits."""

import functools
import itertools
from typing import Any

from speechbrain_mtl.data.synthetic.keyed import draws
from speechbrain_mtl.data.synthetic.scenes import relation_of
from speechbrain_mtl.data.synthetic.tables import table


def scene_count() -> int:
    """Tell how many scenes differ in what their captions say.

    Example
    -------
    >>> scene_count()
    4512
    """
    return len(_scenes())


def captioned_scene(number: int, seed: int) -> dict[str, Any]:
    """Describe two objects in five ways.

    Every caption names both objects and how they lie to each other, in a
    sentence form and in words of its own. No two scenes share these, so that
    a caption is right with its own picture only.

    Arguments
    ---------
    number : int
        Below `scene_count`; each is another scene.
    seed : int
        Of the corpus: the order of scenes, their places and words.

    Returns
    -------
    labels : dict
        ``captions``, five texts, all different, and ``scene``, the objects
        as in `scenes.scene`.

    Example
    -------
    >>> len(set(captioned_scene(0, 0)["captions"]))
    5
    """
    content = table("scenes")
    random = draws(seed, "scene", number)
    code = _order(seed)[number]
    *pair, phrase = _scenes()[code]
    if random.random() < 0.5:  # either may be named first
        pair, phrase = pair[::-1], content["opposites"][phrase]
    places = [
        cells
        for cells in itertools.permutations(range(content["grid"] ** 2), 2)
        if relation_of(*cells) == phrase
    ]
    cells = places[random.integers(len(places))]
    shown = [
        {"shape": shape, "color": color, "size": size, "cell": cell}
        for (size, color, shape), cell in zip(pair, cells)
    ]
    forms = content["sentences"]
    captions = []
    for form in random.permutation(len(forms))[: content["captions"]]:

        def said(term: str) -> str:
            words = content["synonyms"].get(term, [term])
            return words[random.integers(len(words))]

        first, second = (
            f"{said(size)} {color} {shape}" for size, color, shape in pair
        )
        captions.append(
            forms[form].format(
                first=first,
                second=second,
                relation=said(phrase),
                opposite=said(content["opposites"][phrase]),
            )
        )
    return {"captions": captions, "scene": shown}


@functools.cache
def _scenes() -> list[tuple]:
    """All pairs of different objects in all relations, each once."""
    content = table("scenes")
    kinds = itertools.product(
        content["sizes"], content["colors"], content["shapes"]
    )
    return [
        (first, second, relation)
        for first, second in itertools.combinations(list(kinds), 2)
        for relation in content["relations"]
    ]


@functools.lru_cache(maxsize=4)
def _order(seed: int) -> list[int]:
    # a shuffle that keeps no step: parts of the corpus are taken at regular
    # places of it and shall not differ in their relations
    return draws(seed, "scenes").permutation(scene_count()).tolist()
