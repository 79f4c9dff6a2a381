"""The option "Rules": what is refused, and what a rule applies to."""

from __future__ import annotations

from typing import Any

import pytest

from orthanc_stl.rest.rules.rule import read_rules
from orthanc_stl.settings import InvalidConfiguration

GOOD: dict[str, Any] = {"Name": "a", "When": {"Modality": "RTSTRUCT"}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"Name": ""}, 'rule 1 needs a "Name"'),
        ({"When": {}}, 'has no "When"'),
        ({"When": {"Modalty": "CT"}}, "unknown key 'Modalty'"),
        ({"When": {"Modality": 5}}, '"Modality" must be a string or a list of strings, got 5'),
        (
            {"When": {"Modality": "CT"}},
            "can never apply: \"Modality\" is 'CT', but rules make models of RTSTRUCT, SEG,",
        ),
        ({"When": {"Modality": ["MR", "M3D"]}}, "\"Modality\" is 'MR' or 'M3D'"),
        ({"When": {"Modality": "SEG", "SOPClass": "1.2.840.10008.5.1.4.1.1.2"}}, 'can never apply: "SOPClass"'),
        (
            {"When": {"Modality": "SEG", "SOPClass": "1.2.840.10008.5.1.4.1.1.481.3"}},
            "can never apply: \"SOPClass\" is '1.2.840.10008.5.1.4.1.1.481.3', but rules make models of "
            "1.2.840.10008.5.1.4.1.1.66.4, .* only, where \"Modality\" is 'SEG'",
        ),
        ({"When": {"Modality": ["RT*", "SEG"], "SOPClass": "*.66.9"}}, 'can never apply: "SOPClass"'),
        ({"When": {"Modality": "RTDOSE", "SOPClass": "*.66.*"}}, "of 1.2.840.10008.5.1.4.1.1.481.2 only, where"),
        ({"When": []}, '"When" must be an object'),
        ({"Structures": {"Include": []}}, '"Include" must be a string or a list of strings'),
        ({"Options": {"Resolution": 1}}, "Resolution must be from 2 to 1024, but is 1"),
        ({"Options": {"All": True}}, "may not have 'All'"),
        ({"Options": {"Resolutoin": 64}}, 'no field "Resolutoin": is "Resolution" meant'),
        ({"Then": {"Label": "a b"}}, '"Label" takes letters'),
        ({"Them": {}}, "unknown key 'Them'"),
    ],
)
def test_a_wrong_rule_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidConfiguration, match=sentence):
        read_rules([GOOD | change])


def test_names_are_unique() -> None:
    with pytest.raises(InvalidConfiguration, match="2 times"):
        read_rules([GOOD, GOOD])


def test_all_conditions_must_hold() -> None:
    (rule,) = read_rules([{"Name": "a", "When": {"Modality": ["SEG", "RT*"], "Manufacturer": "total*"}}])
    assert rule.applies({"Modality": ["rtstruct"], "Manufacturer": ["TotalSegmentator "]})
    assert not rule.applies({"Modality": ["CT"], "Manufacturer": ["TotalSegmentator"]})
    assert not rule.applies({"Modality": ["SEG"]})
    assert rule.conversion.all
    assert rule.conversion.separate


@pytest.mark.parametrize(
    "when",
    [
        {"Modality": ["CT", "seg"]},
        {"Modality": "*"},
        {"SOPClass": "*.66.5"},
        {"Modality": "SEG", "SOPClass": ["*.481.3", "*.66.5"]},
    ],
)
def test_what_some_source_can_meet_is_a_rule(when: dict[str, Any]) -> None:
    (rule,) = read_rules([GOOD | {"When": when}])
    facts = {"Modality": ["SEG"], "SOPClass": ["1.2.840.10008.5.1.4.1.1.66.5"]}
    assert rule.applies(facts)


def test_uids_follow_from_source_and_rule() -> None:
    first, other = read_rules([GOOD, {**GOOD, "Name": "b"}])
    assert first.series_uids("1.2") == first.series_uids("1.2")
    assert first.series_uids("1.2") != first.series_uids("1.3")
    assert first.series_uids("1.2") != other.series_uids("1.2")
    assert all(len(uid) <= 64 for uid in first.series_uids("1.2").values() if isinstance(uid, str))
