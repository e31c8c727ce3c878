"""Whole files to damage: the small ones of the shared data, and some written here, so that it works without those.

A file comes with those of its neighbours that it names, as OBJ does with MTL and images.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from app.formats.registry import WriteOptions, formats, no_progress
from app.mesh.soup import Soup
from app.resources import resource
from tests.formats.gltf_files import rich, tetrahedron
from tests.formats.helpers import painted, patchwork
from tests.formats.threemf_files import model_text, object_node, package_file
from tests.fuzzing.case import Case
from tests.meshes import cube_soup, icosphere_soup, textured_soup
from tests.photos.pictures import encoded, oriented, quarters

_REPOSITORY = Path(__file__).resolve().parents[2]
_MOST_BYTES = 48 << 10
_MOST_SIDECARS = 8
_MOST_SEEDS = 80
_BRUSHES = ("draw", "inflate", "grab", "smooth", "flatten", "pinch", "crease", "paint", "mask", "clay", "snake_hook")

_OFF = b"OFF\n4 4 6\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
_COFF = b"COFF\n3 1 0\n0 0 0 255 0 0 255\n1 0 0 0 255 0 255\n0 1 0 0 0 255 255\n3 0 1 2 0.5 0.5 0.5\n"
_DAE = b"""<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><unit meter="0.01" name="centimeter"/><up_axis>Z_UP</up_axis></asset>
<library_images><image id="i"><init_from>skin.png</init_from></image></library_images>
<library_effects><effect id="e"><profile_COMMON><newparam sid="s"><surface type="2D"><init_from>i</init_from></surface>
</newparam><newparam sid="t"><sampler2D><source>s</source></sampler2D></newparam><technique sid="c"><phong><diffuse>
<texture texture="t" texcoord="UV"/></diffuse></phong></technique></profile_COMMON></effect></library_effects>
<library_materials><material id="m"><instance_effect url="#e"/></material></library_materials>
<library_geometries><geometry id="g"><mesh><source id="p"><float_array id="pa" count="12">0 0 0 1 0 0 0 1 0 0 0 1
</float_array><technique_common><accessor source="#pa" count="4" stride="3"><param name="X" type="float"/>
<param name="Y" type="float"/><param name="Z" type="float"/></accessor></technique_common></source>
<source id="u"><float_array id="ua" count="6">0 0 1 0 0 1</float_array><technique_common>
<accessor source="#ua" count="3" stride="2"><param name="S" type="float"/><param name="T" type="float"/></accessor>
</technique_common></source><vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="2" material="m"><input semantic="VERTEX" source="#v" offset="0"/>
<input semantic="TEXCOORD" source="#u" offset="1" set="0"/><p>0 0 2 1 1 2 0 0 1 1 3 2</p></triangles>
<polylist count="1"><input semantic="VERTEX" source="#v" offset="0"/><vcount>4</vcount><p>0 1 2 3</p></polylist>
</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="w"><node id="n"><matrix>1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1</matrix>
<instance_geometry url="#g"><bind_material><technique_common><instance_material symbol="m" target="#m"/>
</technique_common></bind_material></instance_geometry><node id="k"><rotate>0 0 1 90</rotate>
<instance_geometry url="#g"/></node></node></visual_scene></library_visual_scenes>
<scene><instance_visual_scene url="#w"/></scene></COLLADA>
"""
_USDA = b"""#usda 1.0
(
    defaultPrim = "Root"
    metersPerUnit = 0.01
    upAxis = "Y"
)
def Xform "Root" (prepend references = @./part.usda@)
{
    double3 xformOp:translate = (0, 1, 0)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    def Mesh "Body"
    {
        int[] faceVertexCounts = [3, 4]
        int[] faceVertexIndices = [0, 1, 2, 0, 1, 2, 3]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
        texCoord2f[] primvars:st = [(0, 0), (1, 0), (0, 1), (0, 0), (1, 0), (0, 1), (1, 1)] (
            interpolation = "faceVarying")
        rel material:binding = </Root/Skin>
    }
    def Material "Skin"
    {
        token outputs:surface.connect = </Root/Skin/Surface.outputs:surface>
        def Shader "Surface"
        {
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor.connect = </Root/Skin/Image.outputs:rgb>
            token outputs:surface
        }
        def Shader "Image"
        {
            uniform token info:id = "UsdUVTexture"
            asset inputs:file = @./skin.png@
            float3 outputs:rgb
        }
    }
}
"""
_WRL = b"""#VRML V2.0 utf8
DEF Skin Appearance { material Material { diffuseColor 1 0.5 0 } texture ImageTexture { url "skin.png" }
 textureTransform TextureTransform { scale 2 2 rotation 0.5 center 1 1 } }
PROTO Thing [ field SFFloat a 1 ] { Group { } }
Transform { translation 1 2 3 rotation 0 0 1 0.7 scale 1 -1 2 scaleOrientation 1 0 0 1 children [
 DEF Ball Shape { appearance USE Skin geometry IndexedFaceSet { ccw FALSE
  coord DEF C Coordinate { point [ 0 0 0, 1 0 0, 1 1 0, 0 1 0 ] } coordIndex [ 0 1 2 3 -1 0, 2, 1, -1 ]
  color Color { color [ 1 0 0, 0 1 0 ] } colorPerVertex FALSE colorIndex [ 0 1 ]
  texCoord TextureCoordinate { point [ 0 0, 1 0, 1 1 ] } texCoordIndex [ 0 1 2 2 -1 0 1 2 -1 ] } }
 LOD { level [ USE Ball ] } Switch { whichChoice 0 choice [ USE Ball ] } ] }
ROUTE a.b TO c.d
"""


def shared_folder() -> Path | None:
    """Folder of the real meshes and photos, where it is there."""
    folder = Path(os.environ.get("LIKENESS_SHARED") or _REPOSITORY.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def shared_cases(suffixes: tuple[str, ...], below: str = "") -> list[Case]:
    """The small shared files with one of these suffixes, each with the neighbours that it names."""
    folder = shared_folder()
    if folder is None:
        return []
    paths = sorted(path for path in (folder / below).rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    cases = [_with_neighbours(path) for path in paths if 0 < path.stat().st_size <= _MOST_BYTES]
    step = max(1, len(cases) / _MOST_SEEDS)
    return [cases[int(k * step)] for k in range(min(len(cases), _MOST_SEEDS))]


def _with_neighbours(path: Path) -> Case:
    files = {path.name: path.read_bytes()}
    near = [other for other in path.parent.rglob("*") if other.is_file() and 0 < other.stat().st_size <= _MOST_BYTES]
    names = {other.relative_to(path.parent).as_posix(): other for other in sorted(near)}
    while len(files) <= _MOST_SIDECARS:
        known = b"\0".join(files.values())
        found = [name for name, other in names.items() if name not in files and other.name.encode() in known]
        if not found:
            break
        files[found[0]] = names[found[0]].read_bytes()
    return Case(path.name, files)


def written_cases(format_id: str) -> list[Case]:
    """What the program's own writer makes of small models: plain, painted, textured, of several materials."""
    file_format = formats().get(format_id)
    if file_format is None or file_format.write is None:
        return []
    cases = []
    for soup in (cube_soup(), _painted(), textured_soup(8, 4), patchwork()):
        with tempfile.TemporaryDirectory() as folder:
            name = f"model{file_format.suffixes[0]}"
            file_format.write(soup, Path(folder, name), WriteOptions(), no_progress)
            cases.append(Case.of_folder(Path(folder), name))
    return cases


def _painted() -> Soup:
    whole, small = painted(), icosphere_soup(1)
    assert whole.colors is not None
    small.colors = whole.colors[: len(small.positions)]
    return small


def made_cases(format_id: str) -> list[Case]:
    """Files written by hand that use what writers and the shared data do not."""
    skin = {"skin.png": encoded(quarters(8, 8))}
    match format_id:
        case "gltf":
            cases = [Case("model.glb", {"model.glb": glb.bytes()}) for glb in (rich(), tetrahedron())]
            glb = rich()
            glb.data["buffers"] = [{"byteLength": len(glb.binary), "uri": "model.bin"}]
            glb.data["images"] = [{"uri": "skin.png"}]
            return [*cases, Case("a.gltf", {"a.gltf": json.dumps(glb.data).encode(), "model.bin": glb.binary, **skin})]
        case "3mf":
            with tempfile.TemporaryDirectory() as folder:
                path = package_file(Path(folder), model_text(object_node(1)))
                return [Case(path.name, {path.name: path.read_bytes()})]
        case "vrml":
            return [Case("a.wrl", {"a.wrl": _WRL, **skin})]
        case "off":
            return [Case("a.off", {"a.off": text}) for text in (_OFF, _COFF)]
        case "dae":
            return [Case("a.dae", {"a.dae": _DAE, **skin})]
        case "usd":
            return [Case("a.usda", {"a.usda": _USDA, "part.usda": _USDA.replace(b" (prepend", b" (#"), **skin})]
        case _:
            return []


def pictures() -> list[Case]:
    """Small images of every kind that is read."""
    pillow_heif.register_heif_opener()
    image = Image.fromarray(quarters(40, 30))
    kinds = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "AVIF", "HEIF", "PPM")
    made = {f"a.{kind.lower()}": encoded(image, kind) for kind in kinds}
    made["turned.jpg"] = oriented(image, 6, "JPEG")
    made["progressive.jpg"] = encoded(image, "JPEG", progressive=True)
    made["cmyk.jpg"] = encoded(image.convert("CMYK"), "JPEG")
    made["deep.png"] = encoded(Image.fromarray((np.arange(1200).reshape(30, 40) * 50).astype(np.uint16)))
    made["palette.png"] = encoded(image.convert("P"))
    made["clear.png"] = encoded(image.convert("RGBA"))
    made["packed.tiff"] = encoded(image, "TIFF", compression="tiff_lzw")
    return [Case(name, {name: content}) for name, content in made.items()]


def strokes() -> list[Case]:
    """Stroke files of one stroke for each of some brushes, with all that a stroke may say."""
    cases = []
    for brush in _BRUSHES:
        stroke = {
            "brush": brush, "radius_mm": 4.0, "strength": 0.5, "hardness": 0.2, "spacing": 0.1, "auto_smooth": 0.1,
            "stabiliser": 0.1, "falloff": {"points": [[0, 1], [0.5, 0.8], [1, 0]]}, "invert": False,
            "front_faces_only": True, "pressure_size": True, "pressure_strength": False, "color": "#aa5500",
            "symmetry": {"axes": "xz", "origin": [0, 0, 0]}, "parameters": {},
            "points": [[0, -10, 0], [2, -9.5, 0, 0.5],
                       {"point": [3, -9, 1], "pressure": 0.7, "view": [0, -1, 0], "tilt": [0.1, 0], "time": 0.2}],
        }  # fmt: skip
        text = json.dumps({"strokes": [stroke]})
        cases.append(Case("strokes.json", {"strokes.json": text.encode()}))
    return cases


def profiles() -> list[Case]:
    """The built-in printer profiles."""
    return [Case(path.name, {path.name: path.read_bytes()}) for path in sorted(resource("printers").glob("*.toml"))]


def settings() -> list[Case]:
    """A settings file as the window leaves it."""
    values = {
        "theme": "dark", "window/scale": 1.5, "brush/draw/radius": 40, "brush/draw/strength": 0.5, "shading": "matcap",
        "recent": ["/home/me/figure.glb", "/home/me/dog.obj"], "panels": {"model": True, "photos": {"width": 300}},
        "language": "", "autosave": True, "photos/last": None,
    }  # fmt: skip
    return [Case("settings.json", {"settings.json": json.dumps(values).encode()})]
