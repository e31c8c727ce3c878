"""How long operations on density take, and how much memory: python -m tests.benchmarks.operations [FILE]

Each runs in a worker process as in the program, with colour carried over and its change measured: once so that kernels
are compiled and in the cache, then timed. FILE: a textured model of about 200,000 triangles; by default the bust of the
shared data, or a textured ball where that is not there.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from app.formats.opening import open_mesh
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.transform import scaled_to_height
from app.operations.running import apply, apply_in_worker
from tests.meshes import textured_soup

BUST = Path(__file__).parents[3] / "shared" / "data" / "scans" / "venus_bust_draco_webp.glb"
CASES = (
    ("retarget", {"triangles": 1_600_000}, "small"),
    ("retarget", {"triangles": 1_600_000, "follow_curvature": True}, "small"),
    ("retarget", {"triangles": 1_600_000}, "large"),
    ("decimate", {"keep": 50.0}, "large"),
    ("remesh", {"edge": 0.26}, "small"),
    ("smooth_surface", {"strength": 20.0}, "large"),
)


def model(path: Path) -> Mesh:
    """The small model, 150 mm tall."""
    mesh = open_mesh(path).mesh if path.is_file() else build_mesh(textured_soup(320, 320))
    return scaled_to_height(mesh, 150.0)


def main() -> None:
    """Print a line per case."""
    small = model(Path(sys.argv[1]) if len(sys.argv) > 1 else BUST)
    models = {"small": small, "large": apply(small, "retarget", {"triangles": 3_200_000}).mesh}
    print(f"{'operation':<16} {'before':>10} {'after':>10} {'seconds':>8} {'dE mean':>8} {'dE 95%':>7}  values")  # noqa: T201
    for operation, values, size in CASES:
        mesh = models[size]
        apply_in_worker(small, operation, values)
        start = time.perf_counter()
        outcome = apply_in_worker(mesh, operation, values)
        seconds = time.perf_counter() - start
        change = outcome.color_change
        assert change is not None
        print(  # noqa: T201
            f"{operation:<16} {outcome.triangles_before:>10,} {outcome.triangles_after:>10,} {seconds:>8.1f} "
            f"{change.mean:>8.3f} {change.p95:>7.3f}  {values}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"most memory of a worker: {peak:.1f} GiB")  # noqa: T201


if __name__ == "__main__":
    main()
