"""What speakers of the embedded corpus may say."""

import re

from speechbrain_mtl.data.synthetic.tables import table


def phrases():
    """Words, sentences and commands of the data files, slots filled."""
    texts = table("texts")
    yield from texts["keywords"] + texts["unknown"]
    for part in texts["sentences"].values():
        yield from part
    commands = texts["commands"]
    for action in commands["actions"].values():
        for template in action["templates"]:
            yield re.sub(r"\{(\w+)\}", "seven", template)
        yield from action["objects"]
    for values in commands["values"].values():
        yield from values
