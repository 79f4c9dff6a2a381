"""One rule of the option "Rules": when it applies, what it makes, and what is done with the models."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from orthanc_stl.conversion.request import ConversionRequest
from orthanc_stl.errors import StlError
from orthanc_stl.rest.http.options import conversion_request, unknown_fields
from orthanc_stl.settings import InvalidConfiguration
from orthanc_stl.sources.kinds import ENCAPSULATED, KINDS

SERIES_TAGS = ("Modality", "SeriesDescription", "Manufacturer", "StationName", "BodyPartExamined", "ProtocolName")
STUDY_TAGS = ("StudyDescription", "InstitutionName")
CONDITIONS = (*SERIES_TAGS, *STUDY_TAGS, "SOPClass", "Labels")

# What sources have there, of which rules make models: of images they make none, nor of models.
_SOURCES = [
    {"Modality": modality, "SOPClass": sop_class}
    for kind in KINDS
    if kind is not ENCAPSULATED
    for modality in kind.modalities
    for sop_class in kind.sop_classes
]

# Orthanc allows no other characters in a label.
_LABEL = re.compile("[A-Za-z0-9_-]{1,64}")
_NAMESPACE = uuid.UUID("6d2b0b2e-3c5f-5a0e-9b43-7a8d6a0f4205")


@dataclass(frozen=True)
class Rule:
    """`when`: patterns for each condition, all of which must hold; `include`: patterns of names of structures."""

    name: str
    when: Mapping[str, tuple[str, ...]]
    include: tuple[str, ...]
    conversion: ConversionRequest
    labels: tuple[str, ...] = ()
    send_to: tuple[str, ...] = ()

    def applies(self, facts: Mapping[str, Sequence[str]]) -> bool:
        """Whether each condition has a value that fits one of its patterns; case does not matter."""
        return all(
            any(fits(value, patterns) for value in facts.get(condition, ()) or ("",))
            for condition, patterns in self.when.items()
        )

    def series_uids(self, sop_instance_uid: str) -> dict[str, Any]:
        """UIDs that depend on the source and on what the rule makes alone: whoever runs it, and how often, makes the
        same objects, which Orthanc keeps once."""
        made = json.dumps([self.name, self.include, self.conversion.as_json()], sort_keys=True)
        digest = hashlib.sha256(made.encode()).hexdigest()

        def uid(what: str) -> str:
            return f"2.25.{uuid.uuid5(_NAMESPACE, f'{what}/{sop_instance_uid}/{digest}').int}"

        return {
            "SeriesInstanceUID": uid("series"),
            "ModelGroupUID": uid("group"),
            "FrameOfReferenceUID": uid("frame"),
            "FixedUIDs": True,
        }


def fits(value: str, patterns: Sequence[str]) -> bool:
    """Whether a value fits one of these patterns, such as `"*body*"`; case and outer blanks do not matter."""
    return any(fnmatchcase(value.strip().casefold(), pattern.strip().casefold()) for pattern in patterns)


def read_rules(listed: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of the option "Rules". Raises `InvalidConfiguration` with a sentence that names the rule."""
    rules = tuple(_rule(number, rule) for number, rule in enumerate(listed, start=1))
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise InvalidConfiguration(f'"Rules": the name {name!r} is there {names.count(name)} times')
    return rules


def _rule(number: int, rule: Mapping[str, Any]) -> Rule:
    name = rule.get("Name")
    if not isinstance(name, str) or not 0 < len(name) <= 64 or not name.isprintable():
        raise InvalidConfiguration(
            f'"Rules": rule {number} needs a "Name" of 1 to 64 printable characters, got {name!r}'
        )
    where = f'"Rules": the rule {name!r}'
    _only(where, rule, ("Name", "When", "Structures", "Options", "Then"))
    when = _part(where, rule, "When", CONDITIONS)
    if not when:
        raise InvalidConfiguration(f'{where} has no "When": at least one of {", ".join(CONDITIONS)} is expected')
    conditions = {condition: _texts(where, when, condition) for condition in when}
    _require_possible(where, conditions)
    structures = _part(where, rule, "Structures", ("Include", "Exclude"))
    then = _part(where, rule, "Then", ("Label", "SendTo"))
    labels = _texts(where, then, "Label")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise InvalidConfiguration(
                f'{where}: "Label" takes letters, digits, "-" and "_" of ASCII, 64 at most, got {label!r}'
            )
    return Rule(
        name,
        conditions,
        _texts(where, structures, "Include"),
        replace(_conversion(where, rule), all=True, exclude=_texts(where, structures, "Exclude")),
        labels,
        _texts(where, then, "SendTo"),
    )


def _require_possible(where: str, conditions: Mapping[str, tuple[str, ...]]) -> None:
    """Raises `InvalidConfiguration` if no kind of source meets these conditions, or none meets all of them."""
    left, among = _SOURCES, ""
    for condition in left[0]:
        patterns = conditions.get(condition, ("*",))
        got = f'"{condition}" is {" or ".join(map(repr, patterns))}'
        fitting = [source for source in left if fits(source[condition], patterns)]
        if not fitting:
            possible = ", ".join(dict.fromkeys(source[condition] for source in left))
            raise InvalidConfiguration(
                f"{where} can never apply: {got}, but rules make models of {possible} only{among}"
            )
        left, among = fitting, f", where {got}"


def _conversion(where: str, rule: Mapping[str, Any]) -> ConversionRequest:
    options = rule.get("Options", {})
    if not isinstance(options, dict):
        raise InvalidConfiguration(f'{where}: "Options" must be an object, got {options!r}')
    for key in ("All", "Structures", "Exclude", "Replace"):
        if key in options:
            raise InvalidConfiguration(f'{where}: "Options" may not have {key!r}: say it in "Structures"')
    for sentence in unknown_fields(options):
        raise InvalidConfiguration(f'{where}: in "Options" {sentence}')
    try:
        return conversion_request({"Separate": True, **options})
    except StlError as error:
        raise InvalidConfiguration(f"{where}: {error}") from None


def _part(where: str, rule: Mapping[str, Any], key: str, known: Sequence[str]) -> dict[str, Any]:
    part = rule.get(key, {})
    if not isinstance(part, dict):
        raise InvalidConfiguration(f'{where}: "{key}" must be an object, got {part!r}')
    _only(f'{where}, "{key}"', part, known)
    return part


def _only(where: str, part: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in part:
        if key not in known:
            raise InvalidConfiguration(f"{where} has the unknown key {key!r}: {', '.join(known)} are known")


def _texts(where: str, part: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A string, or a list of at least one."""
    value = part.get(key, ())
    listed = [value] if isinstance(value, str) else value
    fit = isinstance(listed, list) and listed and all(isinstance(one, str) and one for one in listed)
    if key in part and not fit:
        raise InvalidConfiguration(f'{where}: "{key}" must be a string or a list of strings, got {value!r}')
    return tuple(listed)
