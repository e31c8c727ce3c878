"""PLY: meshes as scanners, MeshLab and research code write them, with colours per vertex or face and textures.

What lives here: what the properties mean. What does not: the container (`ply_elements`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.errors import UnreadableFile
from app.formats.ply_elements import Columns, Element, Header, Lists, read_header, read_rows
from app.formats.ply_write import write
from app.formats.points import is_splat, refuse_points, refuse_splat
from app.formats.polygons import triangulate
from app.formats.reading import Images, check_counts, colors_0_to_1, finished, mapped, refuse, to_float32
from app.formats.registry import Format, Limits, Progress, register
from app.formats.writing import read_mark
from app.mesh.jit import kernel
from app.mesh.soup import Material, Soup

_CORNER_LISTS = ("vertex_indices", "vertex_index", "vertex_indexes")
_COLORS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
_TEXTURE_COORDINATES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("tx", "ty"))
_HEAD_BYTES = 4096
_MOST_TEXTURES = 1000
_WANTED = ("vertex", "face", "tristrips")


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read a PLY file. Colours per face, where there are none per vertex, give unshared vertices."""
    data = mapped(path, limits)
    header = read_header(path, data)
    by_name = {element.name: element for element in header.elements}
    vertex, face = by_name.get("vertex"), by_name.get("face")
    _check(path, limits, vertex, face or by_name.get("tristrips"))
    tables: dict[str, Columns] = {}
    at = header.body
    wanted = max(k for k, element in enumerate(header.elements) if element.name in _WANTED)
    for done, element in enumerate(header.elements[: wanted + 1]):
        progress(done / (len(header.elements) + 1), f"Reading {element.name} rows")
        tables[element.name], at = read_rows(path, data, header, element, at)
    progress(len(header.elements) / (len(header.elements) + 1), "Making triangles")
    assert vertex is not None
    return finished(_soup(path, data[:_HEAD_BYTES], header, tables, limits), path, limits)


def _check(path: Path, limits: Limits, vertex: Element | None, face: Element | None) -> None:
    """Refuse what is no mesh, by its header alone."""
    names = {item.name for item in vertex.properties} if vertex else set()
    if is_splat(names) and (face is None or not face.count):
        refuse_splat(path)
    if vertex is None or not {"x", "y", "z"} <= names:
        refuse(path, "has no vertices with x, y and z")
    if any(item.count_kind for item in vertex.properties if item.name in ("x", "y", "z")):
        refuse(path, "has lists where x, y and z should be")
    if (face is None or not face.count) and vertex.count:
        refuse_points(path, vertex.count)
    check_counts(path, limits, vertex.count, face.count if face else 0)


def _soup(path: Path, head: bytes, header: Header, tables: dict[str, Columns], limits: Limits) -> Soup:
    elements = {element.name: element for element in header.elements}
    vertices = tables["vertex"]
    positions = np.empty((elements["vertex"].count, 3), np.float32)
    for k, name in enumerate("xyz"):
        if vertices:
            positions[:, k] = to_float32(_scalar(vertices, name))
    known = read_mark(head)
    soup = Soup(positions, np.empty((0, 3), np.int32), up=known[0] if known else "z")
    soup.unit_mm = known[1] if known else None
    if vertices:
        soup.colors = _colors(vertices, elements["vertex"])
    faces = tables.get("face", {})
    corner_lists = [name for name in _CORNER_LISTS if isinstance(faces.get(name), Lists)]
    if corner_lists:
        _add_faces(soup, path, faces, corner_lists[0], elements["face"], limits)
    elif "tristrips" in tables:
        _add_strips(soup, path, tables["tristrips"], limits)
    scalars = {name for name, column in vertices.items() if isinstance(column, np.ndarray)}
    pair = next((pair for pair in _TEXTURE_COORDINATES if set(pair) <= scalars), None)
    if pair and soup.uv is None:
        soup.uv = to_float32(np.stack([_scalar(vertices, name) for name in pair], axis=1))
        soup.corner_uv = soup.triangles
    if soup.uv is None:
        soup.triangle_material = None
    else:
        _add_textures(soup, path, header, limits)
    return soup


def _scalar(columns: Columns, name: str) -> np.ndarray:
    column = columns[name]
    return column.values[:0] if isinstance(column, Lists) else column


def _colors(columns: Columns, element: Element) -> np.ndarray | None:
    """(rows, 3) float32 sRGB 0 to 1, or None."""
    for names in _COLORS:
        if all(isinstance(columns.get(name), np.ndarray) for name in names):
            kind = element.kind_of(names[0])
            values = np.stack([_scalar(columns, name) for name in names], axis=1)
            if kind.kind == "u" and kind.itemsize <= 2:
                return values.astype(np.float32) / np.float32(np.iinfo(kind).max)
            return colors_0_to_1(values)
    return None


def _whole(path: Path, values: np.ndarray, vertex_count: int, least: int = 0) -> np.ndarray:
    """(n,) int32 indices of vertices, checked. Raises UnreadableFile."""
    with np.errstate(invalid="ignore"):
        bad = ~((values >= least) & (values < vertex_count))
    if bad.any():
        what = f"has a face that names vertex {values[bad.argmax()]}, of {vertex_count:,}"
        raise UnreadableFile(what, path, "The file is damaged; export it again")
    return values.astype(np.int32)


def _add_faces(soup: Soup, path: Path, faces: Columns, name: str, element: Element, limits: Limits) -> None:
    lists = faces[name]
    assert isinstance(lists, Lists)
    check_counts(path, limits, 0, int(np.maximum(lists.counts - 2, 0).sum()))
    corner_vertex = _whole(path, lists.values, len(soup.positions))
    starts = np.concatenate(([0], np.cumsum(lists.counts)))
    corners, polygon, notes = triangulate(soup.positions, corner_vertex, starts)
    soup.notes += notes
    soup.triangles = corner_vertex[corners]
    wedges = faces.get("texcoord")
    if isinstance(wedges, Lists) and wedges.counts.any():
        if (wedges.counts == 2 * lists.counts).all():
            soup.uv = to_float32(wedges.values.reshape(-1, 2))
            soup.corner_uv = corners
        else:
            soup.notes.append("Texture coordinates do not fit the faces and were left out.")
    numbers = faces.get("texnumber")
    if isinstance(numbers, np.ndarray):
        with np.errstate(invalid="ignore"):
            soup.triangle_material = np.clip(np.nan_to_num(numbers[polygon]), 0, _MOST_TEXTURES).astype(np.int16)
    colors = _colors(faces, element) if soup.colors is None else None
    if colors is not None:
        soup.positions = soup.positions[soup.triangles.ravel()]
        soup.triangles = np.arange(len(soup.positions), dtype=np.int32).reshape(-1, 3)
        soup.colors = np.repeat(colors[polygon], 3, axis=0)


def _add_strips(soup: Soup, path: Path, strips: Columns, limits: Limits) -> None:
    lists = next((strips[name] for name in _CORNER_LISTS if isinstance(strips.get(name), Lists)), None)
    if not isinstance(lists, Lists):
        return
    check_counts(path, limits, 0, len(lists.values))
    values = _whole(path, lists.values, len(soup.positions), least=-1)
    out = np.empty((len(values), 3), np.int32)
    soup.triangles = out[: _strip_triangles(values, lists.counts, out)].copy()
    soup.notes.append("Triangle strips were turned into triangles.")


@kernel
def _strip_triangles(values, counts, out):
    """Every second triangle of a strip is turned round; -1 begins a new strip."""
    written = 0
    first = 0
    for row in range(len(counts)):
        begin = first
        for k in range(first, first + counts[row]):
            if values[k] < 0:
                begin = k + 1
            elif k - begin >= 2:
                a, b, c = values[k - 2], values[k - 1], values[k]
                if a != b and b != c and a != c:
                    out[written, 0], out[written, 2] = a, c
                    out[written, 1] = b
                    if (k - begin) % 2:
                        out[written, 0], out[written, 1] = b, a
                    written += 1
        first += counts[row]
    return written


def _add_textures(soup: Soup, path: Path, header: Header, limits: Limits) -> None:
    names = [comment[len("TextureFile") :].strip() for comment in header.comments if comment.startswith("TextureFile")]
    images = Images(limits, soup.notes)
    materials = [Material(name, texture=images.beside(name, path)) for name in names[:_MOST_TEXTURES] if name]
    soup.materials = materials or soup.materials
    if soup.triangle_material is not None:
        soup.triangle_material = np.minimum(soup.triangle_material, len(soup.materials) - 1).astype(np.int16)


register(Format("ply", "PLY", (".ply",), read, write, lambda head: head[:4] in (b"ply\n", b"ply\r"), True))
