"""A file for a reader with the files beside it, and the words that hostile files use. No reader is imported here."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

# Stands in planted files and nowhere else.
MARKER = "bird-in-the-mine"
# Nothing may ever read these: planted beside the folder that was chosen, and where absolute names lead.
CANARY_FOLDER = Path(os.environ.get("LIKENESS_FUZZING_CANARY", Path(tempfile.gettempdir(), "likeness-canary")))
CANARY_PLACE = 98765.4375  # exact as a float32
CANARY_COLOR = (0.123456, 0.654321, 0.246802)


@dataclass(frozen=True)
class Case:
    """main: name of the file that is opened. files: name -> content, all in one folder; names may hold slashes."""

    main: str
    files: dict[str, bytes] = field(default_factory=dict)

    def with_file(self, name: str, content: bytes) -> Case:
        """The same with another content of one file."""
        return Case(self.main, {**self.files, name: content})

    def write(self, folder: Path) -> Path:
        """Write all files into a folder. Returns the path of the one to open."""
        for name, content in self.files.items():
            path = folder / name
            if "/" in name:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / self.main

    @classmethod
    def of_folder(cls, folder: Path, main: str) -> Case:
        """What `write` wrote."""
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        return cls(main, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def _png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    text = chunk(b"tEXt", b"Comment\0" + MARKER.encode())
    return b"\x89PNG\r\n\x1a\n" + header + text + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


def canaries() -> dict[str, bytes]:
    """Files by name whose content would be recognised in any mesh, texture or message."""
    place, color = f"{CANARY_PLACE} 0 0", " ".join(map(str, CANARY_COLOR))
    obj = f"# {MARKER}\nv {place}\nv 0 {CANARY_PLACE} 0\nv 0 0 {CANARY_PLACE}\nf 1 2 3\n"
    usda = (
        f'#usda 1.0\n(\n    doc = "{MARKER}"\n    defaultPrim = "Secret"\n)\ndef Mesh "Secret"\n{{\n'
        "    int[] faceVertexCounts = [3]\n    int[] faceVertexIndices = [0, 1, 2]\n"
        f"    point3f[] points = [({CANARY_PLACE}, 0, 0), (0, {CANARY_PLACE}, 0), (0, 0, {CANARY_PLACE})]\n}}\n"
    )
    return {
        "secret.png": _png(),
        "secret.mtl": f"# {MARKER}\nnewmtl {MARKER}\nKd {color}\nnewmtl red\nKd {color}\n".encode(),
        "secret.bin": struct.pack("<f", CANARY_PLACE) * 1024,
        "secret.obj": obj.encode(),
        "secret.usda": usda.encode(),
        "secret.txt": (MARKER + "\n").encode() * 20,
    }


def escapes() -> list[bytes]:
    """Names that lead out of a file's folder, written in every way that some reader may follow."""
    names: list[str] = []
    for file in ("secret.png", "secret.mtl", "secret.bin", "secret.obj", "secret.usda", "secret.txt"):
        absolute = (CANARY_FOLDER / file).as_posix()
        names += [
            *(f"../{file}", f"..\\{file}", f"./../{file}", f"x/../../{file}", f"out/{file}", f"link-{file}"),
            *(absolute, f"file://{absolute}", f"file:{absolute}", f"file://localhost{absolute}", f"~/{file}", file),
            *(f"%2e%2e/{file}", f"%2e%2e%2f{file}", f"..%2f{file}", f"..%5c{file}", f"%252e%252e/{file}"),
            *(f"http://127.0.0.1:9/{file}", f"//127.0.0.1/{file}", f"\\\\127.0.0.1\\share\\{file}"),
            *(f"C:\\{file}", f"C:{file}", f"\\\\?\\C:\\{file}", f"....//{file}", f"../{file}\0.png", f"../{file}#x"),
        ]
    names += ["/etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/environ", "..", ".", "/", "", "CON", "NUL"]
    return [name.encode() for name in names]
