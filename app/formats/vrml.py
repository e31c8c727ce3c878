"""VRML97: the colour printers' old standby. Reading and writing are in `vrml_*`."""

from __future__ import annotations

from app.formats.registry import Format, register
from app.formats.vrml_read import read
from app.formats.vrml_write import write

register(Format("vrml", "VRML97", (".wrl", ".vrml"), read, write, lambda head: head.startswith(b"#VRML"), True))
