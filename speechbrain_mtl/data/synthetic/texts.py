"""What is said, with the labels that follow from it.

Classes come in turn, not by chance, so that every class comes equally often
overall and, nearly, for every speaker: `turn` (the how-manieth item of this
speaker) and `who` (the speaker's index) choose them.
"""

from typing import Any

import numpy as np

from speechbrain_mtl.data.synthetic.keyed import shuffled
from speechbrain_mtl.data.synthetic.tables import table

# a pair of parts whose indices sum to a multiple of this is held out
HELD_OUT_EVERY = 5


def sentence(
    random: np.random.Generator, held_out: bool, tail: bool = True
) -> str:
    """Draw "subject verb object tail".

    Word pairs across the joints subject-verb and object-tail are split into
    open and held-out ones (one in five). A sentence has both joints open or
    both held out; who is given held-out ones decides `plan`.

    Arguments
    ---------
    random : numpy.random.Generator
        Of the item.
    held_out : bool
        Which kind of pairs to use.
    tail : bool
        Whether the sentence has its last part.

    Returns
    -------
    text : str
        Lower-case words.

    Example
    -------
    >>> sentence(np.random.default_rng(1), held_out=False, tail=False)
    'our neighbour washed his leather shoes'
    """
    parts = table("texts")["sentences"]

    def joint(first: str, second: str) -> list[str]:
        a = int(random.integers(len(parts[first])))
        allowed = [
            words
            for b, words in enumerate(parts[second])
            if ((a + b) % HELD_OUT_EVERY == 0) == held_out
        ]
        b = int(random.integers(len(allowed)))
        return [parts[first][a], allowed[b]]

    said = joint("subject", "verb") + joint("object", "tail")
    return " ".join(said if tail else said[:-1])


def keyword(turn: int, who: int) -> dict[str, Any]:
    """Say one of the keywords, or another word as class ``"unknown"``.

    Example
    -------
    >>> keyword(0, 0)
    {'text': 'yes', 'keyword': 'yes'}
    """
    words = table("texts")["keywords"]
    number = (turn + who) % (len(words) + 1)
    if number < len(words):
        return {"text": words[number], "keyword": words[number]}
    others = table("texts")["unknown"]
    # a speaker comes here every len(words) + 1 turns
    cycle = (turn + who) // (len(words) + 1)
    return {
        "text": others[(cycle + who) % len(others)],
        "keyword": "unknown",
    }


def command(
    number: int, seed: int, random: np.random.Generator
) -> dict[str, Any]:
    """Give an order, with its intent, slots and BIO tags.

    Arguments
    ---------
    number : int
        The how-manieth command. In each 25 of them all pairs of action and
        location come once, in an order of their own.
    seed : int
        Of the corpus: the orders.
    random : numpy.random.Generator
        Chooses wording and value.

    Returns
    -------
    labels : dict
        ``text``, ``intent`` (action, object, location), ``slots`` and
        ``bio``, one tag a word.

    Example
    -------
    >>> labels = command(1, 0, np.random.default_rng(0))
    >>> len(labels["bio"]) == len(labels["text"].split())
    True
    """
    content = table("texts")["commands"]
    actions, locations = list(content["actions"]), content["locations"]
    pairs = len(actions) * len(locations)
    block, place = divmod(number, pairs)
    pair = shuffled(place, pairs, seed, "command", block)
    action = actions[pair // len(locations)]
    location = locations[pair % len(locations)]
    choice = content["actions"][action]
    wanted = choice["objects"][(block + pair) % len(choice["objects"])]
    values = content["values"].get(wanted, [""])
    slots = {
        "object": wanted,
        "value": values[random.integers(len(values))],
        "location": location,
    }
    template = choice["templates"][random.integers(len(choice["templates"]))]
    if location != "none":
        template += " " + content["location_template"]
    words, tags, used = [], [], {}
    for piece in template.split():
        name = piece.strip("{}")
        if piece == name:
            words.append(piece)
            tags.append("O")
            continue
        used[name] = slots[name]
        filling = slots[name].split()
        words += filling
        tags += [f"B-{name}"] + [f"I-{name}"] * (len(filling) - 1)
    return {
        "text": " ".join(words),
        "intent": {"action": action, "object": wanted, "location": location},
        "slots": used,
        "bio": tags,
    }


def syllable(turn: int, who: int, seed: int) -> str:
    """Choose a consonant-vowel-consonant token for ABX tests.

    Four neighbouring speakers share one context and three vowels for six
    turns, each vowel twice: A, B and X exist within and across speakers.

    Arguments
    ---------
    turn, who : int
        The item.
    seed : int
        Of the corpus.

    Returns
    -------
    mnemonics : str
        eSpeak's phoneme input.

    Example
    -------
    >>> syllable(0, 0, 0) == syllable(3, 1, 0) != syllable(1, 0, 0)
    True
    """
    content = table("texts")["syllables"]
    onsets, codas = content["onset"], content["coda"]
    vowels = content["nucleus"]
    cell = turn // 6 * 7 + who // 4
    context = shuffled(cell, len(onsets) * len(codas), seed, "context")
    onset, coda = divmod(context, len(codas))
    place = 3 * cell + turn % 3
    vowel = vowels[shuffled(place, len(vowels), seed, "vowel")]
    return f"[[{onsets[onset]}'{vowel}{codas[coda]}]]"
