"""MTL, the material files beside OBJ: colour and image of each material, read and written.

Format: http://paulbourke.net/dataformats/mtl/. Only what a print needs: Kd and the colour image with its options.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.errors import LimitExceeded
from app.formats.reading import Images
from app.mesh.soup import Material

_MOST_BYTES = 64 << 20
# Options of an image line and how many words follow each; the last three take one to three numbers.
_OPTIONS = {
    "-blendu": 1, "-blendv": 1, "-boost": 1, "-mm": 2, "-texres": 1, "-clamp": 1, "-bm": 1, "-imfchan": 1,
    "-type": 1, "-cc": 1, "-colorspace": 1,
}  # fmt: skip
_VECTORS = ("-o", "-s", "-t")
# Some exporters leave the colour only in the ambient or the emissive image.
_IMAGES = ("map_kd", "map_ka", "map_ke")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class ImageUse:
    """An image line: file name, and the change of texture coordinates: uv * scale + offset."""

    name: str
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False


@dataclass(frozen=True)
class ObjMaterial:
    """A material, and how its texture coordinates change."""

    material: Material
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)


def read_materials(mtl: Path, obj: Path, used: set[str], images: Images, notes: list[str]) -> dict[str, ObjMaterial]:
    """The materials of an MTL file that are in use. Damage becomes a note. Raises LimitExceeded."""
    try:
        if mtl.stat().st_size > _MOST_BYTES:
            raise LimitExceeded("is too large for a material file", mtl, "Export the model again")
        text = mtl.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        notes.append(f"The material file {mtl.name} cannot be opened: {error.strerror or error}.")
        return {}
    materials: dict[str, ObjMaterial] = {}
    for name, (color, uses) in _statements(text).items():
        if name not in used:
            continue
        use = next((uses[key] for key in _IMAGES if key in uses), None)
        if use is None:
            materials[name] = ObjMaterial(Material(name, color))
            continue
        texture = images.beside(use.name, mtl, obj)  # named from the MTL's folder; some exporters mean the OBJ's
        # Exporters leave Kd at 0.6, 0.8 or black beside an image and mean the image alone.
        material = Material(
            name, color if texture is None else (1.0, 1.0, 1.0), texture, "clamp" if use.clamp else "repeat"
        )
        materials[name] = ObjMaterial(material, use.scale, use.offset)
    return materials


def _statements(text: str) -> dict[str, tuple[tuple[float, float, float], dict[str, ImageUse]]]:
    """Kd and image lines by material name."""
    found: dict[str, tuple[tuple[float, float, float], dict[str, ImageUse]]] = {}
    name = ""
    for line in text.splitlines():
        keyword, _, rest = line.strip().partition(" ") if " " in line.strip() else line.strip().partition("\t")
        keyword, rest = keyword.lower(), rest.strip()
        if keyword == "newmtl":
            name = rest
            found.setdefault(name, ((1.0, 1.0, 1.0), {}))
        elif keyword == "kd" and name in found:
            color = _color(rest)
            if color is not None:
                found[name] = color, found[name][1]
        elif keyword in _IMAGES and name in found:
            use = image_use(rest)
            if use is not None:
                found[name][1].setdefault(keyword, use)
    return found


def _color(rest: str) -> tuple[float, float, float] | None:
    numbers = [value for value in map(_number, rest.split()[:3]) if value is not None]
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) < 3:
        return None
    red, green, blue = (min(1.0, max(0.0, value)) for value in numbers)
    return red, green, blue


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) < 1e6 else None


def image_use(rest: str) -> ImageUse | None:
    """Parse what follows `map_Kd`: options, then a file name that may hold blanks."""
    words = [(match.group(), match.start()) for match in _WORD.finditer(rest)]
    vectors = {"-o": [0.0, 0.0], "-s": [1.0, 1.0], "-t": [0.0, 0.0]}
    clamp = False
    k = 0
    while k < len(words) and words[k][0].lower() in (*_OPTIONS, *_VECTORS):
        option = words[k][0].lower()
        k += 1
        if option in _OPTIONS:
            clamp = clamp or (option == "-clamp" and k < len(words) and words[k][0].lower() == "on")
            k += _OPTIONS[option]
            continue
        for axis in range(3):
            value = _number(words[k][0]) if k < len(words) else None
            if value is None:
                break
            if axis < 2:
                vectors[option][axis] = value
            k += 1
    if k >= len(words):
        return None
    (ou, ov), (su, sv) = vectors["-o"], vectors["-s"]
    return ImageUse(rest[words[k][1] :].strip().strip('"'), (su, sv), (ou, ov), clamp)


def material_file(materials: list[tuple[str, tuple[float, float, float], str | None]]) -> str:
    """The text of an MTL file. materials: name, sRGB colour 0 to 1, and image file name or None for each."""
    lines = ["# Likeness"]
    for name, color, image in materials:
        red, green, blue = color
        lines += [f"newmtl {name}", "Ka 0 0 0", f"Kd {red:.6g} {green:.6g} {blue:.6g}", "Ks 0 0 0", "d 1", "illum 1"]
        if image:
            lines.append(f"map_Kd {image}")
    return "\n".join(lines) + "\n"
