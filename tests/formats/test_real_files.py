"""Every shared file of these formats: the counts of independent tools, or a refusal whose reason is known.

FILES.csv has triangles and vertices (after merging equal positions) by trimesh, assimp and lib3mf.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from app.errors import UnreadableFile
from app.formats.registry import Limits, format_of, no_progress
from app.mesh.build import build_mesh

_IDS = ("obj", "ply", "stl", "3mf", "vrml")
_SUFFIXES = (".obj", ".ply", ".stl", ".3mf", ".wrl")

# What has nothing to sculpt, and what our reader says of it.
_REFUSED = {
    "broken_meshes/draco/inf_nan.obj": "all numbers",
    "broken_meshes/trimesh/empty.obj": "no triangles",
    "broken_meshes/trimesh/empty.ply": "no triangles",
    "broken_meshes/trimesh/empty.stl": "no triangles",
    "broken_meshes/trimesh/points_emptyface.ply": "point cloud",
    "formats_zoo/mtl_obj/Online3DViewer/lines_in_meshes.obj": "only points or lines",
    "formats_zoo/obj/assimp/point_cloud.obj": "only points or lines",
    "formats_zoo/obj/assimp/testline.obj": "only points or lines",
    "formats_zoo/obj/tinyobjloader/line-prim.obj": "only points or lines",
    "formats_zoo/obj/tinyobjloader/points-prim.obj": "only points or lines",
    "formats_zoo/ply/assimp/points.ply": "point cloud",
    # Their XML uses a name space that it never declares.
    "3mf/3mf-samples-examples/material/multiprop-metallic.3mf": "XML",
    "3mf/3mf-samples-examples/material/multiprop-translucent.3mf": "XML",
}

# Triangles and vertices where the tools behind FILES.csv read nothing, or something else.
_OURS = {
    # trimesh counts negative indices from the end of the file, not from the line they stand in.
    "formats_zoo/mtl_obj/Online3DViewer/texture_parameters.obj": (8, 10),
    "formats_zoo/obj/obj2gltf/box-negative-indices/box-negative-indices.obj": (12, 8),
    "formats_zoo/obj/tinyobjloader/cornell_box.obj": (36, 28),
    "formats_zoo/obj/tinyobjloader/missing_material_file.obj": (36, 28),
    # Comments, bytes that are no UTF-8 in the header, face lists beside other properties.
    "formats_zoo/stl/prusaslicer-variants/single_triangle_with_comments.stl": (1, 3),
    "formats_zoo/ply/draco/Box.ply": (12, 8),
    "formats_zoo/ply/draco/delim_test.ply": (12, 9),
    "formats_zoo/ply/happly/platonic_shelf.ply": (80, 50),
    "formats_zoo/ply/happly/platonic_shelf_big_endian.ply": (80, 50),
    # Two parts of four triangles; trimesh counts them once more as objects of their own.
    "3mf/assimp-3mf/production_components.3mf": (8, 8),
    # Vertices of touching parts fall together after a transform in float32.
    "3mf/trimesh-3mf/counterXP.3MF": (83750, 41837),
    "3mf/trimesh-3mf/pyramids.3mf": (3276, 1662),
    "formats_zoo/vrml/threejs/creaseAngle.wrl": (28, 21),
    "formats_zoo/vrml/threejs/crystal.wrl": (32, 18),
    "formats_zoo/vrml/threejs/house.wrl": (1512, 636),
    "formats_zoo/vrml/threejs/meshWithTexture.wrl": (32, 25),
}


def test_counts_agree_with_other_tools(shared: Path) -> None:
    rows = {row["file"]: row for row in csv.DictReader((shared / "FILES.csv").read_text().splitlines())}
    wrong, read = [], 0
    for path in sorted(shared.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        name = str(path.relative_to(shared))
        file_format = format_of(path)
        assert file_format.id in _IDS, name
        assert file_format.read is not None
        if name in _REFUSED:
            with pytest.raises(UnreadableFile, match=_REFUSED[name]):
                file_format.read(path, Limits(), no_progress)
            continue
        soup = file_format.read(path, Limits(), no_progress)
        found = len(soup.triangles), build_mesh(soup).vertex_count
        row = rows[name]
        expected = _OURS.get(name) or (int(row["tris"]), int(row["verts_unique"]))
        read += 1
        if found != expected:
            wrong.append((name, found, expected))
    assert wrong == []
    assert read > 100


@pytest.mark.parametrize(
    ("name", "colored", "textures"),
    [
        ("ai_generated/triposr_chair_vcolor.obj", True, 0),
        ("scans/spot_textured/spot.obj", False, 1),
        ("scans/meshroom_photogrammetry/texturedMesh.obj", False, 1),
        ("formats_zoo/obj/obj2gltf/box-windows-paths/box-windows-paths.obj", False, 1),
        ("formats_zoo/obj/obj2gltf/box-subdirectories/box-textured.obj", False, 1),
        ("formats_zoo/obj/obj2gltf/box-texture-options/box-texture-options.obj", False, 1),
        ("formats_zoo/mtl_obj/Online3DViewer/cube with white spaces.obj", False, 1),
        ("formats_zoo/ply/threejs/ascii/dolphins_colored.ply", True, 0),
        ("formats_zoo/stl/threejs/binary/colored.stl", True, 0),
        ("3mf/3mf-samples-examples/material/pyramid_vertexcolor.3mf", True, 0),
        ("3mf/3mf-samples-examples/material/multipletextures.3mf", False, 2),
        ("3mf/3mf-samples-examples/material/sphere_logo.3mf", False, 1),
    ],
)
def test_colors_arrive(shared: Path, name: str, colored: bool, textures: int) -> None:
    reader = format_of(shared / name).read
    assert reader is not None
    soup = reader(shared / name, Limits(), no_progress)
    assert (soup.colors is not None) == colored
    assert sum(material.texture is not None for material in soup.materials) == textures
    if colored and soup.colors is not None:
        assert soup.colors.min() >= 0
        assert soup.colors.std() > 0.01
