"""Structures as STL files of their own in one zip, with a table of their names, colors and volumes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.scene import color_of, single_names, written_parts
from orthanc_stl.formats.stl import STL_HEADER, stl_bytes
from orthanc_stl.formats.zipped import Zip
from orthanc_stl.model import Model, Part
from orthanc_stl.spreadsheet import spreadsheet_text

TABLE = "structures.csv"
COLUMNS = (
    "File", "Number", "Name", "Type", "Color", "Opacity", "Volume (mL)", "Area (mm2)", "Triangles", "Closed",
)  # fmt: skip


def write(model: Model, options: WriteOptions) -> bytes:
    """Raises InvalidInput for a model without triangles."""
    parts = written_parts(model)
    files = [f"{name}.stl" for name in single_names(parts)]
    archive = Zip()
    for part, file in zip(parts, files, strict=True):
        archive.add(file, stl_bytes(part.mesh, STL_HEADER))
    archive.add(TABLE, _table(parts, files))
    return archive.content()


def _table(parts: Sequence[Part], files: Sequence[str]) -> bytes:
    """UTF-8 with a mark at its beginning, without which spreadsheets take it for Latin-1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for part, file in zip(parts, files, strict=True):
        color = "#{:02X}{:02X}{:02X}".format(*color_of(part))
        figures = (f"{part.volume_ml:.4f}", f"{part.report.area:.3f}", part.report.triangles)
        texts = (
            file,
            part.number,
            spreadsheet_text(part.name),
            spreadsheet_text(part.kind),
            color,
            f"{part.opacity:g}",
        )
        row = (*texts, *figures, "yes" if part.closed else "no")
        writer.writerow(row)
    return text.getvalue().encode("utf-8-sig")
