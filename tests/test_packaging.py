"""packaging/dev.py says plainly what is missing, mends what was interrupted, and is at once done when nothing is to do;
the import rules bite; the wheel holds everything."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY

DEV = REPOSITORY / "packaging" / "dev.py"


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with an environment folder of its own."""
    spec = importlib.util.spec_from_file_location("likeness_dev", DEV)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ENVIRONMENT", tmp_path / "venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / "venv" / "finished")
    monkeypatch.setattr(module, "missing_packages", lambda display, testing: {})
    return module


def _fake_steps(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, failing: str = "") -> list[list[str]]:
    """Replace the commands of the set-up by ones that only leave an interpreter behind. Returns what was called."""
    called: list[list[str]] = []

    def call(command: list[str], cwd: Path | None = None) -> int:
        called.append(command)
        Path(dev.python()).parent.mkdir(parents=True, exist_ok=True)
        Path(dev.python()).touch()
        return int(bool(failing) and failing in command)

    monkeypatch.setattr(dev, "call", call)
    return called


def test_set_up_once_then_instantly(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    called = _fake_steps(dev, monkeypatch)
    dev.setup(display=True)
    assert any("--require-hashes" in command for command in called)
    done = len(called)
    dev.setup(display=True)
    assert len(called) == done


def test_interrupted_set_up_starts_over(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_steps(dev, monkeypatch, failing="--require-hashes")
    with pytest.raises(dev.Stop, match=r"run the\s+same command again"):
        dev.setup(display=True)
    assert not dev.is_set_up()
    called = _fake_steps(dev, monkeypatch)
    dev.setup(display=True)
    assert "--clear" in called[0]
    assert dev.is_set_up()


@pytest.mark.parametrize("change", ["lock", "python", "folder", "interpreter gone"])
def test_set_up_again_when_something_changed(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    _fake_steps(dev, monkeypatch)
    dev.setup(display=True)
    assert dev.is_set_up()
    if change == "lock":
        lock = tmp_path / "lock"
        lock.write_bytes(dev.LOCK.read_bytes() + b"\n")
        monkeypatch.setattr(dev, "LOCK", lock)
    elif change == "python":
        monkeypatch.setattr(sys, "version_info", (3, 10, 0, "final", 0))
    elif change == "folder":
        monkeypatch.setattr(dev, "ROOT", tmp_path)
    else:
        Path(dev.python()).unlink()
    assert not dev.is_set_up()


def test_missing_libraries_are_found_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("likeness_dev", DEV)
    assert spec is not None
    assert spec.loader is not None
    dev = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dev)
    monkeypatch.setattr(dev, "WINDOW_LIBRARIES", {"libnot-there.so.7": "libnot-there7", "libc.so.6": "libc6"})
    monkeypatch.setattr(dev, "SOFTWARE_LIBRARIES", {"libnor-this.so.1": "libnor-this1"})
    monkeypatch.setattr(dev, "FONT_FOLDERS", ())
    monkeypatch.setenv("PATH", "")
    window = {"libnot-there7": "libnot-there.so.7", "fonts-dejavu-core": "a font"}
    assert dev.missing_packages(display=True, testing=False) == window
    headless = window | {"libnor-this1": "libnor-this.so.1"}
    assert dev.missing_packages(display=False, testing=False) == headless
    assert dev.missing_packages(display=False, testing=True) == headless | {"xvfb": "Xvfb"}


def _fake_apt(folder: Path, code: int) -> Path:
    """An apt-get that writes down what it is asked for."""
    log, program = folder / "asked", folder / "apt-get"
    program.write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> {log}\nexit {code}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return log


@pytest.mark.skipif(sys.platform == "win32", reason="apt-get is Debian's")
def test_root_on_debian_installs_what_is_missing(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = _fake_apt(tmp_path, 0)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    dev.provide({"libegl1": "libEGL.so.1", "xvfb": "Xvfb"})
    update, install = log.read_text().splitlines()
    assert update.endswith("update")
    assert install.startswith("noninteractive")
    assert install.endswith("--yes --no-install-recommends libegl1 xvfb")
    _fake_apt(tmp_path, 100)
    with pytest.raises(dev.Stop, match="libegl1 xvfb"):
        dev.provide({"libegl1": "libEGL.so.1", "xvfb": "Xvfb"})


def test_others_are_told_the_exact_command(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = _fake_apt(tmp_path, 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(dev.Stop, match="sudo apt-get install --no-install-recommends libegl1"):
        dev.provide({"libegl1": "libEGL.so.1"})
    assert "libEGL.so.1" in capsys.readouterr().out
    assert not log.exists()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(dev.Stop, match="libegl1"):
        dev.provide({"libegl1": "libEGL.so.1"})


def test_a_wrong_python_is_replaced_or_named(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0, "final", 0))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(dev.Stop, match=r"this is Python 3\.9, and Likeness needs 3\.11"):
        dev.use_supported_python([])
    monkeypatch.setattr(shutil, "which", lambda name: sys.executable if name == "python3.12" else None)
    called = _fake_steps(dev, monkeypatch)
    with pytest.raises(SystemExit):
        dev.use_supported_python(["setup"])
    assert called == [[sys.executable, dev.__file__, "setup"]]


def test_an_old_python_can_read_the_script() -> None:
    assert ast.parse(DEV.read_text("utf-8"), feature_version=(3, 7)).body


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_a_display_that_does_not_answer_is_none(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dev.has_display()  # the tests' own
    monkeypatch.setenv("DISPLAY", ":9371")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-of-nobody")
    assert not dev.has_display()
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert not dev.has_display()


def test_ci_runs_the_command_of_the_readme() -> None:
    command = "python3 packaging/dev.py test"
    assert command in (REPOSITORY / "README.md").read_text("utf-8")
    assert f"exec {command}\n" in (REPOSITORY / ".ci" / "run").read_text("utf-8")
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_no_script_shadows_a_library() -> None:
    """These folders get onto the module path of scripts that start in them."""
    assert not (REPOSITORY / "packaging" / "__init__.py").exists()
    for folder in ("packaging", "resources"):
        for script in (REPOSITORY / folder).rglob("*.py"):
            assert importlib.util.find_spec(script.stem) is None, script


def test_import_rules_bite(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    (tmp_path / "app" / "tools" / "sneaky.py").write_text("import PySide6.QtCore\nimport app.formats.registry\n")
    (tmp_path / "app" / "sculpt" / "sneaky.py").write_text("import vtkmodules.all\nimport app.widgets\n")
    command = "from importlinter.cli import lint_imports_command as run; run()"
    result = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "0 kept, 4 broken" in result.stdout


def test_the_wheel_holds_program_and_resources(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("likeness-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        (entry_points,) = (archive.read(name).decode() for name in held if name.endswith("entry_points.txt"))
    assert "likeness = app.__main__:main" in entry_points
    modules = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "app").rglob("*.py")}
    resources = REPOSITORY / "resources"
    files = {
        f"app/_resources/{path.relative_to(resources).as_posix()}"
        for path in resources.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert modules | files <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)
