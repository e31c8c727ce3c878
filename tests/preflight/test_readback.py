"""The second readers and the comparison, apart from export: what they read, and what they tell apart."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.formats.opening import stand_upright
from app.formats.registry import Limits, formats, no_progress
from app.mesh.soup import Soup
from app.preflight.compare import compare
from app.preflight.model import Model, Skin, display_colors, joined, linear_light, model_of
from app.preflight.readback_3mf import read_3mf
from app.preflight.readback_vrml import read_vrml
from tests.meshes import icosphere_soup, textured_soup

RELATIONS = """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship
 Id="r" Target="/3D/model.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>"""
MODEL = """<?xml version="1.0"?>
<model unit="{unit}" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
 xmlns:m="http://schemas.microsoft.com/3dmanufacturing/material/2015/02">
<resources>
 <basematerials id="1"><base name="a" displaycolor="#0000FF"/><base name="b" displaycolor="#808080FF" /></basematerials>
 <m:colorgroup id="2"><m:color color="#FF0000"/><m:color color='#00ff00ff'/><m:color color = "#0000FF"/></m:colorgroup>
 <object id="3" pid="1" pindex="1"><mesh>
  <vertices><vertex y="0" x="0" z="0"/><vertex x="1e1" y="0" z="0"/>
   <vertex x="0" y="10.0" z="-0"/><vertex x="0" y="0" z="+1.0E+01"/></vertices>
  <triangles>
   <triangle v1="0" v2="2" v3="1" pid="2" p1="0" p2="1" p3="2"/>
   <triangle v1="0" v2="1" v3="3" pid="2" p1="1"/>
   <triangle v1="0" v2="3" v3="2"/>
   <triangle v1="1" v2="2" v3="3" pid="1" p1="0"/>
  </triangles></mesh></object>
</resources>
<build><item objectid="3" transform="1 0 0 0 1 0 0 0 1 5 0 0"/></build></model>"""


def write_3mf(path: Path, model: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", RELATIONS)
        archive.writestr("3D/model.model", model)
    return path


def test_3mf_colours_are_inherited_as_the_specification_says(tmp_path: Path) -> None:
    model = read_3mf(write_3mf(tmp_path / "a.3mf", MODEL.format(unit="centimeter")))
    assert model.positions.tolist() == [[50, 0, 0], [150, 0, 0], [50, 100, 0], [50, 0, 100]]
    assert model.triangles.tolist() == [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
    assert model.corner_colors is not None
    red, green, blue, grey = [1, 0, 0], [0, 1, 0], [0, 0, 1], [128 / 255] * 3
    wanted = [[red, green, blue], [green] * 3, [grey] * 3, [blue] * 3]
    assert np.allclose(model.corner_colors, wanted)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<item objectid="3"', '<item objectid="3"/><item objectid="3"'),
        ("</triangles>", "<other/></triangles>"),
        ("<m:colorgroup", '<m:multiproperties id="9" pids="1 2"/><m:colorgroup'),
    ],
)
def test_3mf_that_exports_do_not_have_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = write_3mf(tmp_path / "a.3mf", MODEL.format(unit="meter").replace(old, new, 1))
    with pytest.raises(ValueError, match=r"it|holds"):
        read_3mf(path)


@pytest.mark.parametrize(
    "name", ["pyramid_vertexcolor", "rhombicuboctahedron_color", "sphere_logo", "dodeca_chain_loop_color"]
)
def test_the_consortiums_samples_look_the_same_to_the_importer(shared: Path, name: str) -> None:
    path = shared / "3mf" / "3mf-samples-examples" / "material" / f"{name}.3mf"
    reader = formats()["3mf"].read
    assert reader is not None
    soup = reader(path, Limits(), no_progress)
    stand_upright(soup)
    checks = compare(model_of(soup, "texture"), read_3mf(path), colors_changed=False)
    assert [check for check in checks if not check.ok] == []
    assert checks[-1].name == "colour"


def test_vrml_of_several_shapes_and_shared_points(tmp_path: Path) -> None:
    path = tmp_path / "a.wrl"
    path.write_text(
        """#VRML V2.0 utf8
# Transform in a comment is none
Shape { appearance Appearance { material Material { diffuseColor 1 0 0.5 } }
 geometry IndexedFaceSet { coord DEF P Coordinate { point [ 0 0 0, 1 0 0, 0 1 0, 0 0 1 ] } coordIndex [ 0 2 1 -1 ] } }
Shape { geometry IndexedFaceSet { coord USE P coordIndex [ 0, 1, 3, -1, 0 3 2 ]
 color Color { color [ 1 0 0 0 1 0 0 0 1 ] } colorIndex [ 0 1 2 -1 2 1 0 -1 ] } }
"""
    )
    model = read_vrml(path)
    assert model.positions[model.triangles[1]].tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert model.corner_colors is not None
    assert model.corner_colors[0].tolist() == [[1, 0, 0.5]] * 3
    assert model.corner_colors[2].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("text", ["solid", "#VRML V2.0 utf8\nTransform { }", "#VRML V2.0 utf8\n"])
def test_other_vrml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.wrl"
    path.write_text(text)
    with pytest.raises(ValueError, match="it "):
        read_vrml(path)


def test_light_and_display_are_inverse() -> None:
    values = np.linspace(0, 1, 256)
    assert np.allclose(display_colors(linear_light(values)), values, atol=1e-7)
    assert linear_light(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)


def colored(soup: Soup) -> Model:
    soup.colors = (soup.positions / 20 + 0.5).astype(np.float32)
    return model_of(soup, "texture")


def failed(expected: Model, found: Model, *, changed: bool = False) -> set[str]:
    return {check.name for check in compare(expected, found, colors_changed=changed) if not check.ok}


def test_order_of_triangles_and_corners_does_not_matter() -> None:
    soup = textured_soup()
    model = model_of(soup, "texture")
    order = np.random.default_rng(2).permutation(len(soup.triangles))
    assert soup.corner_uv is not None
    turned = replace(
        soup, triangles=np.roll(soup.triangles[order], 1, axis=1), corner_uv=np.roll(soup.corner_uv[order], 1, axis=1)
    )
    assert failed(model, model_of(turned, "texture")) == set()


def test_a_double_skin_is_no_puzzle() -> None:
    soup = icosphere_soup(2)
    twice = replace(
        soup,
        positions=np.concatenate((soup.positions, soup.positions)),
        triangles=np.concatenate((soup.triangles, soup.triangles + len(soup.positions))),
    )
    assert failed(colored(twice), colored(twice)) == set()


@pytest.mark.parametrize(("levels", "fails"), [(1.5, set()), (3.0, {"colour"})])
def test_colours_may_differ_by_two_levels(levels: float, fails: set[str]) -> None:
    model = colored(icosphere_soup(2))
    assert model.corner_colors is not None
    other = replace(model, corner_colors=model.corner_colors + levels / 255)
    assert failed(model, other) == fails


@pytest.mark.parametrize(("shift", "fails"), [(0.009, set()), (0.011, {"lower corner", "upper corner", "surface"})])
def test_places_may_differ_by_a_hundredth_of_a_millimetre(shift: float, fails: set[str]) -> None:
    model = colored(icosphere_soup(2))
    moved = replace(model, positions=model.positions.astype(np.float64) + [shift, 0, 0])  # noqa: RUF005
    assert failed(model, moved) == fails


def test_an_inner_dent_shows_in_the_surface() -> None:
    soup = icosphere_soup(3)
    dented = soup.positions.copy()
    inner = np.abs(dented).max(axis=1) < 8
    dented[inner] *= 0.99
    assert "surface" in failed(colored(soup), colored(replace(soup, positions=dented)))


def test_parts_keep_their_colours_when_joined() -> None:
    tint = (0.2, 0.4, 0.6)
    plain = Model(np.eye(3), np.array([[0, 1, 2]]), skins=[Skin(None, tint)])
    painted = Model(np.eye(3), np.array([[0, 1, 2]]), corner_colors=np.ones((1, 3, 3)))
    whole = joined([plain, painted])
    middle = whole.colors_at(np.array([0, 1]), np.full((2, 3), 1 / 3))
    assert np.allclose(middle, [tint, (1, 1, 1)])
    assert whole.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]
