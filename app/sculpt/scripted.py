"""Strokes from a JSON document, applied by the same engine as the window's: `likeness sculpt`, tests, benchmarks.

The document is an object with one list:

    {"strokes": [
        {"brush": "inflate",
         "radius_mm": 4.0,
         "strength": 0.5,
         "falloff": "smooth",
         "invert": false,
         "symmetry": "x",
         "points": [[0, -20, 95], {"point": [2, -20, 96], "pressure": 0.7}]}
    ]}

Of a stroke, `brush` (an id, see `likeness sculpt --help`), `radius_mm` and `points` are required. Optional, with the
brush's own defaults:

    strength, hardness, auto_smooth, stabiliser    0 to 1
    spacing                                        distance between dabs as a part of the radius
    falloff       "smooth" | "sphere" | "sharp" | "linear" | "constant", or {"points": [[0, 1], [0.5, 0.8], [1, 0]]}
    invert, front_faces_only, pressure_size, pressure_strength    true or false
    symmetry      any of the letters of "xyz", or {"axes": "xz", "origin": [0, 0, 0], "radial": 6, "radial_axis": "z"}
                  with a point on the planes, mm, and so many repetitions around an axis
    color         "#rrggbb" or [red, green, blue] from 0 to 1, sRGB
    method        "space" | "dots" | "airbrush" | "anchored"; an airbrush goes by the points' times
    jitter        0 to 1: how far dabs stray, as a part of the radius
    alpha         the name of a stamp, see `likeness sculpt --help`; alpha_angle in degrees; alpha_random 0 to 1;
                  alpha_rake true or false
    automask      {"connected": true, "borders": true, "cavity": 0.5}: what protects itself
    source        [x, y, z]: where Clone takes its colour from
    parameters    the brush's own, by id: {"pinch": 50}

A point is [x, y, z], [x, y, z, pressure], or {"point": [x, y, z], "pressure": 1, "view": [0, -1, 0], "tilt": [0, 0],
"time": 0}. Positions are in mm, Z up, on or near the surface, where the file puts it: a file with Y up is turned,
(x, y, z) to (x, -z, y), its unit becomes mm (with `--height`, the model is scaled to that about the origin), and
nothing is moved. The window moves a model onto the ground when it opens it, so there a place has other numbers.
`view` points from the surface toward the viewer and is the surface's normal there if not given. The first point
presses, the last one releases; between them dabs are spaced as by hand. For Grab the first point takes hold, and the
later ones say where it is dragged to.

Unknown names are errors, so that a misspelt setting is not silently without effect.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from app.errors import InvalidInput, LikenessError
from app.mesh.mesh import Mesh
from app.mesh.nearest import nearest_vertex
from app.sculpt.alpha import Alpha
from app.sculpt.alphas import load_alpha
from app.sculpt.automask import Automask
from app.sculpt.brush import Brush, brushes
from app.sculpt.falloff import Falloff
from app.sculpt.history import History
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import Sample, StrokeInHand
from app.sculpt.symmetry import Symmetry

_AXES = "xyz"


def run_strokes(
    mesh: Mesh,
    history: History,
    document: Any,
    progress: Callable[[float, str], None] = lambda fraction, doing: None,
    note: Callable[[str], None] = lambda text: None,
) -> int:
    """Apply all strokes of a document (see the module's docstring), one history step each, and refresh the normals.

    note: is told of every stroke that has no vertex within its reach.
    Returns how many strokes changed something. Raises InvalidInput, before anything is changed, if the document is
    wrong; LikenessError if the mesh lacks what a brush edits, with that stroke taken back.
    """
    strokes = [_stroke(entry, f"stroke {number}") for number, entry in enumerate(_entries(document), 1)]
    changed = 0
    for number, (brush, settings, points) in enumerate(strokes):
        progress(number / len(strokes), f"{brush.label} ({number + 1} of {len(strokes)})")
        in_hand = StrokeInHand(mesh, history, brush, settings)
        try:
            for point in points:
                in_hand.add(_sample(point, mesh))
        except BaseException:
            in_hand.cancel()
            raise
        changed += in_hand.finish()
        if not in_hand.touched:
            note(f"stroke {number + 1} touched no vertex")
        mesh.refresh()
    return changed


def _entries(document: Any) -> list[Any]:
    strokes = document.get("strokes") if isinstance(document, dict) else None
    if not isinstance(strokes, list):
        raise InvalidInput(
            'the stroke file has no list of "strokes"',
            advice='Write {"strokes": [...]}; see the help of "likeness sculpt"',
        )
    return strokes


def _stroke(entry: Any, where: str) -> tuple[Brush, BrushSettings, list[dict[str, Any]]]:
    if not isinstance(entry, dict):
        raise InvalidInput(
            "a stroke is not an object", where, 'Write {"brush": ..., "radius_mm": ..., "points": [...]}'
        )
    missing = [name for name in ("brush", "radius_mm", "points") if name not in entry]
    if missing:
        raise InvalidInput(f'"{missing[0]}" is missing', where, "Add it")
    known = brushes()
    brush = known.get(entry["brush"]) if isinstance(entry["brush"], str) else None
    if brush is None:
        raise InvalidInput(f"there is no brush {entry['brush']!r}", where, f"Use one of {', '.join(known)}")
    unknown = [name for name in entry if name not in _READERS and name not in ("brush", "points")]
    if unknown:
        raise InvalidInput(f'"{unknown[0]}" is no setting of a stroke', where, f"Use {', '.join(_READERS)}")
    fields = {name: _READERS[name](entry[name], f"{where}, {name}") for name in _READERS if name in entry}
    own = {parameter.id: parameter for parameter in brush.parameters}
    for name, value in fields.get("parameters", {}).items():
        if name not in own or not own[name].minimum <= value <= own[name].maximum:
            choices = "; ".join(f"{p.id} from {p.minimum:g} to {p.maximum:g}" for p in brush.parameters)
            raise InvalidInput(
                f'"{name}": {value:g} is no parameter of {brush.label}', where, f"It has: {choices or 'none'}"
            )
    defaults = brush.defaults()
    fields["parameters"] = {**defaults.parameters, **fields.get("parameters", {})}
    try:
        settings = BrushSettings(**{**vars(defaults), **fields})
    except InvalidInput as error:
        raise InvalidInput(error.what, where, error.advice) from error
    points = entry["points"]
    if not isinstance(points, list) or not points:
        raise InvalidInput('"points" is not a list of points', where, "Write [[x, y, z], ...] in mm")
    return brush, settings, [_point(point, f"{where}, point {number}") for number, point in enumerate(points, 1)]


def _point(entry: Any, where: str) -> dict[str, Any]:
    if isinstance(entry, list):
        numbers = _numbers(entry, where, (3, 4))
        return {"point": numbers[:3], "pressure": numbers[3] if len(numbers) > 3 else 1.0}
    if not isinstance(entry, dict) or "point" not in entry:
        raise InvalidInput("this is not a point", where, "Write [x, y, z], in mm")
    unknown = set(entry) - {"point", "pressure", "view", "tilt", "time"}
    if unknown:
        raise InvalidInput(f'"{min(unknown)}" is nothing that a point has', where, "Use pressure, view, tilt, time")
    out: dict[str, Any] = {"point": _numbers(entry["point"], where, (3,))}
    out["pressure"] = _number(entry.get("pressure", 1.0), where)
    out["time"] = _number(entry.get("time", 0.0), where)
    out["tilt_x"], out["tilt_y"] = _numbers(entry.get("tilt", [0.0, 0.0]), where, (2,))
    if "view" in entry:
        view = np.array(_numbers(entry["view"], where, (3,)))
        length = float(np.linalg.norm(view))
        if length == 0:
            raise InvalidInput("the view has no direction", where, "Give a vector from the surface toward the viewer")
        out["view"] = view / length
    return out


def _sample(point: dict[str, Any], mesh: Mesh) -> Sample:
    place = np.array(point["point"])
    nearest = nearest_vertex(mesh, place)
    normal = np.zeros(3) if nearest is None else mesh.normals[nearest].astype(np.float64)
    return Sample(**{"view": normal, **point, "point": place})


def _number(value: Any, where: str) -> float:
    # Compared and not converted: whole numbers in JSON have any size.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise InvalidInput(f"{value!r} is not a finite number", where, "Write a number")
    return float(value)


def _numbers(value: Any, where: str, counts: tuple[int, ...]) -> list[float]:
    if not isinstance(value, list) or len(value) not in counts:
        raise InvalidInput(
            f"{value!r} is not a list of {' or '.join(map(str, counts))} numbers", where, "Write [x, y, z]"
        )
    return [_number(part, where) for part in value]


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{value!r} is neither true nor false", where, "Write true or false")
    return value


def _falloff(value: Any, where: str) -> Falloff:
    if isinstance(value, str):
        return Falloff(value)
    if isinstance(value, dict) and set(value) == {"points"} and isinstance(value["points"], list):
        pairs = [_numbers(pair, where, (2,)) for pair in value["points"]]
        return Falloff("custom", tuple((x, y) for x, y in pairs))
    raise InvalidInput("this is not a falloff", where, 'Write a name such as "smooth", or {"points": [[0, 1], [1, 0]]}')


def _symmetry(value: Any, where: str) -> Symmetry:
    known = {"axes": "", "origin": [0.0, 0.0, 0.0], "radial": 1, "radial_axis": "z"}
    given = value if isinstance(value, dict) and set(value) <= set(known) else {"axes": value}
    fields = {**known, **given}
    axes, radial, radial_axis = fields["axes"], fields["radial"], fields["radial_axis"]
    if not isinstance(axes, str) or not set(axes.lower()) <= set(_AXES):
        raise InvalidInput(f"{axes!r} names no axes", where, 'Write letters of "xyz", or "" for none')
    if not isinstance(radial_axis, str) or isinstance(radial, bool) or not isinstance(radial, int):
        raise InvalidInput("this is no radial symmetry", where, 'Write "radial": 6, "radial_axis": "z"')
    x, y, z = (axis in axes.lower() for axis in _AXES)
    origin = _numbers(fields["origin"], where, (3,))
    try:
        return Symmetry((x, y, z), (origin[0], origin[1], origin[2]), radial, radial_axis)
    except InvalidInput as error:
        raise InvalidInput(error.what, where, error.advice) from error


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{value!r} is not a name", where, "Write a name in quotes")
    return value


def _alpha(value: Any, where: str) -> Alpha:
    try:
        return load_alpha(_text(value, where))
    except LikenessError as error:
        raise InvalidInput(error.what, where, error.advice) from error


def _automask(value: Any, where: str) -> Automask:
    known: dict[str, Callable[[Any, str], Any]] = {
        "connected": _flag,
        "face_set": _flag,
        "borders": _flag,
        "cavity": _number,
        "front_limit": _number,
    }
    if not isinstance(value, dict) or not set(value) <= set(known):
        raise InvalidInput("this is no automask", where, f"Use {', '.join(known)}")
    try:
        return Automask(**{name: known[name](part, where) for name, part in value.items()})
    except InvalidInput as error:
        raise InvalidInput(error.what, where, error.advice) from error


def _place(value: Any, where: str) -> tuple[float, float, float]:
    x, y, z = _numbers(value, where, (3,))
    return x, y, z


def _color(value: Any, where: str) -> tuple[float, float, float]:
    if isinstance(value, str):
        try:
            parts = list(bytes.fromhex(value.removeprefix("#")))
        except ValueError:
            parts = []
        if len(parts) != 3:
            raise InvalidInput(f"{value!r} is not a colour", where, 'Write "#rrggbb"')
        return parts[0] / 255, parts[1] / 255, parts[2] / 255
    red, green, blue = _numbers(value, where, (3,))
    return red, green, blue


def _parameters(value: Any, where: str) -> dict[str, float]:
    if not isinstance(value, dict):
        raise InvalidInput("the parameters are not an object", where, 'Write {"pinch": 50}')
    return {name: _number(number, where) for name, number in value.items()}


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "radius_mm": _number,
    "strength": _number,
    "hardness": _number,
    "spacing": _number,
    "auto_smooth": _number,
    "stabiliser": _number,
    "falloff": _falloff,
    "invert": _flag,
    "front_faces_only": _flag,
    "pressure_size": _flag,
    "pressure_strength": _flag,
    "method": _text,
    "jitter": _number,
    "alpha": _alpha,
    "alpha_angle": _number,
    "alpha_random": _number,
    "alpha_rake": _flag,
    "automask": _automask,
    "source": _place,
    "symmetry": _symmetry,
    "color": _color,
    "parameters": _parameters,
}
