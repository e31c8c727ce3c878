"""Printer profiles: what a printer or a print service wants, as TOML files that a user can read, edit and add to.

Built-in ones are in `resources/printers`, the user's own in the folder `printers` beside the settings; one with the
same file name replaces the built-in one. A file's name without `.toml` is the profile's id. Judging a mesh by a profile
is `check`'s business, obeying it is `export`'s.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from app.errors import InvalidInput
from app.resources import resource
from app.settings import config_folder

DEFAULT = "wjp"
TARGET_TRIANGLES = 1_600_000
_COLORLESS_FORMATS = ("stl",)


@dataclass(frozen=True)
class PrinterProfile:
    """One printer's wishes. Each field but `id` is a key of the TOML file, with this meaning and default.

    label: name in menus. format: id of the file format. suffix: of exported files, with the dot.
    up, unit_mm: axis that points up in the file, "y" or "z", and millimetres per file unit.
    target_triangles: wanted number, 0 for no wish. triangle_tolerance: accepted distance from it, as a part of it.
    products: kind of figure -> heights in mm that it is sold in; empty for no wish. height_tolerance_mm: accepted
    distance from these. max_size_mm: the printer's room along x, y and z, Z up; empty for no limit.
    max_file_mb: largest file, MB of 1,000,000 bytes; 0 for no limit. watertight_required: whether holes and
    non-manifold edges fail the check. self_intersections: "fail", "warn" or "ignore".
    wall_mm: thinner walls break. color_wall_mm: thinner walls change their colour. pin_mm: what is thin on all sides
    and thinner than this breaks. All 0 for no limit. density_g_ml: of the material, 0 where unknown.
    color: "texture" (texture if there is one, otherwise vertex colours), "vertex" or "none".
    texture_format: "png", "jpeg" or "keep". texture_limit: largest width and height in pixels, 0 for no limit.
    single_texture: whether several textures are put together into one. icc_profile: file with the printer's ICC
    profile, beside the TOML file or with a full path; colours that it cannot print are pointed out.
    unverified: keys whose values nobody has confirmed with the maker. notes: for the user, shown with the profile.
    """

    id: str
    label: str
    format: str
    suffix: str
    up: str = "z"
    unit_mm: float = 1.0
    target_triangles: int = TARGET_TRIANGLES
    triangle_tolerance: float = 0.05
    products: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    height_tolerance_mm: float = 1.0
    max_size_mm: tuple[float, ...] = ()
    max_file_mb: float = 0.0
    wall_mm: float = 0.0
    color_wall_mm: float = 0.0
    pin_mm: float = 0.0
    density_g_ml: float = 0.0
    watertight_required: bool = True
    self_intersections: str = "warn"
    color: str = "texture"
    texture_format: str = "keep"
    texture_limit: int = 0
    single_texture: bool = False
    icc_profile: str = ""
    unverified: tuple[str, ...] = ()
    notes: str = ""

    @property
    def heights_mm(self) -> tuple[float, ...]:
        """All heights of all products, ascending."""
        return tuple(sorted({height for heights in self.products.values() for height in heights}))

    @property
    def takes_color(self) -> bool:
        """Whether any colour gets into its files."""
        return self.color != "none" and self.format not in _COLORLESS_FORMATS


def profiles() -> dict[str, PrinterProfile]:
    """All usable profiles by id, the default first. Files with mistakes are left out; `mistakes` tells them."""
    return _load()[0]


def mistakes() -> list[InvalidInput]:
    """What is wrong with profile files that could not be used, one error per file."""
    return list(_load()[1].values())


def profile(name: str = DEFAULT) -> PrinterProfile:
    """The profile with this id. Raises InvalidInput when there is none, or when the user's file of it has a mistake."""
    usable, wrong = _load()
    if name in wrong:
        raise wrong[name]
    if name not in usable:
        raise InvalidInput(
            f'there is no printer profile "{name}"',
            "",
            f"Choose one of {', '.join(usable)}, or put {name}.toml into {user_folder()}",
        )
    return usable[name]


def user_folder() -> Path:
    """Where the user's own profiles are looked for; may not exist."""
    return config_folder() / "printers"


def read_profile(path: Path) -> PrinterProfile:
    """Read one TOML file. Raises InvalidInput that names the file, the key, and what is wanted."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}", path, "Check your rights to it") from error
    except (ValueError, RecursionError) as error:  # TOML syntax or encoding, brackets without end
        raise InvalidInput(f"is not valid TOML: {error}", path, "Correct that place, or delete the file") from error
    unknown = sorted(set(content) - set(_KEYS))
    if unknown:
        raise InvalidInput(f'unknown key "{unknown[0]}"', path, f"Known keys are {', '.join(sorted(_KEYS))}")
    values = {}
    for key, value in content.items():
        try:
            values[key] = _KEYS[key](value)
        except _Unwanted as wanted:
            raise InvalidInput(f'"{key}" must be {wanted}, not {_shown(value)}', path, "Correct that line") from None
    for needed in fields(PrinterProfile):
        absent = needed.default is MISSING and needed.default_factory is MISSING and needed.name not in values
        if absent and needed.name != "id":
            raise InvalidInput(f'the key "{needed.name}" is missing', path, "Add it; see the built-in profiles")
    if values.get("icc_profile"):
        values["icc_profile"] = str(path.parent / values["icc_profile"])  # a full path stays what it is
    return PrinterProfile(id=path.stem, **values)


def _load() -> tuple[dict[str, PrinterProfile], dict[str, InvalidInput]]:
    usable: dict[str, PrinterProfile] = {}
    wrong: dict[str, InvalidInput] = {}
    for folder in (resource("printers"), user_folder()):
        for path in sorted(folder.glob("*.toml")):
            try:
                usable[path.stem] = read_profile(path)
            except InvalidInput as error:
                wrong[path.stem] = error
    return dict(sorted(usable.items(), key=lambda item: (item[0] != DEFAULT, item[0]))), wrong


class _Unwanted(Exception):
    """A value of the wrong kind; the text says what is wanted."""


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, brackets in brackets
        return "that"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unwanted("a text in quotes")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unwanted("true or false")
    return value


def _choice(*options: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in options:
            raise _Unwanted("one of " + ", ".join(f'"{option}"' for option in options))
        return value

    return read


def _is_number(value: Any) -> bool:
    # Compared and not converted: whole numbers in TOML have any size.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _number(value: Any) -> float:
    if not _is_number(value) or value < 0:
        raise _Unwanted("a number, 0 or more")
    return float(value)


def _positive(value: Any) -> float:
    if not _is_number(value) or value <= 0:
        raise _Unwanted("a number above 0")
    return float(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not _is_number(value) or value < 0:
        raise _Unwanted("a whole number, 0 or more")
    return value


def _room(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) not in (0, 3) or not all(_is_number(v) and v > 0 for v in value):
        raise _Unwanted("a list of three numbers above 0, or an empty list")
    return tuple(float(v) for v in value)


def _products(value: Any) -> dict[str, tuple[float, ...]]:
    heights = list(value.values()) if isinstance(value, dict) else [None]
    if not all(isinstance(row, list) and row and all(_is_number(v) and v > 0 for v in row) for row in heights):
        raise _Unwanted("a table of lists of heights in mm, such as pets = [100, 120, 150]")
    return {name: tuple(float(v) for v in row) for name, row in value.items()}


def _keys(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name in _KEYS for name in value):
        raise _Unwanted("a list of this file's keys")
    return tuple(value)


_KEYS: dict[str, Callable[[Any], Any]] = {
    "label": _text,
    "format": _text,
    "suffix": _text,
    "up": _choice("y", "z"),
    "unit_mm": _positive,
    "target_triangles": _whole,
    "triangle_tolerance": _number,
    "products": _products,
    "height_tolerance_mm": _number,
    "max_size_mm": _room,
    "max_file_mb": _number,
    "wall_mm": _number,
    "color_wall_mm": _number,
    "pin_mm": _number,
    "density_g_ml": _number,
    "self_intersections": _choice("fail", "warn", "ignore"),
    "icc_profile": _text,
    "watertight_required": _flag,
    "color": _choice("texture", "vertex", "none"),
    "texture_format": _choice("png", "jpeg", "keep"),
    "texture_limit": _whole,
    "single_texture": _flag,
    "unverified": _keys,
    "notes": _text,
}
