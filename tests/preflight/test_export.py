"""Export: what other programs find in each format, what verification catches, and that the target survives failures."""

from __future__ import annotations

import errno
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lib3mf
import numpy as np
import plyfile
import pymeshlab
import pytest
import trimesh

from app.errors import Cancelled, InvalidInput, VerificationFailed, WriteFailed
from app.formats.opening import open_mesh
from app.formats.registry import Progress, WriteOptions, formats
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture
from app.preflight import placing
from app.preflight.export import export, export_in_worker, plain_profile
from app.preflight.profiles import PrinterProfile, profile, profiles
from tests.meshes import cube_soup, icosphere_soup, textured_soup

RADIUS = 50.0


def colored_soup() -> Soup:
    soup = icosphere_soup(3, RADIUS)
    soup.colors = (soup.positions / (2 * RADIUS) + 0.5).astype(np.float32)
    return soup


SOUPS: dict[str, Callable[[], Soup]] = {
    "textured": lambda: textured_soup(radius=RADIUS),
    "colored": colored_soup,
    "plain": lambda: icosphere_soup(3, RADIUS),
}


def easy(name: str, **changes: object) -> PrinterProfile:
    return replace(profile(name), target_triangles=0, products={}, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", SOUPS)
@pytest.mark.parametrize("name", list(profiles()))
def test_every_profile_exports_every_kind_of_mesh(tmp_path: Path, name: str, kind: str) -> None:
    wanted = profile(name)
    mesh = build_mesh(SOUPS[kind]())
    report = export(mesh, tmp_path / f"figure{wanted.suffix}", wanted, height_mm=150.0)
    assert report.checks
    assert all(check.ok for check in report.checks)
    assert report.size_mm == pytest.approx((150.0, 150.0, 150.0), abs=0.5)
    assert report.triangles == mesh.triangle_count
    assert sorted(report.files) == sorted(path for path in tmp_path.iterdir())  # nothing else is left behind
    assert report.bytes == sum(file.stat().st_size for file in report.files)
    has_color_check = any(check.name == "colour" for check in report.checks)
    assert has_color_check == (kind != "plain" and wanted.color != "none")


def test_3mf_as_lib3mf_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "figure.3mf"
    export(build_mesh(colored_soup()), path, easy("wjp"))
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    assert reader.GetWarningCount() == 0
    assert model.GetUnit() == lib3mf.ModelUnit.MilliMeter
    objects = model.GetMeshObjects()
    objects.MoveNext()
    found = objects.GetCurrentMeshObject()
    assert found.GetTriangleCount() == 1280
    assert found.IsManifoldAndOriented()
    box = model.GetOutbox()
    assert np.allclose(np.ravel(box.MaxCoordinate), RADIUS, atol=0.5)


def test_obj_as_meshlab_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "figure.obj"
    export(build_mesh(textured_soup(radius=RADIUS)), path, easy("grabcad-obj"))
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    found = meshes.current_mesh()
    assert found.face_number() == 960
    assert found.has_wedge_tex_coord()
    assert found.texture_number() == 1
    box = found.bounding_box()
    assert box.max() == pytest.approx([RADIUS] * 3, abs=0.5)


def test_ply_as_plyfile_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "figure.ply"
    soup = colored_soup()
    export(build_mesh(soup), path, easy("ply"))
    vertex = plyfile.PlyData.read(path)["vertex"]
    for axis, channel in zip("xyz", ("red", "green", "blue"), strict=True):
        assert np.abs(vertex[channel] - (vertex[axis] / (2 * RADIUS) + 0.5) * 255).max() <= 1


def test_stl_as_meshlab_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "figure.stl"
    export(build_mesh(colored_soup()), path, easy("stl"))
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    measures = meshes.get_geometric_measures()
    assert meshes.current_mesh().face_number() == 1280
    assert abs(measures["mesh_volume"]) == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)


@pytest.mark.parametrize(("kind", "told"), [("textured", 1), ("colored", 1), ("plain", 0)])
def test_colour_that_stl_cannot_hold_is_said(tmp_path: Path, kind: str, told: int) -> None:
    path = tmp_path / "figure.stl"
    for printer in (easy("stl"), plain_profile(path)):
        report = export(build_mesh(SOUPS[kind]()), path, printer)
        assert sum("colour is left out" in warning for warning in report.warnings) == told


def test_vrml_as_meshlab_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "figure.wrl"
    export(build_mesh(colored_soup()), path, easy("grabcad-vrml"))
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    found = meshes.current_mesh()
    assert found.face_number() == 1280
    wanted = found.vertex_matrix() / (2 * RADIUS) + 0.5
    assert np.abs(found.vertex_color_matrix()[:, :3] - wanted).max() < 1.5 / 255


def test_glb_is_in_metres_and_y_up(tmp_path: Path) -> None:
    path = tmp_path / "figure.glb"
    soup = textured_soup(radius=RADIUS)
    soup.positions = soup.positions * np.array([1, 1, 3], np.float32)
    export(build_mesh(soup), path, easy("glb"))
    scene = trimesh.load_scene(path, process=False)
    assert scene.extents == pytest.approx([0.1, 0.3, 0.1], abs=1e-3)


def test_a_zip_holds_the_obj_and_what_belongs_to_it(tmp_path: Path) -> None:
    path = tmp_path / "figure.zip"
    report = export(build_mesh(textured_soup(radius=RADIUS)), path, easy("obj-zip"))
    assert report.files == (path,)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["figure.mtl", "figure.obj", "figure.png"]
        assert b"map_Kd figure.png" in archive.read("figure.mtl")


@pytest.mark.parametrize("name", ["wjp", "grabcad-obj", "glb", "ply", "stl"])
def test_an_exported_file_opens_at_the_same_size(tmp_path: Path, name: str) -> None:
    wanted = profile(name)
    path = tmp_path / f"figure{wanted.suffix}"
    mesh = build_mesh(textured_soup(radius=RADIUS))
    export(mesh, path, wanted, height_mm=150.0)
    opened = open_mesh(path)
    assert opened.unit_known
    assert opened.mesh.size()[2] == pytest.approx(150.0, abs=1e-3)
    assert opened.mesh.triangle_count == mesh.triangle_count


def test_the_worker_gives_the_same_file(tmp_path: Path) -> None:
    mesh, steps = build_mesh(colored_soup()), []
    export(mesh, tmp_path / "here.ply", easy("ply"))
    report = export_in_worker(mesh, tmp_path / "there.ply", easy("ply"), lambda fraction, doing: steps.append(doing))
    assert (tmp_path / "here.ply").read_bytes() == (tmp_path / "there.ply").read_bytes()
    assert all(check.ok for check in report.checks)
    assert steps[-1] == "Checked"


def test_cancelling_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        export_in_worker(build_mesh(colored_soup()), tmp_path / "figure.ply", easy("ply"), cancelled=lambda: True)
    assert not list(tmp_path.iterdir())


def spoil(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Soup], Soup], after: object = None) -> None:
    """Let a format's writer write something else than it is given."""
    honest = formats()[name]

    def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
        assert honest.write is not None
        honest.write(change(soup), path, options, progress)
        if callable(after):
            after(path)

    monkeypatch.setitem(formats(), name, replace(honest, write=write))


def with_other_pixels(soup: Soup) -> Soup:
    material = soup.materials[0]
    assert material.texture is not None
    pixels = material.texture.pixels()[::-1]
    return replace(soup, materials=[replace(material, texture=Texture.from_pixels(pixels))])


SPOILED: dict[str, tuple[str, str, Callable[[Soup], Soup], str]] = {
    "a triangle lost": ("ply", "colored", lambda s: replace(s, triangles=s.triangles[1:]), "triangles 1,279"),
    "a tenth of a per cent larger": ("stl", "plain", lambda s: replace(s, positions=s.positions * 1.001), "corner"),
    "moved": ("stl", "plain", lambda s: replace(s, positions=s.positions + np.float32(0.1)), "corner"),
    "turned inside out": ("stl", "plain", lambda s: replace(s, triangles=s.triangles[:, ::-1]), "volume"),
    "mirrored": ("glb", "plain", lambda s: replace(s, positions=s.positions * [-1, 1, 1]), "volume"),
    "one vertex moved": ("wjp", "plain", lambda s: replace(s, positions=nudged(s.positions)), "corner"),
    "darker": ("ply", "colored", lambda s: replace(s, colors=s.colors * 0.9), "colour"),
    "red and blue exchanged": ("wjp", "colored", lambda s: replace(s, colors=s.colors[:, ::-1]), "colour"),
    "colours lost": ("wjp", "colored", lambda s: replace(s, colors=None), "no colour"),
    "texture upside down": ("wjp", "textured", with_other_pixels, "colour"),
    "coordinates upside down": ("grabcad-obj", "textured", lambda s: replace(s, uv=1 - s.uv), "colour"),
    "texture lost": (
        "glb",
        "textured",
        lambda s: replace(s, materials=[Material()], uv=None, corner_uv=None),
        "colour",
    ),
}


def nudged(positions: np.ndarray) -> np.ndarray:
    moved = positions.copy()
    moved[np.argmax(moved[:, 0]), 0] += 0.5
    return moved


@pytest.mark.parametrize("fault", SPOILED)
def test_a_file_that_is_not_the_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    name, kind, change, told = SPOILED[fault]
    wanted = easy(name)
    path = tmp_path / f"figure{wanted.suffix}"
    path.write_bytes(b"the customer's approved file")
    spoil(monkeypatch, wanted.format, change)
    with pytest.raises(VerificationFailed) as caught:
        export(build_mesh(SOUPS[kind]()), path, wanted)
    assert told in caught.value.what
    assert path.read_bytes() == b"the customer's approved file"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["wjp", "grabcad-obj", "glb", "ply", "stl", "obj-zip"])
def test_a_file_cut_short_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wanted = easy(name)
    path = tmp_path / f"figure{wanted.suffix}"

    def cut(written: Path) -> None:
        written.write_bytes(written.read_bytes()[: written.stat().st_size // 2])

    spoil(monkeypatch, wanted.format, lambda soup: soup, cut)
    with pytest.raises(VerificationFailed):
        export(build_mesh(colored_soup()), path, wanted)
    assert not list(tmp_path.iterdir())


def test_old_files_are_replaced_with_what_belongs_to_them(tmp_path: Path) -> None:
    for name in ("figure.obj", "figure.mtl", "figure.png"):
        (tmp_path / name).write_bytes(b"old")
    report = export(build_mesh(textured_soup()), tmp_path / "figure.obj", easy("grabcad-obj"))
    assert len(report.files) == 3
    assert all(file.read_bytes() != b"old" for file in report.files)


def test_when_renaming_fails_half_way_the_old_files_are_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("figure.obj", "figure.mtl"):  # the image is new
        (tmp_path / name).write_bytes(b"old")
    rename = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if self.name == "figure.obj":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(WriteFailed, match="no space left"):
        export(build_mesh(textured_soup()), tmp_path / "figure.obj", easy("grabcad-obj"))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"figure.obj": b"old", "figure.mtl": b"old"}


def test_a_disk_without_second_names_is_served_by_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*names: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(placing.os, "link", unsupported)
    path = tmp_path / "figure.stl"
    path.write_bytes(b"old")
    export(build_mesh(cube_soup()), path, easy("stl"))
    assert len(path.read_bytes()) == 84 + 12 * 50


@pytest.mark.parametrize("suffix", [".3mf", ".ply", ".obj"])
def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path: Path, suffix: str) -> None:
    """The limit on a file's size stands for the full disk: the writer meets the same failing write."""
    path = tmp_path / f"figure{suffix}"
    path.write_bytes(b"old")
    script = f"""
        import resource, sys
        from pathlib import Path
        from app.errors import WriteFailed
        from app.mesh.build import build_mesh
        from app.preflight.export import export, plain_profile
        from tests.preflight.test_export import colored_soup
        mesh, path = build_mesh(colored_soup()), Path({str(path)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        try:
            export(mesh, path, plain_profile(path))
        except WriteFailed as error:
            sys.exit(f"WriteFailed {{error}}")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert "WriteFailed" in done.stderr, done.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("missing/figure.stl", "folder does not exist"),
        ("taken.stl", "folder of this name"),
        ("n" * 300 + ".stl", "name is too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_with_advice(tmp_path: Path, place: str, told: str) -> None:
    (tmp_path / "taken.stl").mkdir()
    with pytest.raises(WriteFailed, match=told) as caught:
        export(build_mesh(cube_soup()), tmp_path / place, easy("stl"))
    assert caught.value.advice
    assert [file.name for file in tmp_path.iterdir()] == ["taken.stl"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "I/O error"),
    ],
)
def test_system_errors_become_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: str) -> None:
    def refuse(*args: object, **options: object) -> str:
        raise OSError(number, "Input/output error" if number == errno.EIO else "refused")

    monkeypatch.setattr(placing.tempfile, "mkdtemp", refuse)
    with pytest.raises(WriteFailed, match="(?i)" + told.replace("I/O", "input/output")) as caught:
        export(build_mesh(cube_soup()), tmp_path / "figure.stl", easy("stl"))
    assert caught.value.advice


def test_a_file_too_large_for_the_printer_is_not_left_there(tmp_path: Path) -> None:
    with pytest.raises(WriteFailed, match=r"would have .* MB"):
        export(build_mesh(colored_soup()), tmp_path / "figure.ply", easy("ply", max_file_mb=0.001))
    assert not list(tmp_path.iterdir())


def test_requests_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    mesh = build_mesh(cube_soup())
    with pytest.raises(InvalidInput, match=r"takes \.3mf files"):
        export(mesh, tmp_path / "figure.stl", easy("wjp"))
    with pytest.raises(InvalidInput, match="cannot be written"):
        export(mesh, tmp_path / "figure.xyz", easy("wjp", format="xyz", suffix=".xyz"))
    with pytest.raises(InvalidInput, match="the suffix"):
        export(mesh, tmp_path / "figure.stl", easy("wjp", suffix=".stl"))
    with pytest.raises(InvalidInput, match="height"):
        export(mesh, tmp_path / "figure.stl", easy("stl"), height_mm=-1.0)
    empty = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    with pytest.raises(InvalidInput, match="without triangles"):
        export(empty, tmp_path / "figure.stl", easy("stl"))
    with pytest.raises(InvalidInput, match=r'"\.docx" cannot be written'):
        plain_profile(tmp_path / "figure.docx")
    assert not list(tmp_path.iterdir())


def test_a_model_that_fails_its_profile_is_exported_with_a_warning(tmp_path: Path) -> None:
    report = export(build_mesh(cube_soup()), tmp_path / "figure.3mf", profile("wjp"))
    assert "12 of 1,600,000 triangles" in report.warnings[0]


def test_triangles_that_cover_nothing_are_left_out(tmp_path: Path) -> None:
    soup = cube_soup()
    soup.triangles = np.concatenate((soup.triangles, np.array([[0, 0, 1], [2, 2, 2]], np.int32)))
    report = export(build_mesh(soup), tmp_path / "figure.3mf", easy("wjp"))
    assert report.triangles == 12
    assert any("2 triangles" in warning for warning in report.warnings)


def test_a_texture_beyond_the_limit_is_reduced_and_said(tmp_path: Path) -> None:
    path = tmp_path / "figure.obj"
    report = export(build_mesh(textured_soup()), path, easy("grabcad-obj", texture_limit=32))
    assert any("64 x 32 pixels was reduced to 32" in warning for warning in report.warnings)
    image = open_mesh(path).mesh.materials[0].texture
    assert image is not None
    assert (image.width, image.height) == (32, 16)


def test_a_fine_pattern_on_a_coarse_mesh_is_no_fault_when_it_goes_onto_vertices(tmp_path: Path) -> None:
    soup = textured_soup(radius=RADIUS)
    noise = np.random.default_rng(5).integers(0, 256, (256, 256, 3), np.uint8)
    soup.materials = [Material(texture=Texture.from_pixels(noise))]
    report = export(build_mesh(soup), tmp_path / "figure.ply", easy("ply"))
    assert report.checks[-1].name == "colour"
    reduced = export(build_mesh(soup), tmp_path / "figure.obj", easy("grabcad-obj", texture_limit=100))
    assert reduced.checks[-1].name == "colour"


@pytest.mark.parametrize("name", ["wjp", "grabcad-obj", "grabcad-vrml", "glb", "ply"])
def test_dark_material_colours_on_shared_vertices(tmp_path: Path, name: str) -> None:
    soup = cube_soup(100.0)
    soup.materials = [Material(f"m{k}", (0.02 * k, 0.05, 0.9 - 0.15 * k)) for k in range(6)]
    soup.triangle_material = (np.arange(12) // 2).astype(np.int16)
    wanted = easy(name)
    report = export(build_mesh(soup), tmp_path / f"cube{wanted.suffix}", wanted)
    assert report.checks[-1].name == "colour"


def patchwork(repeat: float = 1.0) -> Mesh:
    """A sphere with two textures, one of them repeated, and a plain colour."""
    soup = textured_soup(radius=RADIUS)
    assert soup.uv is not None
    soup.uv = soup.uv * np.float32(repeat) - np.float32(3.0)
    stripes = np.zeros((48, 96, 3), np.uint8)
    stripes[:, :, 0] = np.linspace(0, 255, 96)[None, :]
    stripes[:, :, 1] = 200
    soup.materials += [Material("stripes", texture=Texture.from_pixels(stripes)), Material("plain", (0.9, 0.2, 0.1))]
    soup.triangle_material = (np.arange(len(soup.triangles)) * 3 // len(soup.triangles)).astype(np.int16)
    return build_mesh(soup)


@pytest.mark.parametrize("repeat", [1.0, 2.0])
def test_several_textures_become_one_for_printers_that_take_one(tmp_path: Path, repeat: float) -> None:
    path = tmp_path / "figure.obj"
    report = export(patchwork(repeat), path, easy("grabcad-obj"))
    assert any("put together into one" in warning for warning in report.warnings)
    assert len([file for file in report.files if file.suffix == ".png"]) == 1
    color = next(check for check in report.checks if check.name == "colour")
    assert color.ok
    assert float(color.found.split()[2]) < 2.0  # it would pass with more; packing should not cost that


def test_a_pattern_repeated_too_often_for_one_texture_is_refused(tmp_path: Path) -> None:
    soup = textured_soup()
    assert soup.corner_uv is not None
    assert soup.uv is not None
    soup.uv = soup.uv * np.float32(400.0)  # each triangle spans a dozen copies
    soup.materials.append(Material("plain", (1.0, 0.0, 0.0)))
    soup.triangle_material = (np.arange(len(soup.triangles)) % 2).astype(np.int16)
    with pytest.raises(InvalidInput, match="repeated"):
        export(build_mesh(soup), tmp_path / "figure.obj", easy("grabcad-obj"))


def test_several_textures_stay_several_where_the_printer_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "figure.3mf"
    export(patchwork(), path, easy("wjp"))
    with zipfile.ZipFile(path) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 2
