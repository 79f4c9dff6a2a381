"""3MF files: units, components and transforms, and what is damaged or hostile."""

from __future__ import annotations

import io
import zipfile

import pytest

from orthanc_stl.errors import InvalidInput, TooLarge
from orthanc_stl.formats.stl import stl_bytes
from orthanc_stl.mesh.report import report_of
from tests.sources.test_mesh_files import ascii_solid
from tests.sources.test_meshes import CUBE_VERTICES, cube, facts, opened, triangles_of_cube


def threemf(model: str, unit: str = "millimeter") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("3D/3dmodel.model", f'<?xml version="1.0"?><model unit="{unit}">{model}</model>')
    return out.getvalue()


def object_of(number: int, extra: str = "") -> str:
    vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in CUBE_VERTICES)
    triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in triangles_of_cube() - 1)
    mesh = f"<mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>"
    return f'<object id="{number}" {extra}>{mesh}</object>'


def test_units_components_and_transforms_of_3mf() -> None:
    group = '<colorgroup id="9"><color color="#FF8000"/><color color="#00FF0080"/></colorgroup>'
    assembly = (
        '<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 5 0 0"/>'
        '<component objectid="1" transform="-1 0 0 0 1 0 0 0 1 0 0 0"/></components></object>'
    )
    build = '<build><item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 7 0"/></build>'
    named = object_of(1, 'name="box" pid="9" pindex="1"')
    source = opened(threemf(f"<resources>{group}{named}{assembly}</resources>{build}", "centimeter"))
    assert facts(source) == [("box", (0, 255, 0), 1000.0), ("box", (0, 255, 0), 1000.0)]  # a mirrored one as well
    assert report_of(source.shape(1)[0]).box == ((50, 70, 0), (150, 170, 100))
    assert report_of(source.shape(2)[0]).box == ((-100, 70, 0), (0, 170, 100))


@pytest.mark.parametrize(
    ("first", "others", "color", "told"),
    [
        ("", "", (255, 0, 0), False),
        ('p1="1"', 'p1="1"', (0, 0, 255), False),  # those of triangles go before the object's
        ('pid="9" p1="1" p2="1" p3="1"', 'pid="9" p1="1" p2="1" p3="1"', (0, 0, 255), False),
        ("", 'p1="1"', (255, 0, 0), True),
        ('p1="1"', "", (0, 0, 255), True),
        ('p1="0" p2="1" p3="1"', 'p1="0" p2="1" p3="1"', (255, 0, 0), True),
    ],
)
def test_colors_of_triangles(first: str, others: str, color: tuple[int, ...], told: bool) -> None:
    group = '<colorgroup id="9"><color color="#FF0000"/><color color="#0000FF"/></colorgroup>'
    box = object_of(1, 'name="box" pid="9" pindex="0"')
    box = box.replace("<triangle ", f"<triangle {others} ").replace(f"<triangle {others} ", f"<triangle {first} ", 1)
    source = opened(threemf(f'<resources>{group}{box}</resources><build><item objectid="1"/></build>'))
    assert facts(source) == [("box", color, 1.0)]
    text = "triangles of a part of the 3MF model have colors of their own; a part has one here, that of the first"
    assert [note.text for note in source.notes] == ([text] if told else [])


def test_what_a_3mf_has_besides_is_told() -> None:
    picture = '<texture2dgroup id="8" texid="7"><tex2coord u="0" v="0"/></texture2dgroup>'
    boxes = object_of(1).replace("</mesh>", "<beamlattice/></mesh>") + object_of(2)
    source = opened(threemf(f'<resources>{picture}{boxes}</resources><build><item objectid="1"/></build>'))
    assert [note.text for note in source.notes] == [
        "the 3MF model has pictures on it, which are left out",
        "the 3MF model has beams, which are left out",
        "an object of the 3MF model that the build does not name is left out",
    ]
    both = '<build><item objectid="1"/><item objectid="2"/></build>'
    assert opened(threemf(f"<resources>{object_of(1)}{object_of(2)}</resources>{both}")).notes == ()


def test_components_do_not_multiply_without_end() -> None:
    layers = "".join(
        f'<object id="{n}"><components>' + f'<component objectid="{n - 1}"/>' * 10 + "</components></object>"
        for n in range(2, 30)
    )
    for first in (object_of(1), '<object id="1"/>'):
        data = threemf(f'<resources>{first}{layers}</resources><build><item objectid="29"/></build>')
        with pytest.raises(TooLarge):
            opened(data)
    circle = '<object id="1"><components><component objectid="1"/></components></object>'
    with pytest.raises(InvalidInput, match="nested more than 32 deep, or in a circle"):
        opened(threemf(f'<resources>{circle}</resources><build><item objectid="1"/></build>'))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (threemf("<resources/>", "parsec"), "the unit of the 3MF model is 'parsec'"),
        (threemf("<resources/>"), "builds no object with triangles"),
        (threemf('<build><item objectid="5"/></build>'), "has no object '5'"),
        (threemf('<object id="1"><vertex x="1" y="a" z="0"/></object>'), "a vertex without its three numbers"),
        (threemf("<resources>"), "no XML"),
    ],
)
def test_wrong_3mf_files_give_sentences(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        opened(data)


def test_a_limit_of_triangles() -> None:
    for data in (ascii_solid("a", cube()), stl_bytes(cube(), "x"), threemf(object_of(1))):
        with pytest.raises(TooLarge, match="triangles, over the 5"):
            opened(data, max_triangles=5)
