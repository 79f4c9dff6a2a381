"""Orthanc's answers as the errors that clients get."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orthanc_stl import errors
from orthanc_stl.rest.orthanc import Orthanc

INSTANCE = "00ddce27-2e763ede-c0371657-20d6cfd6-8912d135"


class Failure(Exception):
    """As the SDK's `OrthancException`: a code and a text."""


def sdk(**calls: Any) -> Any:
    modes = SimpleNamespace(WHOLE_DICOM=1, EMPTY_PIXEL_DATA=2)
    return SimpleNamespace(OrthancException=Failure, LoadDicomInstanceMode=modes, **calls)


def raising(code: int, text: str) -> Any:
    def call(*given: Any) -> Any:
        raise Failure(code, text)

    return call


def test_an_instance_that_was_deleted_meanwhile_is_not_found() -> None:
    """Orthanc 1.12 says "Internal error" when it is to load an instance that it does not have."""
    orthanc = Orthanc(sdk(LoadDicomInstance=raising(-1, "Internal error"), RestApiGet=raising(17, "Unknown resource")))
    for load in (orthanc.head, orthanc.decoder):
        with pytest.raises(errors.NotFound, match=f"no instance {INSTANCE} is stored"):
            load(INSTANCE)


def test_an_instance_that_orthanc_has_and_cannot_load_is_a_failure() -> None:
    orthanc = Orthanc(sdk(LoadDicomInstance=raising(-1, "Internal error"), RestApiGet=lambda path: b"{}"))
    with pytest.raises(errors.StorageFailed, match="Internal error"):
        orthanc.head(INSTANCE)
