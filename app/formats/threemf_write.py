"""Writing 3MF through lib3mf: a colour group for vertex colours, texture groups for images, else base materials.

The order of choice is the printers': base materials cannot have gradients. 3MF Core 1.4, Materials 1.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from app.errors import WriteFailed
from app.formats.appearance import is_textured, triangle_materials, vertex_colors, written_textures
from app.formats.registry import Progress, WriteOptions
from app.formats.threemf_library import (
    add_all,
    library,
    library_error,
    set_attachment,
    set_geometry,
    set_triangle_properties,
    wrapper,
    write_package,
)
from app.formats.writing import colors_8_bit, placed_positions, writing
from app.mesh.soup import Material, Soup, Texture

_UNITS = {0.001: "MicroMeter", 1.0: "MilliMeter", 10.0: "CentiMeter", 25.4: "Inch", 304.8: "Foot", 1000.0: "Meter"}
_TEXTURE_RELATION = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dtexture"
_DECIMALS = 6
_OPAQUE = 255


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write 3MF. Triangles with the same vertex twice, which 3MF forbids, are left out; a note on the soup says so.

    Raises WriteFailed.
    """
    try:
        with writing(path):
            _write(soup, path, options, progress)
    except library_error() as error:
        reason = str(error).partition(": ")[2].strip()
        what = f"cannot be written as 3MF: {reason}"
        raise WriteFailed(what, path, "Check the free space, or repair the mesh") from error


def _write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    model = wrapper().CreateModel()
    unit = _UNITS.get(options.unit_mm)
    if unit is None:
        raise WriteFailed(f"has no unit of {options.unit_mm:g} mm", path, "Choose mm, cm, m, inch or foot for 3MF")
    model.SetUnit(getattr(library().ModelUnit, unit))
    data = model.GetMetaDataGroup()
    data.AddMetaData("", "Title", options.title, "xs:string", True)
    data.AddMetaData("", "Application", "Likeness", "xs:string", True)
    a, b, c = soup.triangles.T
    good = np.flatnonzero((a != b) & (b != c) & (a != c))
    if len(good) < len(soup.triangles):
        soup.notes.append(f"{len(soup.triangles) - len(good):,} triangles without an area were left out of the file.")
    mesh = model.AddMeshObject()
    mesh.SetName(options.title)
    set_geometry(mesh, placed_positions(soup, options), soup.triangles[good])
    progress(0.1, "Writing colours")
    properties = _properties(model, soup, good, options)
    if properties is not None and len(properties):
        set_triangle_properties(mesh, properties)
        mesh.SetObjectLevelProperty(int(properties[0, 0]), int(properties[0, 1]))
    model.AddBuildItem(mesh, wrapper().GetIdentityTransform())
    progress(0.3, "Writing the package")
    writer = model.QueryWriter("3mf")
    writer.SetDecimalPrecision(_DECIMALS)
    write_package(writer, path)
    progress(1.0, "Written")


def _properties(model: Any, soup: Soup, rows: np.ndarray, options: WriteOptions) -> np.ndarray | None:
    """(n, 4) uint32 resource and property ids of the triangles that are written; None for a file without colour."""
    if is_textured(soup, options):
        return _textured(model, soup, rows, options)
    colors = soup.colors if options.color == "texture" else vertex_colors(soup, options)
    if colors is not None:
        return _vertex_colored(model, soup, rows, colors)
    white = all(material.base_color == (1.0, 1.0, 1.0) for material in soup.materials)
    if options.color != "texture" or white:
        return None
    properties = np.empty((len(rows), 4), np.uint32)
    _fill_plain(model, soup.materials, triangle_materials(soup)[rows], range(len(soup.materials)), properties)
    return properties


def _vertex_colored(model: Any, soup: Soup, rows: np.ndarray, colors: np.ndarray) -> np.ndarray:
    eight = np.full((len(colors), 4), _OPAQUE, np.uint8)
    eight[:, :3] = colors_8_bit(colors)
    different, place = np.unique(eight.view(np.uint32)[:, 0], return_inverse=True)
    group = model.AddColorGroup()
    ids = add_all(group, "lib3mf_colorgroup_addcolor", different)
    properties = np.empty((len(rows), 4), np.uint32)
    properties[:, 0] = group.GetUniqueResourceID()
    properties[:, 1:] = ids[place][soup.triangles[rows]]
    return properties


def _textured(model: Any, soup: Soup, rows: np.ndarray, options: WriteOptions) -> np.ndarray:
    textures = written_textures(soup, options)
    of_triangle = triangle_materials(soup)[rows]
    properties = np.empty((len(rows), 4), np.uint32)
    assert soup.uv is not None
    assert soup.corner_uv is not None
    corner_uv = soup.corner_uv[rows]
    resources: dict[tuple[int, str], Any] = {}
    for number, (material, texture) in enumerate(zip(soup.materials, textures, strict=True)):
        if texture is None:
            continue
        key = id(texture), material.wrap
        if key not in resources:
            resources[key] = _texture_resource(model, texture, material.wrap, len(resources) + 1)
        group = model.AddTexture2DGroup(resources[key])
        here = np.flatnonzero(of_triangle == number)
        used = np.zeros(len(soup.uv), bool)
        used[corner_uv[here]] = True
        entries = np.flatnonzero(used)
        ids = np.zeros(len(soup.uv), np.uint32)
        ids[entries] = add_all(group, "lib3mf_texture2dgroup_addtex2coord", soup.uv[entries].astype(np.float64))
        properties[here, 0] = group.GetUniqueResourceID()
        properties[here, 1:] = ids[corner_uv[here]]
    plain = [number for number, texture in enumerate(textures) if texture is None and (of_triangle == number).any()]
    _fill_plain(model, soup.materials, of_triangle, plain, properties)
    return properties


def _texture_resource(model: Any, texture: Texture, wrap: str, number: int) -> Any:
    png = texture.mime == "image/png"
    name = f"/3D/Textures/texture{number}.{'png' if png else 'jpg'}"
    attachment = model.AddAttachment(name, _TEXTURE_RELATION)
    set_attachment(attachment, texture.encoded)
    resource = model.AddTexture2DFromAttachment(attachment)
    kinds, styles = library().TextureType, library().TextureTileStyle
    resource.SetContentType(kinds.PNG if png else kinds.JPEG)
    style = styles.Wrap if wrap == "repeat" else styles.Clamp
    resource.SetTileStyleUV(style, style)
    return resource


def _fill_plain(model: Any, materials: list[Material], of_triangle: np.ndarray, numbers: Any, out: np.ndarray) -> None:
    """Base materials with a display colour for the triangles of some materials."""
    group = None
    for number in numbers:
        group = group or model.AddBaseMaterialGroup()
        color = library().Color(*colors_8_bit(np.array(materials[number].base_color)).tolist(), _OPAQUE)
        identity = group.AddMaterial(materials[number].name or "material", color)
        out[of_triangle == number] = (group.GetUniqueResourceID(), identity, identity, identity)
