"""What a reader may touch while it reads an input: the folder that was chosen, and a folder for temporary files.

Four watchmen, for no single one sees everything:
- an audit hook reports what Python itself opens, lists, writes, starts or connects to;
- snapshots of the folders find what was written or left behind, also by libraries that open files in C;
- the time of last access of planted files tells that somebody read them;
- a run under strace (`--strace`) sees each system call.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.fuzzing.case import CANARY_FOLDER, canaries

MEMORY_BYTES = 1792 << 20  # what the program allows the opening of a small file
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CODE_SUFFIXES = (".py", ".pyc", ".pyd", ".so", ".nbi", ".nbc", ".pth", ".zip")
_LISTING = ("os.listdir", "os.scandir")
_CHANGING = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.link", "os.symlink"),
    *(
        "os.utime",
        "os.setxattr",
        "os.removexattr",
        "shutil.copyfile",
        "shutil.move",
        "shutil.rmtree",
        "shutil.copymode",
    ),
    *("shutil.copytree", "shutil.copystat", "shutil.make_archive", "shutil.unpack_archive", "sqlite3.connect"),
    *("tempfile.mkstemp", "tempfile.mkdtemp"),
)
# Nothing that a file says is a reason for these.
_NEVER = (
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill"),
    *("os.putenv", "os.unsetenv", "os.chdir", "os.chroot", "subprocess.Popen", "pty.spawn", "webbrowser.open"),
    *("pickle.find_class", "urllib.Request", "ftplib.connect", "http.client.connect", "smtplib.connect"),
    *("sqlite3.load_extension", "sqlite3.enable_load_extension", "socket.connect", "socket.bind", "socket.sendto"),
    *("socket.getaddrinfo", "socket.gethostbyname", "socket.__new__"),
)
_KERNEL_LIBRARIES = ("numba", "numpy", "llvmlite", "builtins", "app", "types", "collections", "copyreg")
_OURS = ("chosen", "temporary", "home", "elsewhere")
_ACCESSED_LONG_AGO = 1_000_000_000


class Sandbox:
    """Folders of one child: `chosen` for the input, `temporary`, `home` and `elsewhere` (the working directory)."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.chosen, self.temporary, self.home, self.elsewhere = (self.root / name for name in _OURS)
        for folder in (self.chosen, self.temporary, self.home, self.elsewhere):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self.home, self.elsewhere, CANARY_FOLDER):
            _plant(folder)
        self._planted = set(canaries())
        self._links = {"out", *(f"link-{name}" for name in canaries())}
        self._canaries = [folder / name for folder in (self.root, self.home, self.elsewhere) for name in canaries()]
        tempfile.tempdir = str(self.temporary)
        os.environ.update(HOME=str(self.home), TMPDIR=str(self.temporary), LIKENESS_HOME=str(self.home / "likeness"))
        os.chdir(self.elsewhere)
        self._outside = self._listing()
        self._before: dict[str, tuple[int, int]] = {}

    def clear(self) -> None:
        """An empty chosen folder, but for links that lead out of it."""
        for folder in (self.chosen, self.temporary):
            for entry in list(os.scandir(folder)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                elif entry.name not in self._links or not entry.is_symlink():
                    Path(entry.path).unlink()
        for name in self._links - {entry.name for entry in os.scandir(self.chosen)}:
            (self.chosen / name).symlink_to(self.root / name.removeprefix("link-") if name != "out" else self.root)

    def remember(self) -> None:
        """Note what is in the chosen folder, for `disturbed`."""
        self._before = _entries(self.chosen)

    def disturbed(self, *, may_write: bool) -> list[str]:
        """What is not as it was: files changed, left behind, or planted ones that somebody read."""
        found = [f"left behind: {entry}" for entry in _entries(self.temporary)]
        if not may_write and _entries(self.chosen) != self._before:
            found.append("the chosen folder was changed")
        now = self._listing()
        if now != self._outside:
            found.append(f"changed outside: {sorted(set(now.items()) ^ set(self._outside.items()))[:5]}")
            for path in self._canaries:
                os.utime(path, (_ACCESSED_LONG_AGO, path.stat().st_mtime))
            self._outside = self._listing()
        return found

    def _listing(self) -> dict[str, tuple[float, ...]]:
        """Size, change and, of planted files, last access of all that lies around the chosen folder."""
        found = {}
        for folder in (self.root, self.home, self.elsewhere):
            for entry in os.scandir(folder):
                if folder != self.root or entry.name not in _OURS:
                    state = entry.stat(follow_symlinks=False)
                    accessed = state.st_atime if entry.name in self._planted else 0.0
                    found[f"{folder.name}/{entry.name}"] = state.st_size, state.st_mtime_ns, accessed
        return found


def _plant(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in canaries().items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        os.utime(path, (_ACCESSED_LONG_AGO, path.stat().st_mtime))


def _entries(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for entry in os.scandir(folder):
        state = entry.stat(follow_symlinks=False)
        found[entry.name] = state.st_size, state.st_mtime_ns
    return found


class Watch:
    """The audit hook. `escapes`: what was seen since `armed` was entered."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._read = (str(sandbox.chosen), str(sandbox.temporary))
        self._write = (str(sandbox.temporary),)
        places = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        code = Path(__file__).resolve().parents[2]
        folders = (
            *places,
            str(code / "app"),
            str(code / "tests"),
            str(code / "resources"),
            sys.base_prefix,
            sys.prefix,
        )
        self._code = tuple(os.path.realpath(folder) for folder in folders)
        self._cache = os.environ.get("NUMBA_CACHE_DIR", "")
        self._own: tuple[str, ...] = ()
        self._on = False
        self.escapes: list[str] = []
        sys.addaudithook(self._hook)

    @contextmanager
    def armed(self, *, may_write: bool) -> Iterator[None]:
        """Watch what is done within. may_write: in the chosen folder, too."""
        self.escapes = []
        self._own = self._read[:1] if may_write else ()
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        self._on = False  # looking at paths raises events itself
        try:
            if event == "open":
                self._opened(*arguments[:3])
            elif event in _LISTING:
                self._check(event, arguments[0], self._read + self._code)
            elif event in _CHANGING:
                self._changed(event, arguments)
            elif event == "pickle.find_class" and str(arguments[0]).partition(".")[0] in _KERNEL_LIBRARIES:
                return  # a compiled kernel comes from its cache
            elif event in _NEVER:
                self.escapes.append(f"{event} {str(arguments)[:200]}")
        finally:
            self._on = True

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        if isinstance(path, int) or path is None:
            return
        if mode is None and not os.path.lexists(path):
            return  # relative to an open folder, as when a folder of temporary files is removed; or nothing
        if isinstance(flags, int) and flags & _WRITING:
            self._check("open to write", path, self._write + self._own)
            return
        name = os.path.realpath(os.fsdecode(path))
        if name.startswith(self._read):
            if name.endswith(_CODE_SUFFIXES[:4]):
                self.escapes.append(f"code from the input: {name}")
        elif not (name.startswith((*self._code, self._cache or "\0")) or name == "/proc/self/status"):
            self.escapes.append(f"open {name}")

    def _changed(self, event: str, arguments: tuple[Any, ...]) -> None:
        paths = [argument for argument in arguments if isinstance(argument, str | bytes | os.PathLike) and argument]
        at = arguments[-1]
        if event == "shutil.copyfile":
            self._check("copy from", paths.pop(0), self._read)
        for path in paths:
            name = os.fsdecode(path)
            if event == "sqlite3.connect":
                if name == ":memory:":
                    continue
                place, _, options = unquote(name.removeprefix("file:")).partition("?")
                self._check(event, place, self._write + (self._read if "immutable=1" in options else ()))
                continue
            if isinstance(at, int) and at >= 0 and not name.startswith("/"):
                name = f"/proc/self/fd/{at}/{name}"  # relative to an open folder
            self._check(event, name, self._write + self._own)

    def _check(self, event: str, path: Any, allowed: tuple[str, ...]) -> None:
        name = os.path.realpath(os.fsdecode(path)) if not isinstance(path, int) else ""
        cached = self._cache and name.startswith(self._cache)  # a kernel compiled for the first time
        if name and not cached and not name.startswith(allowed):
            self.escapes.append(f"{event} {name}")


def limit_memory(extra_bytes: int = MEMORY_BYTES) -> None:
    """Let this process allocate so much more than now, as the program's worker does for the opening of a file."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    mapped = int(status.split("VmData:")[1].split()[0]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (mapped + extra_bytes, hard))


class PeakMemory:
    """Resident memory at its highest. Linux only."""

    def __init__(self) -> None:
        self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY)
        self._status = os.open("/proc/self/status", os.O_RDONLY)
        self._before = self._highest = 0

    def reset(self) -> None:
        """Forget what was. It costs a millisecond, so not for each input: then only a new height is seen."""
        os.pwrite(self._clear, b"5", 0)

    def begin(self) -> None:
        self._before, self._highest = self._value(b"VmRSS:"), self._value(b"VmHWM:")

    def bytes(self) -> int:
        """Above what was resident at `begin`, where memory has been higher since than ever before; else 0."""
        highest = self._value(b"VmHWM:")
        return max(0, highest - self._before) if highest > self._highest else 0

    def _value(self, key: bytes) -> int:
        text = os.pread(self._status, 4096, 0)
        at = text.find(key) + len(key)
        return int(text[at : text.find(b"kB", at)]) * 1024
