"""The phones of TIMIT, and the usual way to fold them into fewer.

K.-F. Lee and H.-W. Hon, Speaker-independent phone recognition using hidden
Markov models, IEEE Trans. ASSP 37(11), 1989: 61 labels are transcribed, 48
are modelled, 39 are scored. The glottal stop ``q`` is left out of both.
"""

# What each of the 48 stands for, where it is not itself alone.
TO_48 = {
    "ax-h": "ax",
    "axr": "er",
    "bcl": "vcl",
    "dcl": "vcl",
    "em": "m",
    "eng": "ng",
    "gcl": "vcl",
    "h#": "sil",
    "hv": "hh",
    "kcl": "cl",
    "nx": "n",
    "pau": "sil",
    "pcl": "cl",
    "tcl": "cl",
    "ux": "uw",
}
TO_39 = {
    "ao": "aa",
    "ax": "ah",
    "cl": "sil",
    "el": "l",
    "en": "n",
    "epi": "sil",
    "ix": "ih",
    "vcl": "sil",
    "zh": "sh",
}
PHONES_61 = (
    "aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi "
    "er ey f g gcl h# hh hv ih ix iy jh k kcl l m n ng nx ow oy p pau pcl q r "
    "s sh t tcl th uh uw ux v w y z zh"
).split()


def fold_phone(phone: str, phones: int = 39) -> str | None:
    """Fold one of the 61 labels.

    Arguments
    ---------
    phone : str
        One of `PHONES_61`.
    phones : int
        How many labels there shall be: 61, 48 or 39.

    Returns
    -------
    label : str or None
        None for the glottal stop, which has no label among 48 and 39.

    Raises
    ------
    KeyError
        When there is no such phone.

    Example
    -------
    >>> [fold_phone("zh", phones) for phones in (61, 48, 39)]
    ['zh', 'zh', 'sh']
    """
    return FOLDINGS[phones][phone]


def scored_phone(phone: str) -> str | None:
    """Give the label, among 39, that one of any set is scored as.

    Arguments
    ---------
    phone : str
        Of the 61, the 48 or the 39; the labels of other sets stay themselves.

    Returns
    -------
    label : str or None
        None for the glottal stop, which is not scored.

    Example
    -------
    >>> [scored_phone(phone) for phone in ("bcl", "vcl", "sil", "q")]
    ['sil', 'sil', 'sil', None]
    """
    return _folded(phone, TO_48, TO_39)


def _folded(phone: str, *steps: dict[str, str]) -> str | None:
    """Take a phone through the steps; q is lost on the way."""
    for step in steps:
        phone = step.get(phone, phone)
    return None if steps and phone == "q" else phone


FOLDINGS = {
    61: {phone: _folded(phone) for phone in PHONES_61},
    48: {phone: _folded(phone, TO_48) for phone in PHONES_61},
    39: {phone: _folded(phone, TO_48, TO_39) for phone in PHONES_61},
}
