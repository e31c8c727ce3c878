#!/usr/bin/env python3
"""The two commands of a checkout: `python3 packaging/dev.py run [FILE...]` and `python3 packaging/dev.py test`.

`setup` makes the environment and nothing else; the other two make it too. Standard library only, and syntax that an
old Python still reads, because this file has to say plainly what is missing. What lives here: the virtual
environment, the system libraries, and what is started. What does not: anything about meshes or windows.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Renewed, after a change of the libraries in pyproject.toml, with uv from PyPI:
# uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url
#   --no-header -o packaging/requirements.lock
LOCK = ROOT / "packaging" / "requirements.lock"
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "likeness-setup-finished"
OLDEST, NEWEST = (3, 11), (3, 13)
MOST_TEST_PROCESSES = 4  # each holds an OpenGL context and up to 1 GB
LINUX = sys.platform.startswith("linux")

# What Qt, VTK and numba load from the system, by the name the loader asks for, and Debian's package for it.
WINDOW_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
}
WAYLAND_LIBRARIES = {"libwayland-cursor.so.0": "libwayland-cursor0", "libwayland-egl.so.1": "libwayland-egl1"}
# Drawing without a graphics card: Mesa's software renderer, on a virtual screen and without any.
SOFTWARE_LIBRARIES = {"libGLX_mesa.so.0": "libglx-mesa0", "libEGL_mesa.so.0": "libegl-mesa0"}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


class Stop(Exception):
    """The command cannot go on; the text says why and what to do."""


def say(text: str) -> None:
    print(f"likeness: {text}", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 packaging/dev.py", description="Set up, start and test Likeness.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{run,test,setup}")
    run_parser = commands.add_parser("run", help="open the window; without a display, do a whole job on the sample")
    run_parser.add_argument("file", nargs="?", metavar="FILE", help="a mesh to open (default: the sample bust)")
    test_parser = commands.add_parser("test", help="lint, types, import rules and all tests")
    test_parser.add_argument("pytest", nargs=argparse.REMAINDER, help="handed on to pytest")
    commands.add_parser("setup", help="only make the environment")
    options = parser.parse_args(arguments)
    try:
        use_supported_python(arguments)
        if options.command == "run":
            return run([options.file] if options.file else [])
        if options.command == "test":
            return test(options.pytest)
        setup(display=True)
        say(f"ready. Start it with: python3 {os.path.relpath(__file__)} run")
        return 0
    except Stop as reason:
        print(f"likeness: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(files: list[str]) -> int:
    """Open the window, or do the job without one."""
    display = has_display()
    setup(display)
    if display:
        return call([python(), "-P", "-m", "app", *files])
    forget_display()
    say("there is no display, so no window opens; doing a whole job without one instead")
    return call([python(), "-P", "-m", "app.headless", *files])


def test(pytest_arguments: list[str]) -> int:
    """Every check, then the tests, so that their closing line is the last. Returns 0 only if all are well."""
    display = has_display()
    setup(display, testing=True)
    if not display:
        forget_display()
    checks = {
        "lint": ["-m", "ruff", "check", "."],
        "format": ["-m", "ruff", "format", "--check", "."],
        "types": ["-m", "mypy"],
        "import rules": ["-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
    }
    failed = [name for name, command in checks.items() if not passes(name, command)]
    if failed:
        say(f"failed: {', '.join(failed)} (see above); the tests run all the same")
    say("tests")
    processes = str(min(os.cpu_count() or 1, MOST_TEST_PROCESSES))
    everything = ["-n", processes, "--dist", "loadfile"]
    result = call([python(), "-m", "pytest", *(pytest_arguments or everything)], cwd=ROOT)
    return result or int(bool(failed))


def passes(name: str, command: list[str]) -> bool:
    say(name)
    return call([python(), *command], cwd=ROOT) == 0


def call(command: list[str], cwd: Path | None = None) -> int:
    return subprocess.call(command, cwd=cwd)


# The interpreter


def use_supported_python(arguments: list[str]) -> None:
    """Go on in a supported Python: this one, or one found on the path, which then replaces this process."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    wanted = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for name in wanted:
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            say(f"this is Python {version}; going on with {found}")
            sys.exit(call([found, __file__, *arguments]))
    raise Stop(
        f"this is Python {version}, and Likeness needs 3.11, 3.12 or 3.13, none of which is on the path. Install one "
        "of them (on Debian 12 or later: apt-get install python3 python3-venv) and run this command with it."
    )


# The virtual environment


def python() -> str:
    """The interpreter of the virtual environment."""
    return str(ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def fingerprint() -> str:
    """What the environment depends on. It also names the folder: a virtual environment cannot be moved."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{digest} {sys.version_info[0]}.{sys.version_info[1]} {ROOT}\n"


def is_set_up() -> bool:
    """Whether a set-up ran to its end for this lock file, this Python and this folder."""
    try:
        return STAMP.read_text("utf-8") == fingerprint() and Path(python()).exists()
    except (OSError, ValueError):
        return False


def setup(display: bool, testing: bool = False) -> None:
    """System libraries and virtual environment; at once where nothing is to be done."""
    if LINUX:
        provide(missing_packages(display, testing))
    if not is_set_up():
        make_environment()


def make_environment() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        provide({f"python{sys.version_info[0]}.{sys.version_info[1]}-venv": "Python's venv module"})
    say(f"making the environment in {ENVIRONMENT} (about a minute, once; 2 GB)")
    steps = [
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
        pip("--require-hashes", "--only-binary=:all:", "--requirement", str(LOCK)),
        pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT)),
    ]
    for command in steps:
        if call(command) != 0:
            raise Stop(
                f"setting up stopped at: {' '.join(command)}\nThe reason stands above. When it is mended, run the "
                "same command again: it starts over by itself."
            )
    STAMP.write_text(fingerprint(), "utf-8")


def pip(*arguments: str) -> list[str]:
    return [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *arguments]


# What the system must provide (Linux)


def missing_packages(display: bool, testing: bool) -> dict[str, str]:
    """Debian packages that are missing, each with what was looked for. Found by trying, whatever the distribution."""
    libraries = dict(WINDOW_LIBRARIES)
    if os.environ.get("WAYLAND_DISPLAY"):
        libraries.update(WAYLAND_LIBRARIES)
    if not display:
        libraries.update(SOFTWARE_LIBRARIES)
    missing = {package: library for library, package in libraries.items() if not loads(library)}
    if testing and not display and shutil.which("Xvfb") is None:
        missing["xvfb"] = "Xvfb"
    if not any(next(Path(folder).expanduser().rglob("*.[to]tf"), None) for folder in FONT_FOLDERS):
        missing["fonts-dejavu-core"] = "a font"
    return missing


def loads(library: str) -> bool:
    """Whether the dynamic loader finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def provide(missing: dict[str, str]) -> None:
    """Install what is missing as root on Debian; anywhere else say exactly what is missing and stop."""
    if not missing:
        return
    apt = shutil.which("apt-get")
    wanted = sorted(missing)
    say(f"missing on this system: {', '.join(sorted(missing.values()))}")
    if apt is None:
        raise Stop(
            "install these with your system's package manager and run the same command again. Their Debian packages "
            f"are called: {' '.join(wanted)}"
        )
    if os.geteuid() != 0:
        raise Stop(
            "install them and run the same command again:\n"
            f"    sudo apt-get install --no-install-recommends {' '.join(wanted)}"
        )
    say(f"installing {' '.join(wanted)}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt_get = [apt, "-o", "DPkg::Lock::Timeout=300", "-q"]
    subprocess.call([*apt_get, "update"], env=environment, stdout=subprocess.DEVNULL)
    install = [*apt_get, "install", "--yes", "--no-install-recommends", *wanted]
    if subprocess.call(install, env=environment, stdout=subprocess.DEVNULL) != 0:
        raise Stop(
            f"apt-get could not install them; its reason stands above. By hand: apt-get install {' '.join(wanted)}"
        )
    importlib.invalidate_caches()


# The display


def has_display() -> bool:
    """Whether a window can be opened: on Linux, whether a display server answers."""
    return not LINUX or wayland_answers() or x11_answers()


def forget_display() -> None:
    """Keep the programs started from here from trying a display that does not answer."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        os.environ.pop(variable, None)


def wayland_answers() -> bool:
    name, folder = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("XDG_RUNTIME_DIR", "")
    if not name:
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(Path(folder, name)))
        except OSError:
            return False
    return True


def x11_answers() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True  # X's own library comes with the window's; it is asked for below
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = x11.XOpenDisplay(None)
    if display:
        x11.XCloseDisplay(ctypes.c_void_p(display))
    return bool(display)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
