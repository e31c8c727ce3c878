"""The job without a display, as a user starts it: a process with no screen, in a folder that is not the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from app import headless
from app.errors import LikenessError
from app.mesh.build import build_mesh
from app.sculpt.brush import brushes
from tests import meshes


def _start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-P", "-m", "app.headless", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_whole_job_on_the_sample(tmp_path: Path) -> None:
    result = _start(tmp_path)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["likeness-sample.3mf", "likeness-sample.png"]
    for name in ("likeness-sample.3mf", "likeness-sample.png"):
        assert str(tmp_path / name) in result.stdout
    for brush in brushes().values():
        assert f"{brush.label}: " in result.stdout
        assert f"{brush.label}: 0 " not in result.stdout
    assert "equal to the bit" in result.stdout
    printed = trimesh.load(tmp_path / "likeness-sample.3mf", force="mesh", process=False)
    assert 95_000 < len(printed.faces) < 105_000
    assert printed.extents[2] == pytest.approx(headless.SAMPLE_HEIGHT_MM, abs=0.01)
    picture = np.asarray(Image.open(tmp_path / "likeness-sample.png").convert("RGB"), float)
    middle = picture[picture.shape[0] // 4 : picture.shape[0] // 2, picture.shape[1] // 3 : -picture.shape[1] // 3]
    assert (middle[..., 0] > middle[..., 2] + 30).mean() > 0.3  # skin and hair, warmer than the grey behind


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = _start(tmp_path, "missing.glb")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "missing.glb" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("soup", [meshes.textured_soup(96, 48, 50.0), meshes.icosphere_soup(5, 50.0)])
def test_every_brush_and_back(soup: meshes.Soup, capsys: pytest.CaptureFixture[str]) -> None:
    mesh = build_mesh(soup)
    before = mesh.positions.copy()
    sculpted = headless.sculpt_with_every_brush(mesh)
    assert not np.array_equal(sculpted.positions, before)
    assert np.isfinite(sculpted.positions).all()
    assert sculpted.has_texture == mesh.has_texture
    told = capsys.readouterr().out
    assert all(f"{brush.label}: " in told and f"{brush.label}: 0 " not in told for brush in brushes().values())


def test_a_difference_after_undo_is_an_error() -> None:
    mesh = meshes.sphere(2)
    before = headless._state(mesh)
    mesh.positions[3, 1] = np.nextafter(mesh.positions[3, 1], np.float32(99))
    with pytest.raises(LikenessError, match="undo did not bring back the positions"):
        headless._must_equal(before, headless._state(mesh), "undo")
