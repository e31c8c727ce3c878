"""Add a stand: a disc or a box under the feet."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.operations.operation import Choice, Number, Progress, Result, Toggle, operation
from app.operations.painting import INSIDE, painted_plain
from app.operations.repair import size_of
from app.operations.shapes import box, cylinder
from app.operations.solids import united, why_not_solid
from app.operations.surface import Surface, joined

# What is within this part of the height above the lowest point has to find room on the stand.
_FEET = 0.05
_COLORS = {"white": INSIDE, "grey": (0.5, 0.5, 0.5), "black": (0.08, 0.08, 0.08)}


@operation(
    id="add_stand",
    label="Add a stand",
    group="Print",
    tooltip="Puts a disc or a box under the feet",
    parameters=(
        Choice("shape", "Shape", (("disc", "Disc"), ("box", "Box")), "disc", "Round or with corners"),
        Number("height", "Height", "mm", 0.5, 100.0, 4.0, "From the ground to the top of the stand"),
        Number("margin", "Margin", "mm", 0.0, 100.0, 4.0, "How far the stand reaches beyond the feet"),
        Number("sink", "Sink in", "mm", 0.0, 50.0, 0.5, "How deep the feet stand in it; a little gives a firm hold"),
        Choice(
            "color",
            "Colour",
            (("white", "White"), ("grey", "Grey"), ("black", "Black"), ("feet", "Like the feet")),
            "white",
            "What the stand looks like; it can be painted afterwards",
        ),
        Toggle("unite", "Make one body", True, "Unites figure and stand; otherwise the stand is a shell of its own"),
    ),
    order=40,
)
def add_stand(
    mesh: Mesh, progress: Progress, *, shape: str, height: float, margin: float, sink: float, color: str, unite: bool
) -> Result:
    figure = Surface.of(mesh)
    reason = why_not_solid(figure) if unite else None
    if reason is not None:
        raise InvalidInput(f"the stand cannot be united with the figure: {reason}", "", 'Run "Clean up" first')
    progress(0.2, "Making the stand")
    lowest, tall = float(mesh.bounds()[0][2]), float(mesh.size()[2])
    feet = figure.positions[figure.positions[:, 2] <= lowest + max(_FEET * tall, sink)][:, :2].astype(np.float64)
    lower, upper = feet.min(axis=0), feet.max(axis=0)
    top = lowest + sink
    if shape == "disc":
        middle = (lower + upper) / 2
        stand = cylinder(middle, np.linalg.norm(feet - middle, axis=1).max() + margin, top - height, top)
    else:
        stand = box(lower - margin, upper + margin, top - height, top)
    whole = joined(figure, stand)
    rows = np.arange(len(figure.triangles), len(whole.triangles))
    whole = painted_plain(whole, rows, _COLORS.get(color) or _of_feet(figure, lowest))
    progress(0.4, "Uniting figure and stand" if unite else "Putting the mesh together")
    result = (united(whole) if unite else whole).mesh()
    return Result(result, [f"Figure and stand together are {result.size()[2]:.1f} mm tall."])


def _of_feet(figure: Surface, lowest: float) -> tuple[float, float, float]:
    """Mean colour of the triangles that reach lowest."""
    near = lowest + _FEET * size_of(figure.positions)
    rows = np.flatnonzero((figure.positions[figure.triangles][:, :, 2] <= near).any(axis=1))
    red, green, blue = figure.looks(rows).reshape(-1, 3).mean(axis=0)
    return float(red), float(green), float(blue)
