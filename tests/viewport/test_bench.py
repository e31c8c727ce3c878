from __future__ import annotations

import numpy as np

from app.viewport.bench import bench_frame, bench_upload
from tests.meshes import sphere


def test_upload_times_are_measured_and_leave_the_mesh_alone():
    mesh = sphere(5)
    before = mesh.positions.copy(), mesh.normals.copy()
    row = bench_upload(mesh, vertices=5000, rounds=3)
    assert row["vertices"] == 5000
    assert row["sub_range_ms"] > 0
    assert row["sub_range_finish_ms"] >= row["sub_range_ms"]
    assert row["rebuild_finish_ms"] >= 0
    np.testing.assert_array_equal(before[0], mesh.positions)
    np.testing.assert_allclose(before[1], mesh.normals, atol=1e-6)


def test_frames_are_timed_once_per_change():
    mesh = sphere(4)
    calls = []
    rows = np.arange(100, dtype=np.int32)

    def change():
        calls.append(1)
        mesh.positions[rows] *= np.float32(1.001)
        mesh.touched("positions", rows)

    row = bench_frame(mesh, change, rounds=5)
    assert len(calls) == 6
    assert 0 < row["median_ms"] <= row["p95_ms"] <= row["max_ms"]
