"""eSpeak NG through ctypes: text in, wave and phone events out."""

import ctypes
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np

ENGINE_RATE = 22050
WORD, PHONE = 1, 7

# Numbers of speak_lib.h
_SYNCHRONOUS = 2
_PHONEME_EVENTS, _DONT_EXIT = 0x0001, 0x8000
_CHARS_UTF8, _PHONEMES = 0x01, 0x100
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}

_ENGLISH = ("phondata", "phonindex", "phontab", "intonations", "en_dict")
# The library has global state: never two syntheses at once in one process.
_ONE_AT_A_TIME = threading.Lock()


class Event(NamedTuple):
    """A word or phone begins.

    Arguments
    ---------
    type : int
        ``WORD`` or ``PHONE``.
    sample : int
        Where, in samples at 22,050 Hz.
    position : int
        Index of a word's first character in the text.
    length : int
        Characters of a word.
    name : str
        eSpeak's mnemonic of a phone.
    """

    type: int
    sample: int
    position: int
    length: int
    name: str


class _Id(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_void_p),
        ("string", ctypes.c_ubyte * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_short),
    ctypes.c_int,
    ctypes.POINTER(_Event),
)


class Engine:
    """A private eSpeak NG that answers every call as if it were the first.

    The library keeps hidden state between utterances (flutter and wave phase,
    two random generators) that no call resets, so it is loaded, asked once
    and unloaded again: 0.3 ms, and the same request gives the same samples.

    Raises
    ------
    ImportError
        When the library is missing or does not run on this system.

    Example
    -------
    >>> wave, events = Engine().synthesise("yes", "en-us")
    >>> [e.name for e in events if e.type == PHONE][:3]
    ['j', "'E", 's']
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise ImportError(
                "The embedded corpus needs eSpeak NG: "
                "pip install 'speechbrain_mtl[synth]'"
            ) from error
        self._library = espeakng_loader.get_library_path()
        self._folder = tempfile.TemporaryDirectory(prefix="espeak-")
        self._data = Path(self._folder.name, "espeak-ng-data")
        source = Path(espeakng_loader.get_data_path())
        # English only: initialising reads about 1 MB instead of 20
        for name in _ENGLISH:
            target = self._data / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target)
        voices = self._data / "lang" / "gmw"
        voices.mkdir(parents=True)
        for path in sorted((source / "lang" / "gmw").glob("en*")):
            shutil.copyfile(path, voices / path.name)
        # The library lists at most 349 voice files, so all speakers take
        # turns in one file.
        self._variant = self._data / "voices" / "!v" / "speaker"
        self._variant.parent.mkdir(parents=True)

    def synthesise(
        self,
        text: str,
        voice: str,
        variant: str | None = None,
        seed: int = 1,
        phonemes: bool = False,
        **parameters: float,
    ) -> tuple[np.ndarray, list[Event]]:
        """Say a text.

        Arguments
        ---------
        text : str
            Words, or mnemonics in double brackets if `phonemes` is set.
        voice : str
            Name of an English voice, such as ``"en-us"``.
        variant : str, optional
            Content of a voice variant file: the speaker.
        seed : int
            Of the library's random generators (breath noise).
        phonemes : bool
            Whether the text is ``[[mnemonics]]``.
        **parameters : float
            Of ``rate`` (words a minute), ``volume``, ``pitch``, ``range``.

        Returns
        -------
        wave : numpy.ndarray
            int16, [T], 22,050 Hz.
        events : list of Event
            Beginnings of words and phones in the order of the audio.

        Raises
        ------
        ImportError
            When the library does not load.
        RuntimeError
            When the library refuses the voice or the text.
        """
        with _ONE_AT_A_TIME:
            if variant is not None:
                self._variant.write_text(variant, encoding="ascii")
                voice = f"{voice}+{self._variant.name}"
            library = _load(self._library)
            try:
                return _speak(
                    library,
                    os.fsencode(self._data),
                    text,
                    voice,
                    seed & 0x7FFFFFFF,
                    phonemes,
                    parameters,
                )
            finally:
                _unload(library)

    def forgets(self) -> bool:
        """Whether unloading resets the library here, as it does on Linux.

        Returns
        -------
        repeatable : bool
            False where what was said before changes what comes next.
        """
        trembling = "language variant\nflutter 9\nbreath 0 9 9 9 9\n"
        first, second = (
            self.synthesise("one two three", "en-us", trembling)[0]
            for _ in range(2)
        )
        return np.array_equal(first, second)


def _load(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"eSpeak NG does not load here: {error}. Its Linux wheel needs "
            "GLIBC 2.29 or newer (Ubuntu 20.04, Debian 11, RHEL 9, not "
            "Alpine). Make the corpus on such a system and copy the folder."
        ) from error
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    return library


def _unload(library: ctypes.CDLL) -> None:
    import _ctypes

    close = getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary
    close(library._handle)


def _speak(
    library: ctypes.CDLL,
    data: bytes,
    text: str,
    voice: str,
    seed: int,
    phonemes: bool,
    parameters: dict[str, float],
) -> tuple[np.ndarray, list[Event]]:
    chunks: list[bytes] = []
    events: list[Event] = []

    def receive(wave: ctypes.Array, samples: int, found: ctypes.Array) -> int:
        if samples > 0 and wave:
            chunks.append(ctypes.string_at(wave, 2 * samples))
        index = 0
        while found[index].type:
            event = found[index]
            index += 1
            if event.type not in (WORD, PHONE):
                continue
            # `sample`, not `audio_position`: the latter has whole milliseconds
            name = b""
            if event.type == PHONE:
                name = bytes(event.id.string).split(b"\0")[0]
            events.append(
                Event(
                    event.type,
                    event.sample,
                    event.text_position - 1,
                    event.length,
                    name.decode(),
                )
            )
        return 0

    callback = _CALLBACK(receive)
    rate = library.espeak_Initialize(
        _SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _DONT_EXIT
    )
    if rate != ENGINE_RATE:
        raise RuntimeError(f"eSpeak NG does not start (it answers {rate})")
    try:
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()):
            raise RuntimeError(f"eSpeak NG has no voice '{voice}'")
        for name, value in parameters.items():
            library.espeak_SetParameter(_PARAMETERS[name], round(value), 0)
        library.espeak_ng_SetRandSeed(seed)
        _c_library().srand(ctypes.c_uint(seed))
        content = text.encode() + b"\0"
        flags = _CHARS_UTF8 | (_PHONEMES if phonemes else 0)
        if library.espeak_Synth(
            content, len(content), 0, 1, 0, flags, None, None
        ):
            raise RuntimeError(f"eSpeak NG cannot say '{text}'")
    finally:
        library.espeak_Terminate()
    return np.frombuffer(b"".join(chunks), np.int16), events


def _c_library() -> ctypes.CDLL:
    # some voices call the C library's rand()
    return ctypes.CDLL(None) if os.name != "nt" else ctypes.cdll.msvcrt
