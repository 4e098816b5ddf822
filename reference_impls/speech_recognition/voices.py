"""Synthetic speech by eSpeak NG, whose library comes with the package ``espeakng-loader``."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from reference_impls.harness import DataError

SAMPLE_RATE = 22_050
"""Of what eSpeak NG gives."""

ACCENTS = (
    "en",
    "en-us",
    "en-029",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-us-nyc",
)
VARIANTS = (
    *(f"m{number}" for number in range(1, 9)),
    *(f"f{number}" for number in range(1, 6)),
    *(
        "Alex",
        "Alicia",
        "Andrea",
        "Andy",
        "Annie",
        "Denis",
        "Diogo",
        "Gene",
        "Hugo",
        "Jacky",
        "Lee",
        "Marco",
        "Mario",
    ),
    *(
        "Michael",
        "Mike",
        "Nguyen",
        "Reed",
        "Storm",
        "adam",
        "anika",
        "antonio",
        "aunty",
        "belinda",
        "benjamin",
        "boris",
    ),
    *(
        "caleb",
        "david",
        "ed",
        "edward",
        "ian",
        "john",
        "linda",
        "max",
        "michel",
        "pablo",
        "paul",
        "pedro",
        "quincy",
    ),
    *("rob", "robert", "sandro", "shelby", "steph", "travis", "victor", "zac"),
)
"""The voices: timbres that can have any of the accents. Whispering, croaking and robots are left out."""

_HELD_OUT_ONE_IN = 4
_SYNCHRONOUS, _NO_EXIT = 2, 0x8000
_RATE, _PITCH, _UTF_8 = 1, 3, 1
_WORK = "reference_impls.speech_recognition needs the package espeakng-loader (pip install 'mlperf-log-toolkit[reference]')"


class Spoken(NamedTuple):
    """What is to be said, and how.

    Attributes:
        text: the words.
        variant: one of `VARIANTS`.
        accent: one of `ACCENTS`.
        rate: words per minute.
        pitch: 0 to 99.
    """

    text: str
    variant: str
    accent: str
    rate: int
    pitch: int


def is_held_out(variant: str) -> bool:
    """Whether a voice is evaluated on; one in four is, by a checksum of its name, and none of its speech is trained on."""
    return hashlib.sha256(variant.encode()).digest()[0] % _HELD_OUT_ONE_IN == 0


def speak_all(wanted: Sequence[Spoken]) -> list[np.ndarray]:
    """Say everything, in order, in a process of its own.

    eSpeak NG goes on from where the utterance before left it, so only the same sequence gives the same samples.

    Args:
        wanted: what to say.

    Returns:
        int16 samples of each, at `SAMPLE_RATE`.

    Raises:
        DataError: eSpeak NG is missing, or cannot do it.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_speak, list(wanted)).result()
        except BrokenProcessPool:
            raise DataError(
                "eSpeak NG ended unexpectedly; run this again, or use another version of espeakng-loader"
            ) from None


def _speak(wanted: list[Spoken]) -> list[np.ndarray]:
    library = _load_library()
    pieces: list[np.ndarray] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def receive(samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_SetSynthCallback(receive)
    spoken = []
    for number, each in enumerate(wanted):
        pieces.clear()
        library.espeak_ng_SetRandSeed(number)
        if library.espeak_SetVoiceByName(f"{each.accent}+{each.variant}".encode()):
            raise DataError(f"eSpeak NG has no voice {each.accent}+{each.variant}; use espeakng-loader 0.2.4")
        library.espeak_SetParameter(_RATE, each.rate, 0)
        library.espeak_SetParameter(_PITCH, each.pitch, 0)
        text = each.text.encode()
        library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF_8, None, None)
        library.espeak_Synchronize()
        if not pieces:
            raise DataError(
                f"eSpeak NG said nothing for {each.text!r} in the voice {each.accent}+{each.variant}"
            )
        spoken.append(np.concatenate(pieces))
    return spoken


def _load_library() -> ctypes.CDLL:
    try:
        loader = import_module("espeakng_loader")
    except ImportError:
        raise DataError(f"eSpeak NG is missing: {_WORK}") from None
    try:
        library = ctypes.CDLL(loader.get_library_path())
    except OSError as error:
        raise DataError(f"eSpeak NG cannot be loaded ({error}): {_WORK}") from None
    data = str(loader.get_data_path()).encode()
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data, _NO_EXIT) != SAMPLE_RATE:
        raise DataError(f"eSpeak NG does not speak at {SAMPLE_RATE} Hz; use espeakng-loader 0.2.4")
    return library
