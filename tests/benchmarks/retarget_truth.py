"""How far retargeting takes a real model from its shape and colour: python -m tests.benchmarks.retarget_truth [FILE...]

At 150 mm height, to just more triangles than it had, to twice as many, and to the target. The
distance is the Hausdorff distance as PyMeshLab measures it, from both sides, from every vertex and from samples on
edges and faces; the distance must stay under 0.02 mm where the result is at least as dense as the input was.
Measured values only: what must hold is tested in `tests/operations`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.formats.opening import open_mesh
from app.mesh.transform import scaled_to_height
from app.operations.retarget import TARGET
from app.operations.running import apply
from tests.operations.checks import hausdorff

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = (
    "ai_generated/trellis_shark.glb",
    "ai_generated/rodin_zombie_person.glb",
    "ai_generated/hunyuan3d_room.glb",
    "ai_generated/triposr_chair_vcolor.obj",
    "ai_generated/trellis_vine_totem.glb",
    "scans/venus_bust_draco_webp.glb",
    "scans/skull_scan_textured.glb",
    "scans/koala.obj",
    "scans/lee_perry_smith/LeePerrySmith.glb",
)
_HEIGHT_MM = 150.0
_SAMPLES = 300_000


def main() -> None:
    """Print a line for each file and number of triangles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[DATA / name for name in FILES])
    parser.add_argument("--samples", type=int, default=_SAMPLES)
    args = parser.parse_args()
    sys.stdout.write(
        f"{'file':<32}{'before':>10}{'wanted':>10}{'after':>10}{'apart mm':>10}{'dE mean':>9}{'dE 95%':>8}\n"
    )
    for path in args.files:
        mesh = scaled_to_height(open_mesh(path).mesh, _HEIGHT_MM)
        count = mesh.triangle_count
        for wanted in sorted({count + 2, 2 * count, TARGET}):
            outcome = apply(mesh, "retarget", {"triangles": wanted})
            apart, change = hausdorff(mesh, outcome.mesh, args.samples), outcome.color_change
            color = f"{change.mean:>10.3f}{change.p95:>10.3f}" if change else ""
            line = f"{path.name:<32}{count:>10,}{wanted:>10,}{outcome.triangles_after:>10,}{apart:>10.4f}{color}\n"
            sys.stdout.write(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
