"""Text in and out of DICOM: character sets (PS3.5 section 6.1.2), and values that fit their VR (section 6.2)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from pydicom import charset

from orthanc_stl.dicom.ascii import ascii_value

UTF8 = ("ISO_IR 192",)

# PS3.5 section 6.2: the most characters of a value; LO is what series descriptions and content descriptions are.
LO_CHARACTERS = 64

# A tab or a new line resets the code elements of ISO 2022 (PS3.5 section 6.1.2.5.3). The backslash does so too, but
# only between values: within a value it may be half of a Japanese or Chinese character.
_RESETS = {ord(c) for c in "\r\n\t\f"}
_ASCII_TERMS = ("", "ISO_IR 6", "ISO 2022 IR 6")
_PN_RESETS = _RESETS | {ord(c) for c in "^="}

_LATIN_1 = re.compile("[\x80-\xff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]+")


def character_sets(raw: bytes) -> tuple[str, ...]:
    """The values of Specific Character Set, as written in the file."""
    return tuple(term.strip() for term in ascii_value(raw).split("\\")) if raw else ()


def is_known_character_set(term: str) -> bool:
    return term in charset.python_encoding


def decode(raw: bytes, terms: Sequence[str], person_name: bool = False) -> str:
    """The text of one value, never split at backslashes: a ROI may be called `L\\R`.

    Without a declared character set only ASCII is allowed; a file that has other bytes nevertheless is read as UTF-8
    where it is valid UTF-8, else as Latin-1.
    """
    raw = raw.rstrip(b"\0 ")
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").strip()
    if not any(terms):
        try:
            return raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            return raw.decode("latin-1").strip()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encodings = charset.convert_encodings(list(terms))
        return charset.decode_bytes(raw, encodings, _PN_RESETS if person_name else _RESETS).strip("\0 ")


def fits(text: str, terms: Sequence[str]) -> bool:
    """Whether the character sets can write this text so that it reads back the same."""
    if text.isascii():
        return True
    if not any(terms) or (terms[0] in _ASCII_TERMS and _LATIN_1.search(text)):
        return False  # pydicom would write these letters as Latin-1, which the terms do not allow
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            encodings = charset.convert_encodings(list(terms))
            encoded = charset.encode_string(text, encodings)
            return charset.decode_bytes(encoded, encodings, _RESETS) == text
        except (UserWarning, UnicodeError, LookupError, ValueError):
            return False


def common_character_set(texts: Sequence[str], terms: Sequence[str]) -> tuple[str, ...]:
    """The given character sets if they are known and hold all the texts, else UTF-8; none at all for plain ASCII."""
    if not any(terms) and all(text.isascii() for text in texts):
        return ()
    known = all(not term or is_known_character_set(term) for term in terms)
    return tuple(terms) if known and all(fits(text, terms) for text in texts) else UTF8


def long_string(text: str, limit: int = LO_CHARACTERS) -> str:
    """`text` as one value of VR LO, cut to `limit`: no control characters, no backslash (it begins a second value)."""
    return _CONTROL.sub(" ", text.replace("\\", "/")).strip()[:limit].strip()


# Of a value: names take at most this much where more are in the way of a description before them.
_NAMES_CHARACTERS = 40


def described(description: str, names: Sequence[str], limit: int = LO_CHARACTERS) -> str:
    """`<description>: <names>` in `limit` characters: the description is cut before the first name is, and names that
    have no room are counted.

    >>> described("Contours of the treatment planning system, approved on Monday", ["Heart", "Lung L"])
    'Contours of the treatment planning system, approv: Heart, Lung L'
    >>> described("", ["A long name of a structure"] * 40)
    'A long name of a structure, A long name of a structure + 38 more'
    """
    description = long_string(description, limit)
    clean = [name for name in (long_string(name, limit) for name in names) if name]
    if not clean:
        return description
    width = max(_NAMES_CHARACTERS, limit - len(description) - 2)
    listed = _listed(clean, width if description else limit, limit)
    cut = description[: max(limit - len(listed) - 2, 0)].strip()
    return f"{cut}: {listed}" if len(cut) >= min(len(description), 4) > 0 else listed


def _listed(names: Sequence[str], width: int, limit: int) -> str:
    """As many names as go into `width` characters, at least one, which may take `limit`."""
    for count in range(min(len(names), limit), 0, -1):
        more = f" + {len(names) - count} more" if count < len(names) else ""
        listed = ", ".join(names[:count]) + more
        if len(listed) <= (width if count > 1 else limit):
            return listed
    more = f" + {len(names) - 1} more" if len(names) > 1 else ""
    return names[0][: limit - len(more)].rstrip() + more


def one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def plain_text(text: str, limit: int) -> str:
    """`text` as a value of VR ST, LT or UT: lines allowed, other control characters not."""
    lines = (_CONTROL.sub(" ", line).rstrip() for line in text.splitlines())
    return "\r\n".join(lines)[:limit].rstrip()
