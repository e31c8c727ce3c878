"""Alphas: where the image lies on the surface, mirrored and turned; files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import InvalidInput, LikenessError, UnreadableFile
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.sculpt import alphas
from app.sculpt.alpha import Alpha
from app.sculpt.symmetry import Symmetry
from tests.meshes import grid_soup
from tests.sculpting import samples, stroke

# White in the upper right quarter.
CORNER = np.zeros((64, 64), np.float32)
CORNER[:32, 32:] = 1
ALPHA = Alpha("corner", CORNER)


def wall() -> Mesh:
    """A flat wall that stands upright and looks along -y: to the right is +x, up is +z."""
    soup = grid_soup(60)
    soup.positions = np.ascontiguousarray(soup.positions[:, [0, 2, 1]] * [1, -1, 1], np.float32)
    mesh = build_mesh(soup)
    assert mesh.normals[:, 1].max() < -0.9
    return mesh


def stamped(mesh: Mesh, center: tuple[float, float], to: tuple[float, float] | None = None, **changes) -> np.ndarray:
    """(V,) bool: what one dab, or a drag, raised."""
    before = mesh.positions.copy()
    points = [np.array([x, 0.0, z]) for x, z in (center, *([to] if to else []))]
    path = samples(points, np.array([0.0, -1.0, 0.0]))
    stroke(mesh, "draw", path, radius_mm=3.0, alpha=ALPHA, falloff=alpha_falloff(), **changes)
    return (mesh.positions != before).any(axis=1)


def alpha_falloff():
    from app.sculpt.falloff import Falloff

    return Falloff("constant")


def quarters(mesh: Mesh, raised: np.ndarray, center: tuple[float, float]) -> set[tuple[bool, bool]]:
    """Quarters around a centre, (right of it, above it), in which most vertices were raised."""
    away = mesh.positions[:, [0, 2]] - np.array(center)
    near = (np.linalg.norm(away, axis=1) < 2.5) & (np.abs(away).min(axis=1) > 0.4)
    found = set()
    for right in (False, True):
        for above in (False, True):
            quarter = near & ((away[:, 0] > 0) == right) & ((away[:, 1] > 0) == above)
            assert quarter.sum() > 3
            if raised[quarter].mean() > 0.5:
                found.add((right, above))
    return found


def test_a_stamp_stands_upright_as_wide_as_the_dab():
    mesh = wall()
    assert quarters(mesh, stamped(mesh, (0.0, 0.0)), (0.0, 0.0)) == {(True, True)}


@pytest.mark.parametrize(("angle", "quarter"), [(90, (False, True)), (180, (False, False)), (-90, (True, False))])
def test_it_turns_counter_clockwise(angle: float, quarter: tuple[bool, bool]):
    mesh = wall()
    assert quarters(mesh, stamped(mesh, (0.0, 0.0), alpha_angle=angle), (0.0, 0.0)) == {quarter}


def test_a_mirror_shows_the_mirrored_image():
    mesh = wall()
    raised = stamped(mesh, (5.0, 0.0), symmetry=Symmetry((True, False, False)))
    assert quarters(mesh, raised, (5.0, 0.0)) == {(True, True)}
    assert quarters(mesh, raised, (-5.0, 0.0)) == {(False, True)}
    mesh = wall()
    raised = stamped(mesh, (0.0, 5.0), symmetry=Symmetry((False, False, True)))
    assert quarters(mesh, raised, (0.0, -5.0)) == {(True, False)}


def test_a_dragged_stamp_points_its_top_where_the_drag_goes():
    mesh = wall()
    raised = stamped(mesh, (0.0, 0.0), to=(3.0, 0.0), method="anchored")
    assert quarters(mesh, raised, (0.0, 0.0)) == {(True, False)}  # upper right of a stamp whose top looks right


def test_a_raked_stamp_follows_the_stroke():
    mesh = wall()
    raised = stamped(mesh, (-9.0, 0.0), to=(9.0, 0.0), alpha_rake=True, spacing=0.5)
    away = mesh.positions[:, [0, 2]]
    middle = (np.abs(away[:, 0]) < 5) & (np.abs(away[:, 1]) < 2.5)
    assert raised[middle & (away[:, 1] < -0.5)].mean() > 0.9
    assert raised[middle & (away[:, 1] > 0.5)].mean() < 0.1


def test_our_own_alphas_are_made_by_the_script_and_fade_to_black():
    ours = [alpha_id for alpha_id, path in alphas.alpha_files().items() if alphas.user_folder() not in path.parents]
    wanted = {"pores", "wrinkle", "hair-strand", "fabric-weave", "knit", "leather", "stipple", "scratch"}
    assert wanted <= set(ours)
    for alpha_id in ours:
        image = alphas.load_alpha(alpha_id).image
        assert image.max() > 0.9
        edge = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
        assert edge.max() < 0.05


def write_png(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels, mode).save(path)
    return path


def test_the_users_own_png_is_read_as_luma_with_clear_as_black(tmp_path: Path):
    pixels = np.zeros((2, 4, 4), np.uint8)
    pixels[0, :, :3], pixels[0, :, 3] = 255, (255, 128, 0, 255)
    pixels[1, :, 3] = 255
    pixels[1, 0, 1] = 255
    image = alphas.read_alpha(write_png(tmp_path / "own.png", pixels, "RGBA"))
    np.testing.assert_allclose(image[0], [1, 128 / 255, 0, 1], atol=1e-6)
    np.testing.assert_allclose(image[1], [0.7152, 0, 0, 0], atol=1e-6)
    deep = alphas.read_alpha(write_png(tmp_path / "deep.png", np.array([[0, 32768, 65535]], np.uint16)))
    np.testing.assert_allclose(deep, [[0, 32768 / 65535, 1]], atol=1e-6)


def test_a_users_alpha_is_found_and_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path))
    write_png(alphas.user_folder() / "pores.png", np.full((3, 3), 51, np.uint8))
    assert alphas.load_alpha("pores").image[1, 1] == pytest.approx(0.2)
    with pytest.raises(LikenessError, match="no alpha"):
        alphas.load_alpha("../../pores")


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_image_is_said_to_be_none(tmp_path: Path, content: bytes):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile):
        alphas.read_alpha(path)


def test_other_kinds_and_huge_images_are_refused(tmp_path: Path):
    path = tmp_path / "gif.png"
    Image.new("L", (4, 4)).save(path, "GIF")
    with pytest.raises(UnreadableFile):
        alphas.read_alpha(path)
    with pytest.raises(UnreadableFile, match="pixels"):
        alphas.read_alpha(write_png(tmp_path / "wide.png", np.zeros((1, 5000), np.uint8)))
    with pytest.raises(InvalidInput):
        Alpha("none", np.zeros((0, 3), np.float32))
