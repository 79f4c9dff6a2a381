"""Structure sets as programs write them that people use, built as their sources build them.

Each holds the same: "Liver", a cylinder of radius 20 mm, 60 points a contour, on ten planes 3 mm apart: 37.630 mL with
the half slices at its ends; and "Kidney left" of radius 10 mm at x = 60 mm: 9.408 mL.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO

import numpy as np
from highdicom.base import SOPClass
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from testing.dicom_study import undefine_lengths
from testing.phantoms import CT_IMAGE, RT_STRUCTURE_SET, Study, circle, ct_slices

PLANES = 3.0 * np.arange(10)


def rings(radius: float, x: float = 0.0) -> list[np.ndarray]:
    return [circle(radius, z, (x, 0), points=60) for z in PLANES]


STRUCTURES = {"Liver": rings(20), "Kidney left": rings(10, 60)}
NOW = datetime(2024, 1, 2, 3, 4, 5)


def image() -> Dataset:
    """The image series that a structure set was drawn on, by one of its slices."""
    return dcmread(BytesIO(ct_slices(Study(), planes=[0], size=8)[0]))


def _items(*values: dict[str, object]) -> list[Dataset]:
    found = []
    for value in values:
        item = Dataset()
        for keyword, one in value.items():
            setattr(item, keyword, one)
        found.append(item)
    return found


def _file(ds: Dataset, meta: FileMetaDataset, *, undefined_lengths: bool = False) -> bytes:
    ds.file_meta = meta
    if undefined_lengths:
        undefine_lengths(ds)
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they write what the standard does not allow
        dcmwrite(out, ds, enforce_file_format="MediaStorageSOPClassUID" in meta)
    data = out.getvalue()
    return data if data[128:132] == b"DICM" else bytes(128) + b"DICM" + data


def _image_reference(ct: Dataset) -> dict[str, object]:
    return {"ReferencedSOPClassUID": ct.SOPClassUID, "ReferencedSOPInstanceUID": ct.SOPInstanceUID}


def ohif() -> bytes:
    """OHIF by the adapters of cornerstone3D (RTSS.ts, generateRTSSFromLabelmap) and dcmjs.

    Loops of marching squares, closed by their first point, with two decimals; sequences and items of undefined length;
    no Media Storage SOP Class; colors with an opacity; types "Todo: type".
    """
    ct = image()
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = ct.PatientName, ct.PatientID, "", ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SeriesNumber = ct.StudyInstanceUID, "2.25.123456", "99"
    ds.SOPClassUID, ds.SOPInstanceUID = RT_STRUCTURE_SET, "2.25.1234567"
    ds.Manufacturer, ds.Modality, ds.FrameOfReferenceUID = "dcmjs", "RTSTRUCT", ct.FrameOfReferenceUID
    ds.PositionReferenceIndicator = ds.ReferringPhysicianName = ds.OperatorsName = ""
    ds.StructureSetLabel = ds.StructureSetName = "Segmentation 1"
    ds.StructureSetDate, ds.StructureSetTime = "20240102", "030405.000000"
    ds.ReferencedSeriesSequence = _items(
        {"SeriesInstanceUID": ct.SeriesInstanceUID, "ReferencedInstanceSequence": _items(_image_reference(ct))}
    )
    ds.ReferencedFrameOfReferenceSequence = _items({"FrameOfReferenceUID": ct.FrameOfReferenceUID})
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, (name, contours) in enumerate(STRUCTURES.items(), 1):
        sequence = []
        for points in contours:
            closed = np.concatenate([points, points[:1]])
            sequence += _items({
                "ContourImageSequence": _items(_image_reference(ct)), "ContourGeometricType": "CLOSED_PLANAR",
                "NumberOfContourPoints": len(closed), "ContourNumber": 1,
                "ContourData": [f"{value:.2f}" for value in closed.ravel()],
            })  # fmt: skip
        ds.ROIContourSequence += _items(
            {"ROIDisplayColor": [221, 130, 101, 255], "ContourSequence": sequence, "ReferencedROINumber": number}
        )
        ds.StructureSetROISequence += _items({
            "ROINumber": number, "ROIName": name, "ROIDescription": name, "ROIGenerationAlgorithm": "MANUAL",
            "ReferencedFrameOfReferenceUID": ct.FrameOfReferenceUID,
        })  # fmt: skip
        ds.RTROIObservationsSequence += _items({
            "ObservationNumber": number, "ReferencedROINumber": number, "RTROIInterpretedType": "Todo: type",
            "ROIInterpreter": "Todo: interpreter",
        })  # fmt: skip
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion, meta.TransferSyntaxUID = b"\0\1", ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = generate_uid(), "dcmjs"
    return _file(ds, meta, undefined_lengths=True)


def rt_utils(structures: dict[str, list[np.ndarray]] | None = None, numbers: Sequence[int] | None = None) -> bytes:
    """rt-utils (ds_helper.py): implicit VR, Latin-1, coordinates as Python writes floats, of up to 20 characters."""
    ct = image()
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 202
    meta.FileMetaInformationVersion, meta.TransferSyntaxUID = b"\0\1", ImplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        UID(RT_STRUCTURE_SET),
        generate_uid(entropy_srcs=["a"]),
    )
    meta.ImplementationClassUID = UID("1.2.246.352.70.2.1.7")
    ds = FileDataset("rt-utils-struct", {}, file_meta=meta, preamble=bytes(128))
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.StructureSetLabel, ds.StructureSetDate, ds.StructureSetTime = "RTstruct", "20240102", "030405.000000"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "RTSTRUCT", "Qurit", "rt-utils"
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.ApprovalStatus = "UNAPPROVED"
    for keyword in ("StudyDate", "StudyTime", "StudyInstanceUID", "StudyID", "PatientName", "PatientID"):
        setattr(ds, keyword, ct.get(keyword, ""))
    ds.SeriesInstanceUID, ds.SeriesNumber = generate_uid(entropy_srcs=["b"]), "1"
    ds.PatientBirthDate = ds.PatientSex = ds.PatientAge = ds.PatientSize = ds.PatientWeight = ""
    study = {
        "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1", "ReferencedSOPInstanceUID": ct.StudyInstanceUID,
        "RTReferencedSeriesSequence": _items({"SeriesInstanceUID": ct.SeriesInstanceUID}),
    }  # fmt: skip
    ds.ReferencedFrameOfReferenceSequence = _items(
        {"FrameOfReferenceUID": ct.FrameOfReferenceUID, "RTReferencedStudySequence": _items(study)}
    )
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    structures = structures or STRUCTURES
    for number, (name, contours) in zip(numbers or range(1, 200), structures.items(), strict=False):
        sequence = []
        for points in contours:
            sequence += _items({
                "ContourImageSequence": _items(_image_reference(ct)), "ContourGeometricType": "CLOSED_PLANAR",
                "NumberOfContourPoints": len(points), "ContourData": [repr(value) for value in points.ravel().tolist()],
            })  # fmt: skip
        ds.ROIContourSequence += _items(
            {"ROIDisplayColor": [255, 0, 255], "ContourSequence": sequence, "ReferencedROINumber": str(number)}
        )
        ds.StructureSetROISequence += _items({
            "ROINumber": number, "ReferencedFrameOfReferenceUID": ct.FrameOfReferenceUID, "ROIName": name,
            "ROIDescription": "", "ROIGenerationAlgorithm": "AUTOMATIC",
        })  # fmt: skip
        ds.RTROIObservationsSequence += _items({
            "ObservationNumber": number, "ReferencedROINumber": number, "RTROIInterpretedType": "",
            "ROIObservationDescription": "Type:Soft,Range:*/*,Fill:0,Opacity:0.0,Thickness:1,LineThickness:2",
            "ROIInterpreter": "",
        })  # fmt: skip
    return _file(ds, meta)


def totalsegmentator() -> bytes:
    """TotalSegmentator (dicom_io.py, save_mask_as_rtstruct): rt-utils with its 117 names; a thin one has two points."""
    empty = {f"class_{n}": [points[:2] for points in rings(1)[:2]] for n in range(115)}
    return rt_utils({"liver": rings(20), "kidney_left": rings(10, 60), **empty})


class _RtStruct(SOPClass):
    """What tools make of highdicom's base of all objects, which has no class for structure sets."""

    def __init__(self, ct: Dataset) -> None:
        super().__init__(
            study_instance_uid=ct.StudyInstanceUID,
            series_instance_uid=generate_uid(entropy_srcs=["c"]),
            series_number=7,
            sop_instance_uid=generate_uid(entropy_srcs=["d"]),
            sop_class_uid=RT_STRUCTURE_SET,
            instance_number=1,
            modality="RTSTRUCT",
            manufacturer="A tool",
            transfer_syntax_uid=ExplicitVRLittleEndian,
            patient_id=ct.PatientID,
            patient_name=ct.PatientName,
            study_date=ct.StudyDate,
            study_time=ct.StudyTime,
        )
        self.copy_patient_and_study_information(ct)


def highdicom_based() -> bytes:
    """Any tool on highdicom: UTF-8, coordinates cut to 16 characters by pydicom's DSfloat(auto_format=True)."""
    ct = image()
    ds = _RtStruct(ct)
    ds.StructureSetLabel, ds.StructureSetDate, ds.StructureSetTime = "AI", "20240102", "030405"
    ds.ReferencedFrameOfReferenceSequence = _items({"FrameOfReferenceUID": ct.FrameOfReferenceUID})
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, (name, contours) in enumerate(STRUCTURES.items(), 1):
        sequence = _items(*[
            {
                "ContourGeometricType": "CLOSED_PLANAR", "NumberOfContourPoints": len(points),
                "ContourData": [DSfloat(value, auto_format=True) for value in points.ravel().tolist()],
            }
            for points in contours
        ])  # fmt: skip
        ds.ROIContourSequence += _items(
            {"ReferencedROINumber": number, "ROIDisplayColor": [0, 128, 255], "ContourSequence": sequence}
        )
        ds.StructureSetROISequence += _items({
            "ROINumber": number, "ReferencedFrameOfReferenceUID": ct.FrameOfReferenceUID, "ROIName": name,
            "ROIGenerationAlgorithm": "AUTOMATIC",
        })  # fmt: skip
        ds.RTROIObservationsSequence += _items(
            {
                "ObservationNumber": number,
                "ReferencedROINumber": number,
                "RTROIInterpretedType": "ORGAN",
                "ROIInterpreter": "",
            }
        )
    return _file(ds, ds.file_meta)


def plastimatch(name_of: Callable[[str], str] = lambda name: name, closed: bool = False) -> bytes:
    """Plastimatch (dcmtk_rtss.cxx): coordinates by `%g`, six digits; the number of a contour item at its end."""
    ct = image()
    ds = Dataset()
    ds.InstanceCreatorUID = "1.2.826.0.1.3680043.8.274.1"
    ds.SOPClassUID, ds.SOPInstanceUID = RT_STRUCTURE_SET, generate_uid(entropy_srcs=["e"])
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.Modality = ct.StudyDate, ct.StudyTime, "", "RTSTRUCT"
    ds.Manufacturer = ds.ManufacturerModelName = "Plastimatch"
    ds.InstitutionName = ds.ReferringPhysicianName = ds.StationName = ds.SeriesDescription = ""
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = ct.PatientName, ct.PatientID, "", "O"
    ds.SoftwareVersions, ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1.9.4", "10001", "103", "1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = ct.StudyInstanceUID, generate_uid(entropy_srcs=["f"])
    ds.StructureSetLabel = ds.StructureSetName = "AutoSS"
    ds.StructureSetDate, ds.StructureSetTime = ct.StudyDate, ct.StudyTime
    ds.ReferencedFrameOfReferenceSequence = _items({"FrameOfReferenceUID": ct.FrameOfReferenceUID})
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, (name, contours) in enumerate(STRUCTURES.items(), 1):
        ds.StructureSetROISequence += _items({
            "ROINumber": number, "ReferencedFrameOfReferenceUID": ct.FrameOfReferenceUID, "ROIName": name_of(name),
            "ROIGenerationAlgorithm": "",
        })  # fmt: skip
        sequence = []
        for points in contours:
            drawn = np.concatenate([points, points[:1]]) if closed else points
            data = ["%g" % value for value in drawn.astype(np.float32).ravel()]  # noqa: UP031
            reference = {"ReferencedSOPClassUID": CT_IMAGE, "ReferencedSOPInstanceUID": ct.SOPInstanceUID}
            sequence += _items({
                "ContourImageSequence": _items(reference), "ContourGeometricType": "CLOSED_PLANAR",
                "NumberOfContourPoints": len(drawn), "ContourData": data,
            })  # fmt: skip
        ds.ROIContourSequence += _items(
            {"ROIDisplayColor": "255\\0\\0", "ContourSequence": sequence, "ReferencedROINumber": str(number)}
        )
        ds.RTROIObservationsSequence += _items({
            "ObservationNumber": str(number), "ReferencedROINumber": str(number), "ROIObservationLabel": name_of(name),
            "RTROIInterpretedType": "", "ROIInterpreter": "",
        })  # fmt: skip
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, UID(RT_STRUCTURE_SET)
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return _file(ds, meta)


def slicer() -> bytes:
    """3D Slicer by SlicerRT (vtkSlicerDicomRtWriter.cxx), which hands strips of vtkCutter to Plastimatch: closed by
    their first point."""
    return plastimatch(closed=True)
