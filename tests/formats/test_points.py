"""Scans without a surface, whatever they come in: told what they are, and what to export instead."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from app.errors import UnreadableFile
from app.formats.opening import open_mesh
from tests.formats.gltf_files import Glb, tetrahedron
from tests.formats.usd_files import save

_SPLAT_NAMES = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "rot_0"]


def _ply(names: list[str], count: int) -> bytes:
    lines = "".join(f"property float {name}\n" for name in names)
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n{lines}end_header\n"
    return head.encode() + np.zeros((count, len(names)), "<f4").tobytes()


def _points_glb(*extensions: str) -> bytes:
    glb = Glb()
    attributes = {"POSITION": glb.accessor(np.zeros((5, 3), np.float32))}
    glb.mesh({"attributes": attributes, "mode": 0})
    glb.scene({"mesh": 0})
    if extensions:
        glb.data["extensionsUsed"] = list(extensions)
    return glb.bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ply", _ply(_SPLAT_NAMES, 3)),
        ("a.ply", _ply(["packed_position", "packed_rotation", "packed_scale", "packed_color"], 3)),
        ("a.splat", bytes(range(64)) * 3),
        ("a.ksplat", b"\0\1" + bytes(4094)),
        ("a.spz", gzip.compress(b"NGSP\3\0\0\0" + bytes(300), mtime=0)),
        ("downloaded", gzip.compress(b"NGSP\2\0\0\0", mtime=0)),
        ("a.spz", b"NGSP\4\0\0\0" + bytes(300)),
        ("a.sog", b"PK\3\4" + bytes(300)),
        ("a.glb", _points_glb("KHR_gaussian_splatting")),
        ("a.usda", b'#usda 1.0\ndef ParticleField3DGaussianSplat "A"\n{\n}\n'),
    ],
)
def test_gaussian_splats(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match="is a Gaussian splat") as caught:
        open_mesh(tmp_path / name)
    assert "Polycam" in caught.value.advice
    assert "GLB" in caught.value.advice


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ply", _ply(["x", "y", "z", "red"], 7), "is a point cloud of 7 points"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "only points or lines"),
        ("a.off", b"OFF\n2 0 0\n0 0 0\n1 1 1\n", "is a point cloud of 2 points"),
        ("a.glb", _points_glb(), "is a point cloud of 5 points"),
        ("a.las", b"LASF" + bytes(300), "is a point cloud"),
        ("scan", b"ASTM-E57" + bytes(300), "is a point cloud"),
        ("a.pcd", b"# .PCD v.7\nVERSION .7\nFIELDS x y z\n", "is a point cloud"),
        ("a.xyz", b"0.5 1.5 2.5\n1 2 3\n", "is a point cloud"),
        (
            "a.usda",
            b'#usda 1.0\ndef Points "A"\n{\n    point3f[] points = [(0, 0, 0)]\n}\n',
            "a point cloud of 1 points",
        ),
    ],
)
def test_point_clouds(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=words) as caught:
        open_mesh(tmp_path / name)
    assert "as a mesh" in caught.value.advice


def test_points_beside_a_surface_do_not_hide_it(tmp_path: Path) -> None:
    glb = tetrahedron()
    attributes = glb.data["meshes"][0]["primitives"][0]["attributes"]
    glb.data["meshes"][0]["primitives"].append({"attributes": attributes, "mode": 0})
    (tmp_path / "a.glb").write_bytes(glb.bytes())
    assert open_mesh(tmp_path / "a.glb").mesh.triangle_count == 4
    text = 'def Mesh "M"\n{\n    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]\n'
    text += '    int[] faceVertexCounts = [3]\n    int[] faceVertexIndices = [0, 1, 2]\n}\ndef Points "P"\n{\n}\n'
    assert open_mesh(save(tmp_path / "a.usda", text)).mesh.triangle_count == 1


def test_other_unknown_files_are_not_called_scans(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_bytes(gzip.compress(b"hello"))
    with pytest.raises(UnreadableFile, match="is not a mesh format that Likeness reads") as caught:
        open_mesh(tmp_path / "a.doc")
    assert {"FBX", "USDZ", "DAE", "OFF"} <= {word.strip(",") for word in caught.value.advice.split()}
