"""The YAML as plain data: what a stage's fingerprint is made of."""

from typing import Any

import ruamel.yaml
from hyperpyyaml import resolve_references


def plain(node: Any) -> Any:
    """Turn a tagged YAML node into JSON-serialisable data.

    A node's tag (``!new:torch.nn.Linear``) becomes the entry ``"!"``, so two
    settings are equal when they build the same objects from the same values.
    """
    tag = getattr(getattr(node, "tag", None), "value", None)
    if isinstance(node, dict):
        value = {str(key): plain(item) for key, item in node.items()}
        return {"!": tag, **value} if tag else value
    if isinstance(node, list):
        value = [plain(item) for item in node]
        return {"!": tag, "items": value} if tag else value
    if isinstance(node, ruamel.yaml.comments.TaggedScalar):
        return {"!": tag, "value": str(node.value)}
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float):
        if isinstance(node, kind):
            return kind(node)
    return str(node)


def read_settings(path: str, overrides: str | dict = "") -> dict:
    """Read a HyperPyYAML file as data, references and includes resolved.

    Arguments
    ---------
    path : str
        The YAML file.
    overrides : str or dict
        As for ``load_hyperpyyaml``.

    Returns
    -------
    settings : dict
        Plain data; objects are dicts with their tag under ``"!"``.

    Example
    -------
    >>> path = getfixture("tmp_path") / "a.yaml"
    >>> text = "n: 3\\nnet: !new:torch.nn.Linear [!ref <n>, 4]\\n"
    >>> _ = path.write_text(text)
    >>> read_settings(str(path), "n: 5")
    {'n': 5, 'net': {'!': '!new:torch.nn.Linear', 'items': [5, 4]}}
    """
    with open(path, encoding="utf-8") as file:
        stream = resolve_references(file, overrides)
    return plain(ruamel.yaml.YAML().load(stream))
