"""3MF: the format of colour printers. Reading, writing and the library beneath are in `threemf_*`."""

from __future__ import annotations

from app.formats.registry import Format, register
from app.formats.threemf_read import read
from app.formats.threemf_write import write

ZIP = b"PK\x03\x04"
PARTS = (b"3D/", b"[Content_Types].xml", b"_rels/.rels")


def _sniff(head: bytes) -> bool:
    return head.startswith(ZIP) and any(part in head for part in PARTS)


register(Format("3mf", "3MF", (".3mf",), read, write, _sniff))
