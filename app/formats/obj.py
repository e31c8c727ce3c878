"""Wavefront OBJ: reading, with MTL materials and images, vertex colours of the common dialects, any polygons.

What lives here: what the lines mean. What does not: their syntax (`obj_lines`), materials (`mtl`), the writer.
Format: http://paulbourke.net/dataformats/obj/
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import numpy as np

from app.errors import LimitExceeded, UnreadableFile, readable
from app.formats import obj_lines
from app.formats.mtl import ObjMaterial, read_materials
from app.formats.numerals import line_number
from app.formats.obj_write import write
from app.formats.points import MESH_INSTEAD
from app.formats.polygons import triangulate
from app.formats.reading import Images, check_counts, colors_0_to_1, find_beside, finished, mapped, refuse
from app.formats.registry import Format, Limits, Progress, register
from app.formats.writing import read_mark
from app.mesh.soup import Material, Soup

_HEAD_BYTES = 4096
_LINE = re.compile(rb"[^\r\n]*")
_COMMENT = re.compile(r"\s#.*$")
_LIBRARY_END = re.compile(r"\.mtl(?=\s|$)", re.IGNORECASE)
_SIGNATURE = re.compile(rb"(?:\A|[\r\n])[ \t]*(?:v[nt]?[ \t]+[-+.\d]|f[ \t]+\d|mtllib[ \t]|usemtl[ \t])")
_CONTINUED = re.compile(rb"\\(\r\n|\n|\r)")
# Files whose bytes have to be changed first: rare dialects, never large.
_MOST_COPIED_BYTES = 256 << 20
_MOST_SWITCHES = 2_000_000
_MOST_MATERIALS = 30_000
_MOST_LIBRARIES = 1000
_SHOWN = 80  # letters of a name in a note
_WHAT = {
    obj_lines.BAD_VERTEX: "has a vertex without three numbers",
    obj_lines.BAD_COORDINATE: "has a texture coordinate without a number",
    obj_lines.BAD_FACE: "has a face that cannot be read",
    obj_lines.BAD_INDEX: "has a face that names a vertex before the first",
}


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read an OBJ file. Y is up, as most programs write it; the unit is not known."""
    data, begin = _text(path, limits)
    raw = np.frombuffer(data, np.uint8)
    progress(0.0, "Counting lines")
    vertices, coordinates, faces, corners, specials = (int(count) for count in obj_lines.count_lines(raw, begin))
    check_counts(path, limits, max(vertices, coordinates), max(faces, corners - 2 * faces))
    if specials > _MOST_SWITCHES:
        raise LimitExceeded(f"switches its material {specials:,} times", path, "Join the materials before exporting")
    if not faces:
        what = "holds only points or lines, or is cut off" if vertices else "holds no triangles"
        refuse(path, what, MESH_INSTEAD if vertices else "Export the model as a mesh with faces")
    progress(0.1, "Reading vertices and faces")
    positions, colors = np.empty((vertices, 3), np.float32), np.empty((vertices, 3), np.float32)
    uv, starts = np.empty((coordinates, 2), np.float32), np.zeros(faces + 1, np.int64)
    corner_vertex, corner_uv = np.empty(corners, np.int32), np.empty(corners, np.int32)
    special_at, special_face = np.empty(specials, np.int64), np.empty(specials, np.int64)
    outcome, at, colored = obj_lines.read_lines(
        raw, begin, positions, colors, uv, starts, corner_vertex, corner_uv, special_at, special_face
    )
    if outcome != obj_lines.FINE:
        where = f"{path}, line {line_number(data, at)}"
        raise UnreadableFile(_WHAT[outcome], where, "The file is damaged; export it again")
    _check_corners(path, corner_vertex, starts, vertices)
    progress(0.7, "Making triangles")
    triangle_corners, polygon, notes = triangulate(positions, corner_vertex, starts)
    soup = Soup(positions, corner_vertex[triangle_corners], up="y", notes=notes)
    known = read_mark(data[:_HEAD_BYTES])
    if known:
        soup.up, soup.unit_mm = known
    lines = [_LINE.match(data, int(start)) for start in special_at]
    words = [line.group() if line else b"" for line in lines]
    soup.colors = _zbrush_colors(words, vertices)
    if soup.colors is None and colored:
        soup.colors = _vertex_colors(colors, soup.notes)
    del colors
    progress(0.8, "Reading materials")
    scales = _add_materials(soup, path, words, special_face, polygon, limits)
    if coordinates and (corner_uv >= 0).any():
        _add_coordinates(soup, uv, corner_uv[triangle_corners], scales)
    odd = int((np.diff(starts) < 3).sum())
    if odd:
        soup.notes.append(f"{odd:,} faces with fewer than three corners were left out.")
    return finished(soup, path, limits)


def _text(path: Path, limits: Limits) -> tuple[mmap.mmap | bytes, int]:
    """The file as UTF-8 without continued lines, byte for byte in place, and where its text begins."""
    mapping = mapped(path, limits)
    data: mmap.mmap | bytes = mapping
    head = mapping[:4]
    is_large = len(mapping) > _MOST_COPIED_BYTES
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or (len(head) > 1 and (head[0] == 0) != (head[1] == 0)):
        if is_large:
            raise LimitExceeded("is too large for UTF-16", path, "Save it as UTF-8")
        try:
            coding = "utf-16" if head[0] >= 0xFE else ("utf-16-be" if head[0] == 0 else "utf-16-le")
            data = mapping[:].decode(coding).encode()
        except UnicodeError as error:
            raise UnreadableFile("is no text, or in an unknown encoding", path, "Export it again") from error
    elif b"\0" in mapping[:_HEAD_BYTES]:
        refuse(path, "is no OBJ file: it holds binary data")
    if not is_large and (data.find(b"\\\n") >= 0 or data.find(b"\\\r") >= 0):
        data = _CONTINUED.sub(lambda match: b" " * len(match.group()), data[:])
    return data, 3 if data[:3] == b"\xef\xbb\xbf" else 0


def _check_corners(path: Path, corner_vertex: np.ndarray, starts: np.ndarray, vertices: int) -> None:
    if len(corner_vertex) and corner_vertex.max() >= vertices:
        at = int((corner_vertex >= vertices).argmax())
        face = int(np.searchsorted(starts, at, side="right"))
        what = f"has a face that names vertex {int(corner_vertex[at]) + 1:,}, of {vertices:,}"
        raise UnreadableFile(what, f"{path}, face {face:,}", "The file is cut off or damaged; export it again")


def _vertex_colors(colors: np.ndarray, notes: list[str]) -> np.ndarray:
    """(N, 3) float32 from the numbers after x, y and z; white where a vertex has none or no number."""
    if np.isnan(colors).any():
        notes.append("Some vertices have no colour; they are white.")
    return colors_0_to_1(colors)


def _zbrush_colors(lines: list[bytes], vertices: int) -> np.ndarray | None:
    """Polypaint: comments with eight hexadecimal digits for each vertex, mask and red, green, blue."""
    digits = b"".join(line.split()[1] for line in lines if line.startswith(b"#MRGB") and len(line.split()) == 2)
    if not digits or len(digits) != 8 * vertices:
        return None
    try:
        values = np.frombuffer(bytes.fromhex(digits.decode("ascii")), np.uint8).reshape(-1, 4)
    except (ValueError, UnicodeError):
        return None
    return values[:, 1:].astype(np.float32) / np.float32(255)


def _add_materials(
    soup: Soup, path: Path, lines: list[bytes], face_of_line: np.ndarray, polygon: np.ndarray, limits: Limits
) -> list[ObjMaterial]:
    """Set the soup's materials from the usemtl and mtllib lines. Returns them with their texture changes."""
    index: dict[str, int] = {}
    switches: list[tuple[int, int]] = []
    libraries: dict[str, None] = {}
    for line, face in zip(lines, face_of_line.tolist(), strict=True):
        if line.startswith(b"#"):
            continue
        keyword, rest = line[:6], line[6:].decode("utf-8", "replace").strip()
        if keyword == b"mtllib":
            libraries[rest] = None
        else:
            switches.append((face, index.setdefault(rest, len(index))))
    if len(index) > _MOST_MATERIALS or len(libraries) > _MOST_LIBRARIES:
        raise LimitExceeded(f"uses {len(index):,} materials", path, "Join the materials before exporting")
    known: dict[str, ObjMaterial] = {}
    images = Images(limits, soup.notes)
    for mtl in _library_files(path, list(libraries), soup.notes):
        known = {**read_materials(mtl, path, set(index), images, soup.notes), **known}
    materials = [known.get(name, ObjMaterial(Material(name))) for name in index]
    if not switches:
        return [ObjMaterial(Material())]
    if switches[0][0] > 0:  # faces before the first usemtl
        switches.insert(0, (0, len(materials)))
        materials.append(ObjMaterial(Material()))
    starts, numbers = (np.array(column) for column in zip(*switches, strict=True))
    soup.triangle_material = numbers[np.searchsorted(starts, polygon, side="right") - 1].astype(np.int16)
    soup.materials = [entry.material for entry in materials]
    return materials


def _library_files(path: Path, libraries: list[str], notes: list[str]) -> list[Path]:
    """The MTL files that the mtllib lines name. A line may hold one name with blanks or several names."""
    files: list[Path] = []
    for text in libraries:
        plain = text.replace("\\ ", " ")
        whole = find_beside(path, plain) or find_beside(path, _COMMENT.sub("", plain))
        names = _names(plain)
        found = [whole] if whole else [file for name in names if (file := find_beside(path, name))]
        if not found:
            shown = readable(names[0], _SHOWN)
            notes.append(f"The material file {shown} is not beside the file; colours and textures are missing.")
        files += found
    return list(dict.fromkeys(files))


def _names(text: str) -> list[str]:
    """A line's names of material files, which may hold blanks; all of it where none ends as such files do."""
    ends = [match.end() for match in _LIBRARY_END.finditer(text)]
    names = [text[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)]
    return names[:_MOST_LIBRARIES] or [text]


def _add_coordinates(soup: Soup, uv: np.ndarray, corner_uv: np.ndarray, materials: list[ObjMaterial]) -> None:
    """Set uv and corner_uv; corners without a coordinate get one at the origin, scaled materials their own entries."""
    missing = (corner_uv < 0) | (corner_uv >= len(uv))
    if missing.any():
        corner_uv = np.where(missing, np.int32(len(uv)), corner_uv)
        uv = np.concatenate((uv, np.zeros((1, 2), np.float32)))
    for number, entry in enumerate(materials):
        if (entry.scale, entry.offset) == ((1.0, 1.0), (0.0, 0.0)) or soup.triangle_material is None:
            continue
        rows = np.flatnonzero(soup.triangle_material == number)
        used, place = np.unique(corner_uv[rows], return_inverse=True)
        corner_uv[rows] = (place.reshape(-1, 3) + len(uv)).astype(np.int32)
        uv = np.concatenate((uv, (uv[used] * np.array(entry.scale) + np.array(entry.offset)).astype(np.float32)))
    soup.uv, soup.corner_uv = uv, corner_uv


def _sniff(head: bytes) -> bool:
    return b"\0" not in head and len(_SIGNATURE.findall(head)) >= 2


register(Format("obj", "Wavefront OBJ", (".obj",), read, write, _sniff, True))
