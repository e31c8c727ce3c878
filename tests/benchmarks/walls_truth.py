"""How far walls of real models are from those of a slow judge, and from rays: python -m tests.benchmarks.walls_truth

The judge and the rays are those of `tests.preflight.test_real_walls`, here on more files and more vertices.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from app.formats.opening import open_mesh
from app.mesh.transform import scaled_to_height
from tests.benchmarks.retarget_truth import DATA, FILES
from tests.preflight.test_real_walls import compared

_HEIGHT_MM = 150.0


def main() -> None:
    """Print a line for each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[DATA / name for name in FILES])
    parser.add_argument("--vertices", type=int, default=200)
    args = parser.parse_args()
    sys.stdout.write(f"{'file':<32}{'asked':>7}{'farthest from the judge':>26}{'part of the ray: median, most':>32}\n")
    for path in args.files:
        mesh = scaled_to_height(open_mesh(path).mesh, _HEIGHT_MM)
        walls, slow, rays = compared(mesh, args.vertices)
        apart, part = np.abs(walls / slow - 1).max(), walls / rays
        sys.stdout.write(
            f"{path.name:<32}{len(walls):>7}{100 * apart:>24.2f} %{np.median(part):>24.2f}{part.max():>8.3f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
