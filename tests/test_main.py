"""The command itself: where there can be no window it says so in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.__main__ import main


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone.glb")]) == 2
    assert "gone.glb: there is no such file or command" in capsys.readouterr().err


def test_no_display_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    file = tmp_path / "bust.glb"
    file.touch()
    assert main([str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
