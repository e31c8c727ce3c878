"""The values an operation's form begins with: what suits the printer and the model, then what was given last;
a mirror stands where that of the brushes does.

What does not live here: the form (`operation_dialog`), checking values (`app.operations`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.operations.operation import Integer, Number, Operation, Parameter
from app.preflight.profiles import PrinterProfile
from app.sculpt.symmetry import AXES, Symmetry
from app.settings import Settings

_KEY = "operations/values"


def defaults(operation: Operation, mesh: Mesh | None, profile: PrinterProfile) -> dict[str, Any]:
    """Values that suit the mesh and the printer; those of the declaration for the rest."""
    values = operation.defaults(mesh)
    for parameter in operation.parameters:
        if isinstance(parameter, Integer) and parameter.profile_field:
            wish = int(getattr(profile, parameter.profile_field))
            if wish:
                values[parameter.id] = min(max(wish, parameter.minimum), parameter.maximum)
    return values


def initial(operation: Operation, mesh: Mesh | None, profile: PrinterProfile, settings: Settings) -> dict[str, Any]:
    """As `defaults`, with what the user gave last time where neither the mesh nor the printer has a say."""
    values = defaults(operation, mesh, profile)
    last = _all(settings).get(operation.id)
    for parameter in operation.parameters:
        if isinstance(last, Mapping) and parameter.id in last and not _depends(parameter):
            try:
                values[parameter.id] = parameter.checked(last[parameter.id])
            except InvalidInput:
                continue  # of another version, or edited by hand
    return values


def mirror_plane(operation: Operation, symmetry: Symmetry) -> dict[str, Any]:
    """Values for an operation that has a mirror: the plane that brushes mirror across now, or else the one of X."""
    parameters = {parameter.id: parameter for parameter in operation.parameters}
    if not {"axis", "at"} <= set(parameters):
        return {}
    axis = symmetry.axes.index(True) if any(symmetry.axes) else 0
    at = parameters["at"]
    assert isinstance(at, Number)
    return {"axis": AXES[axis], "at": min(max(symmetry.origin[axis], at.minimum), at.maximum)}


def remember(operation: Operation, values: Mapping[str, Any], settings: Settings) -> None:
    """Keep values for the next time."""
    kept = {parameter.id: values[parameter.id] for parameter in operation.parameters if not _depends(parameter)}
    if kept:
        settings.set(_KEY, {**_all(settings), operation.id: kept})


def _depends(parameter: Parameter) -> bool:
    if isinstance(parameter, Integer) and parameter.profile_field:
        return True
    return isinstance(parameter, Number | Integer) and parameter.suggest is not None


def _all(settings: Settings) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return settings.get(_KEY, nothing)
