"""3MF: what slicers read (core specification 1.3, materials extension 1.2.1).

One mesh object a structure, one object that has them as components, and one item of the build: the parts keep their
places, and a slicer does not move them apart. The meshes are in LPS mm; the item's transform moves them to the bed,
since a model is to lie where all coordinates are positive. Parts that lie in others come after them: where parts
overlap, the last one's color wins (core specification, section 4.1).

PrusaSlicer reads no colors of a 3MF. What it reads is a file of its own beside the model, which says by which extruder
each object is printed: one for each color, in the order of the color group.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import quoteattr

import numpy as np

from orthanc_stl import __version__
from orthanc_stl.formats.base import WriteOptions
from orthanc_stl.formats.picture import picture, png
from orthanc_stl.formats.scene import color_of, plain, write_rows, written_parts
from orthanc_stl.formats.zipped import Zip
from orthanc_stl.model import Model, Part

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
MATERIALS = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"
OURS = "urn:orthanc-stl:model"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MODEL_FILE = "3D/3dmodel.model"
_THUMBNAIL = "Metadata/thumbnail.png"
_EXTRUDERS = "Metadata/Slic3r_PE_model.config"

_CONTENT_TYPES = (
    f"{_DECLARATION}"
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    '<Default Extension="png" ContentType="image/png"/>'
    '<Default Extension="config" ContentType="text/xml"/>'
    "</Types>"
)

THUMBNAIL_PIXELS = 256

_COLORS_ID = 1
_FIRST_MESH_ID = 2

Write = Callable[[bytes], object]


def write(model: Model, options: WriteOptions) -> bytes:
    """Coordinates are written so that they read back the same. Raises InvalidInput for no triangles."""
    parts = sorted(written_parts(model), key=_size_of_box, reverse=True)
    colors = list(dict.fromkeys(_hex(part) for part in parts))
    package = Zip()
    package.add("[Content_Types].xml", _CONTENT_TYPES.encode())
    package.add("_rels/.rels", _relations().encode())
    package.add(_THUMBNAIL, options.thumbnail or _thumbnail(model), compress=False)
    with package.entry(_MODEL_FILE) as write:
        _write_model(write, model, parts, colors)
    if len(colors) > 1:
        package.add(_EXTRUDERS, _extruders(parts, colors).encode())
    return package.content()


def _size_of_box(part: Part) -> float:
    """Of what lies in something else, this is the smaller."""
    return float(np.ptp(part.mesh.vertices, axis=0).astype(np.float64).prod())


def _thumbnail(model: Model) -> bytes:
    return png(picture(model, THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))


def _relations() -> str:
    base = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"
    model = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
    lines = [
        f'<Relationship Id="rel0" Target="/{_MODEL_FILE}" Type="{model}"/>',
        f'<Relationship Id="rel1" Target="/{_THUMBNAIL}" Type="{base}"/>',
    ]
    return f'{_DECLARATION}<Relationships xmlns="{_RELATIONS}">{"".join(lines)}</Relationships>'


def _write_model(write: Write, model: Model, parts: list[Part], colors: list[str]) -> None:
    title = plain(model.title) or ", ".join(part.name for part in parts)[:200]
    head = [
        f'{_DECLARATION}<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}" xmlns:m="{MATERIALS}"'
        f' xmlns:o="{OURS}">\n',
        *_metadata(model, title),
        "<resources>\n",
        f'<m:colorgroup id="{_COLORS_ID}">',
        *(f'<m:color color="{color}"/>' for color in colors),
        "</m:colorgroup>\n",
    ]
    write("".join(head).encode())
    for place, part in enumerate(parts):
        _write_mesh(write, part, _FIRST_MESH_ID + place, colors.index(_hex(part)))
    whole = _FIRST_MESH_ID + len(parts)
    name = quoteattr(title)
    components = "".join(f'<component objectid="{number}"/>' for number in range(_FIRST_MESH_ID, whole))
    tail = (
        f'<object id="{whole}" type="model" name={name}><components>{components}</components></object>\n'
        f'</resources>\n<build><item objectid="{whole}" transform="{_to_bed(parts)}"/></build>\n</model>\n'
    )
    write(tail.encode())


def _metadata(model: Model, title: str) -> list[str]:
    """No word about the patient: a file for a printer leaves the hospital."""
    known = {
        "Title": title,
        "Application": f"orthanc-stl {__version__}",
        "o:Space": "LPS",
        "o:FrameOfReferenceUID": plain(model.frame_of_reference_uid),
    }
    return [f"<metadata name={quoteattr(key)}>{_text(value)}</metadata>\n" for key, value in known.items() if value]


def _write_mesh(write: Write, part: Part, number: int, color: int) -> None:
    """Only closed surfaces may be of type "model" (core specification, section 4)."""
    kind = "model" if part.closed else "surface"
    head = (
        f'<object id="{number}" type="{kind}" name={quoteattr(part.name)} partnumber="{part.number}"'
        f' pid="{_COLORS_ID}" pindex="{color}"><mesh><vertices>\n'
    )
    write(head.encode())
    write_rows(write, '<vertex x="%.9g" y="%.9g" z="%.9g"/>\n', part.mesh.vertices)
    write(b"</vertices><triangles>\n")
    write_rows(write, '<triangle v1="%d" v2="%d" v3="%d"/>\n', part.mesh.triangles)
    write(b"</triangles></mesh></object>\n")


def _extruders(parts: list[Part], colors: list[str]) -> str:
    """Each object is one volume of all its triangles; PrusaSlicer drops objects that are listed without a volume."""

    def told(kind: str, key: str, value: str) -> str:
        return f'<metadata type="{kind}" key="{key}" value={quoteattr(value)}/>'

    objects = [
        f'<object id="{number}" instances_count="1">{told("object", "name", part.name)}'
        f'<volume firstid="0" lastid="{len(part.mesh.triangles) - 1}">{told("volume", "name", part.name)}'
        f"{told('volume', 'volume_type', 'ModelPart')}"
        f"{told('volume', 'extruder', str(colors.index(_hex(part)) + 1))}</volume></object>\n"
        for number, part in enumerate(parts, _FIRST_MESH_ID)
    ]
    return f"{_DECLARATION}<config>\n{''.join(objects)}</config>\n"


def _to_bed(parts: list[Part]) -> str:
    """Four rows of three (row vectors): no rotation, and the corner of the box to the origin."""
    low = np.min([part.mesh.vertices.min(axis=0) for part in parts], axis=0).astype(np.float64)
    return " ".join(["1 0 0 0 1 0 0 0 1", *(f"{-value or 0:.9g}" for value in low.tolist())])


def _hex(part: Part) -> str:
    alpha = round(part.opacity * 255)
    return "#{:02X}{:02X}{:02X}{:02X}".format(*color_of(part), alpha)


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
