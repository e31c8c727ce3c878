"""What all tests share: where the real data is, a home folder that is not the user's, a screen, hypothesis settings.

Environment variables are set when this file is imported, before the first import of Qt, numba or the program.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
_SCREEN = "1920x1200x24"
_OURS = "LIKENESS_TESTS_DISPLAY"


def _private_home() -> None:
    """Settings, state and caches of the program go to a folder of this run. Compiled kernels stay where they are."""
    home = tempfile.mkdtemp(prefix="likeness-tests-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["LIKENESS_HOME"] = home


def _virtual_screen() -> None:
    """A screen of our own where there is none. Each process of a parallel run has its own: no fight for focus."""
    display, ours = os.environ.get("DISPLAY"), os.environ.get(_OURS)  # ours: of the process that started this one
    if not sys.platform.startswith("linux") or (display and display != ours) or os.environ.get("WAYLAND_DISPLAY"):
        return
    program = shutil.which("Xvfb")
    if program is None:
        raise pytest.UsageError("There is no display and no Xvfb. Install it: apt-get install xvfb")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    atexit.register(server.terminate)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    if not number:
        raise pytest.UsageError("Xvfb did not start. Try it by hand: Xvfb :99")
    os.environ["DISPLAY"] = os.environ[_OURS] = f":{number}"
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    os.environ["LIBGL_ALWAYS_SOFTWARE"] = "1"


_private_home()
_virtual_screen()

hypothesis.settings.register_profile("likeness", deadline=None, derandomize=bool(os.environ.get("CI")), database=None)
hypothesis.settings.load_profile("likeness")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the real meshes and photos (MANIFEST.md says what is in it)."""
    folder = Path(os.environ.get("LIKENESS_SHARED") or REPOSITORY.parent / "shared" / "data")
    if not (folder / "MANIFEST.md").is_file():
        pytest.skip(f"needs the shared test data, which is not at {folder} (set LIKENESS_SHARED)")
    return folder


@pytest.fixture(autouse=True)
def _garbage_on_this_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """In tests with widgets no other thread collects garbage, see `app.application.garbage`."""
    if "qtbot" not in request.fixturenames:
        yield
        return
    gc.disable()
    yield
    gc.collect()
    gc.enable()
