"""The few calls on Orthanc that the handlers need, behind one small class.

All go through the SDK, inside Orthanc: neither its address nor its users and passwords matter.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from orthanc_stl import errors
from orthanc_stl.dicom import sop_classes
from orthanc_stl.dicom.ascii import ascii_value
from orthanc_stl.sources.kinds import kind_of

# What people call the SOP classes that they are likely to pass by mistake, beside those of sources/kinds.py.
_KNOWN_CLASSES = {
    sop_classes.ENCAPSULATED_STL: "an encapsulated STL",
    sop_classes.ENCAPSULATED_OBJ: "an encapsulated OBJ",
    sop_classes.ENCAPSULATED_MTL: "an encapsulated MTL",
    sop_classes.RAW_DATA: "a Raw Data object",
    sop_classes.CT_IMAGE: "a CT image",
    sop_classes.MR_IMAGE: "an MR image",
    sop_classes.PET_IMAGE: "a PET image",
    sop_classes.RT_PLAN: "an RT-PLAN",
    sop_classes.ENCAPSULATED_PDF: "an encapsulated PDF",
}

ORTHANC_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{8}){4}")

# OrthancPluginErrorCode
_UNKNOWN_RESOURCE = 17
_INEXISTENT_ITEM = 7
_INEXISTENT_TAG = 32
_FULL_STORAGE = 19


class Orthanc:
    """`read_only`: Orthanc's option ReadOnly."""

    def __init__(self, sdk: Any, *, read_only: bool = False) -> None:
        self._sdk, self._read_only = sdk, read_only

    def require_writable(self) -> None:
        """Raises `ReadOnly` when nothing can be stored: before the work, which would be in vain."""
        if self._read_only:
            raise errors.ReadOnly('This Orthanc is read-only (its option "ReadOnly"), so it cannot store a model')

    def get(self, path: str) -> bytes:
        """The body that GET `path` answers. Raises `NotFound`, or `StorageFailed` for any other failure."""
        try:
            return self._sdk.RestApiGet(path)
        except self._sdk.OrthancException as e:
            _raise_for(path, e)

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, body: bytes) -> bytes:
        try:
            return self._sdk.RestApiPost(path, body)
        except self._sdk.OrthancException as e:
            _raise_for(path, e)

    def put(self, path: str, body: bytes) -> None:
        try:
            self._sdk.RestApiPut(path, body)
        except self._sdk.OrthancException as e:
            _raise_for(path, e)

    def metadata(self, instance: str, number: int) -> str:
        """A user-defined metadata of an instance; empty when it has none."""
        try:
            return self.get(f"/instances/{instance}/metadata/{number}").decode("utf-8", "replace")
        except errors.NotFound:
            return ""

    def property(self, number: int) -> str:
        """A global property that a plugin keeps in Orthanc's database; empty when there is none."""
        return str(self._sdk.GetGlobalProperty(number, ""))

    def set_property(self, number: int, value: str) -> None:
        self._sdk.SetGlobalProperty(number, value)

    def lookup_instance(self, sop_instance_uid: str) -> list[str]:
        """The Orthanc identifiers of the instances with that SOP Instance UID."""
        found = json.loads(self.post("/tools/lookup", sop_instance_uid.encode()))
        return [one["ID"] for one in found if one["Type"] == "Instance"]

    def delete(self, path: str) -> None:
        try:
            self._sdk.RestApiDelete(path)
        except self._sdk.OrthancException as e:
            _raise_for(path, e)

    def sop_class(self, instance: str) -> str:
        """The SOP class UID of an instance. Raises `NotFound` when Orthanc has no such instance."""
        if not ORTHANC_ID.fullmatch(instance):
            raise errors.NotFound(f"{instance[:80]!r} is not the Orthanc identifier of an instance")
        try:
            return ascii_value(self.get(f"/instances/{instance}/metadata/SopClassUid"))
        except errors.NotFound:
            self._require_instance(instance)
            return ascii_value(self.tag(instance, "0008-0016"))

    def _require_instance(self, instance: str) -> None:
        try:
            self.get(f"/instances/{instance}")
        except errors.NotFound:
            raise errors.NotFound(f"no instance {instance} is stored in Orthanc") from None

    def require_class(self, instance: str, sop_class: str) -> None:
        """Raises `NotFound` without such an instance, `InvalidInput` that says what it is if of another class."""
        found = self.sop_class(instance)
        if found != sop_class:
            raise errors.InvalidInput(f"instance {instance} is {what(found)}, but {what(sop_class)} is needed")

    def tag(self, instance: str, tag: str) -> bytes:
        """The raw value of a top-level element, `tag` as `gggg-eeee`; empty when absent."""
        try:
            return self.get(f"/instances/{instance}/content/{tag}")
        except errors.NotFound:
            return b""

    def version(self, instance: str) -> tuple[str, int]:
        """A name of the instance's file, new if the id comes back with another file, and its size in bytes.

        Raises `NotFound` when Orthanc has no such instance.
        """
        try:
            info = self.get_json(f"/instances/{instance}/attachments/dicom/info")
        except errors.NotFound:
            raise errors.NotFound(f"no instance {instance} is stored in Orthanc") from None
        return info["Uuid"], info["UncompressedSize"]

    def job_state(self, job: str) -> str:
        """Of a job of Orthanc's own: "Success", "Failure", ...; "Forgotten" when Orthanc has it no more."""
        try:
            return str(self.get_json(f"/jobs/{job}")["State"])
        except errors.NotFound:
            return "Forgotten"

    def file(self, instance: str) -> bytes:
        return self.get(f"/instances/{instance}/file")

    def decoder(self, instance: str) -> Any:
        """The SDK's `DicomInstance`, of which Orthanc decodes one frame after the other.

        Of all ways to decoded pixels this one alone leaves nothing in Orthanc's cache of parsed files (128 MB).
        Raises `NotFound` when Orthanc has no such instance, else `StorageFailed`.
        """
        return self._load(instance, "WHOLE_DICOM")

    def head(self, instance: str) -> bytes:
        """The DICOM file of an instance with empty pixel data, however large that is. Raises as `decoder`."""
        dicom: bytes = self._load(instance, "EMPTY_PIXEL_DATA").SerializeDicomInstance()
        return dicom

    def _load(self, instance: str, mode: str) -> Any:
        try:
            return self._sdk.LoadDicomInstance(instance, getattr(self._sdk.LoadDicomInstanceMode, mode))
        except self._sdk.OrthancException as e:  # of one that is not there, too, it says "Internal error"
            self._require_instance(instance)
            _raise_for(f"/instances/{instance}", e)

    def store(self, dicom: bytes) -> dict[str, Any]:
        """Stores a DICOM file and gives Orthanc's answer.

        Raises `StorageFailed` with a sentence when Orthanc did not keep it.
        """
        answer = json.loads(self.post("/instances", dicom))
        if answer.get("Status") not in ("Success", "AlreadyStored"):
            raise errors.StorageFailed(f"Orthanc did not store the model: {answer.get('Status')}")
        return answer


def what(sop_class: str) -> str:
    """What people call objects of that class, with an article."""
    if sop_class in _KNOWN_CLASSES:
        return _KNOWN_CLASSES[sop_class]
    kind = kind_of(sop_class)
    return kind.name if kind else f"of SOP class {sop_class}" if sop_class else "of an unknown SOP class"


def _raise_for(path: str, failure: Exception) -> NoReturn:
    code = failure.args[0] if failure.args else 0
    text = failure.args[1] if len(failure.args) > 1 else str(failure)
    if code in (_UNKNOWN_RESOURCE, _INEXISTENT_ITEM, _INEXISTENT_TAG):
        raise errors.NotFound(f"Orthanc has nothing at {path}") from failure
    if code == _FULL_STORAGE:
        raise errors.StorageFailed("Orthanc's storage is full") from failure
    raise errors.StorageFailed(f"Orthanc answered {text!r} (code {code}) to {path}") from failure
