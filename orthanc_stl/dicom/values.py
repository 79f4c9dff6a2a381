"""Values as their VR allows them (PS3.5 section 6.2): what a source holds may be of no valid form at all."""

from __future__ import annotations

import re
from datetime import date

from orthanc_stl.dicom.text import long_string, plain_text

# PS3.5 table 6.2-1: the most characters of a value.
LENGTHS = {"AE": 16, "CS": 16, "LO": 64, "LT": 10240, "SH": 16, "ST": 1024, "UI": 64}
_UNLIMITED = 1 << 20

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", re.ASCII)
_DATE_TIME = re.compile(r"(\d{4}(\d{2}(\d{2})?)?)((?<=\d{8})\d{2,6}(\.\d{1,6})?)?([+-]\d{4})?", re.ASCII)
_PATTERNS = {
    "AS": re.compile(r"\d{3}[DWMY]", re.ASCII),
    "CS": re.compile(r"[A-Z0-9 _]{1,16}"),
    "DS": re.compile(r"(?=.{1,16}$)[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII),
    "IS": re.compile(r"[+-]?\d{1,11}", re.ASCII),
    "TM": _TIME,
    "UI": re.compile(r"(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))*", re.ASCII),
    "UR": re.compile(r"[!-~]+"),
}

# TAB, LF, FF and CR, which long texts may hold: replaced by a letter before a look for other control characters.
_FORMAT_CONTROLS = dict.fromkeys(map(ord, "\t\n\f\r"), ".")


def is_date(text: str) -> bool:
    """YYYYMMDD, a day that exists."""
    if not re.fullmatch(r"[0-9]{8}", text):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def is_date_time(text: str) -> bool:
    """PS3.5 DT: YYYYMMDDHHMMSS.FFFFFF&ZZXX, cut anywhere after the year."""
    match = _DATE_TIME.fullmatch(text)
    if not match:
        return False
    day, time = match[1], match[4]
    return is_date((day + "0101")[:8] if len(day) != 6 else day + "01") and (not time or bool(_TIME.fullmatch(time)))


def is_valid(vr: str, text: str) -> bool:
    """Whether one value is of the form its VR asks for. Empty values are."""
    if not text:
        return True
    if vr == "DA":
        return is_date(text)
    if vr == "DT":
        return is_date_time(text)
    if vr in _PATTERNS:
        return _PATTERNS[vr].fullmatch(text) is not None
    if vr in ("LT", "ST", "UT"):
        text = text.translate(_FORMAT_CONTROLS)
    return cleaned(vr, text) == text


def cleaned(vr: str, text: str) -> str:
    """The value nearest to `text` that the VR allows; empty if there is none."""
    if vr in _PATTERNS or vr in ("DA", "DT"):
        text = text.upper() if vr == "CS" else text
        return text if is_valid(vr, text) else ""
    if vr == "PN":
        return _person_name(text)
    if vr in ("LT", "ST", "UC", "UT"):
        return plain_text(text, LENGTHS.get(vr, _UNLIMITED))
    return long_string(text, LENGTHS[vr])


def _person_name(text: str) -> str:
    """At most three representations, each of five parts and 64 characters (PS3.5 section 6.2.1)."""
    groups = []
    for group in text.split("=")[:3]:
        parts = [long_string(part.replace("=", " "), 64) for part in group.split("^")]
        groups.append("^".join(parts[:4] + [" ".join(parts[4:])][: len(parts) > 4]).rstrip("^")[:64])
    return "=".join(groups).rstrip("=")
