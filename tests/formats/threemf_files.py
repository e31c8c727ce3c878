"""3MF packages written by hand, for what no library would write."""

from __future__ import annotations

import zipfile
from pathlib import Path

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
MATERIAL = "{http://schemas.microsoft.com/3dmanufacturing/material/2015/02}"
TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
<Default Extension="png" ContentType="image/png"/></Types>"""
RELATION = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Target="{target}" Id="r" Type="http://schemas.microsoft.com/3dmanufacturing/{kind}"/></Relationships>"""
_TETRAHEDRON = """<vertices><vertex x="0" y="0" z="0"/><vertex x="10" y="0" z="0"/><vertex x="0" y="10" z="0"/>
<vertex x="0" y="0" z="10"/></vertices>"""
_FACES = ["0 2 1", "0 1 3", "0 3 2", "1 2 3"]


def triangle_nodes(*properties: str) -> str:
    """The triangles of a tetrahedron, each with further attributes."""
    given = [*properties, *[""] * 4][:4]
    rows = (
        dict(zip("123", face.split(), strict=True)) | {"p": extra} for face, extra in zip(_FACES, given, strict=True)
    )
    lines = (f'<triangle v1="{row["1"]}" v2="{row["2"]}" v3="{row["3"]}" {row["p"]}/>' for row in rows)
    return f"<triangles>{''.join(lines)}</triangles>"


def object_node(identity: int, *properties: str, attributes: str = "") -> str:
    """An object that is a tetrahedron."""
    mesh = f"<mesh>{_TETRAHEDRON}{triangle_nodes(*properties)}</mesh>"
    return f'<object id="{identity}" type="model" {attributes}>{mesh}</object>'


def model_text(resources: str, build: str = '<item objectid="1"/>', *, unit: str = "millimeter", head: str = "") -> str:
    """The XML of a model part."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>{head}
<model unit="{unit}" xml:lang="en-US" xmlns="{CORE[1:-1]}" xmlns:m="{MATERIAL[1:-1]}">
<resources>{resources}</resources><build>{build}</build></model>"""


def package_file(tmp_path: Path, model: str, **parts: bytes) -> Path:
    """A package of one model and perhaps an image, as a.3mf."""
    path = tmp_path / "a.3mf"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", TYPES)
        package.writestr("_rels/.rels", RELATION.format(target="/3D/3dmodel.model", kind="2013/01/3dmodel"))
        package.writestr("3D/3dmodel.model", model)
        if parts:
            image = RELATION.format(target="/3D/Textures/skin.png", kind="2013/01/3dtexture")
            package.writestr("3D/_rels/3dmodel.model.rels", image)
        for content in parts.values():
            package.writestr("3D/Textures/skin.png", content)
    return path
