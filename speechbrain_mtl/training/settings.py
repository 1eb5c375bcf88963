"""The YAML as plain data: what a stage's fingerprint is made of."""

import json
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


def to_yaml(settings: Any, indent: int = 0) -> str:
    """Write settings as YAML again, what `read_settings` read.

    Arguments
    ---------
    settings : any
        Plain data; objects are dicts with their tag under ``"!"``.
    indent : int
        Spaces before every line but the first.

    Returns
    -------
    text : str

    Example
    -------
    >>> print(to_yaml({"!": "!new:torch.nn.Linear", "items": [5, 4]}))
    !new:torch.nn.Linear [5, 4]
    >>> print(to_yaml({"!": "!new:a.B", "n": 5, "deep": {"x": True}}))
    !new:a.B
    n: 5
    deep: {"x": true}
    """
    if not isinstance(settings, dict) or "!" not in settings:
        return _flow(settings)
    tag, rest = settings["!"], {k: v for k, v in settings.items() if k != "!"}
    if set(rest) in ({"items"}, {"value"}):
        return f"{tag} {_flow(*rest.values())}"
    lines = [f"{key}: {_flow(value)}" for key, value in rest.items()]
    return ("\n" + " " * indent).join([tag, *lines])


def _flow(value: Any) -> str:
    """One line of YAML, of which JSON is a part."""
    if isinstance(value, dict) and "!" in value:
        tag, rest = value["!"], {k: v for k, v in value.items() if k != "!"}
        if set(rest) in ({"items"}, {"value"}):
            return f"{tag} {_flow(*rest.values())}"
        return f"{tag} {_flow(rest)}"
    if isinstance(value, dict):
        parts = (f"{json.dumps(k)}: {_flow(v)}" for k, v in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return json.dumps(value)
