"""FBX text files made by hand for tests: a cube or two, placed and coloured as a test wants them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.meshes import cube_soup

_LAYER = """
    LayerElement{kind}: 0 {{
        Name: "{name}"
        MappingInformationType: "{mapping}"
        ReferenceInformationType: "IndexToDirect"
        {kind}{plural}: *{count} {{ a: {values} }}
        {kind}{index}: *{entries} {{ a: {indices} }}
    }}"""


def _list(values: object) -> str:
    return ",".join(f"{value:.9g}" for value in values)  # type: ignore[attr-defined]


@dataclass
class Fbx:
    """A scene. Model 1 is a cube of 2 units with the triangles of `cube_soup(2)`; `model` places it again."""

    up: int = 1
    up_sign: int = 1
    front: int = 2
    front_sign: int = 1
    right: int = 0
    right_sign: int = 1
    unit_cm: float = 1.0
    creator: str = "a test"
    layers: str = ""
    objects: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def model(self, number: int, parent: int = 0, geometry: int = 100, **properties: object) -> Fbx:
        """A node. properties: its Properties70, blanks as underscores, each a number or numbers."""
        lines = []
        for name, value in properties.items():
            key = name.replace("_", " ") if name.startswith("Lcl") else name
            numbers = value if isinstance(value, tuple) else (value,)
            lines.append(f'P: "{key}", "{key}", "", "A",{_list(numbers)}')
        text = "\n".join(lines)
        self.objects.append(f'Model: {number}, "Model::m{number}", "Mesh" {{ Properties70: {{\n{text}\n}} }}')
        self.links.append(f'C: "OO",{number},{parent}')
        if geometry:
            self.links.append(f'C: "OO",{geometry},{number}')
        return self

    def material(self, number: int, model: int, color: tuple[float, float, float], image: str = "") -> Fbx:
        """A Lambert material on a model, with the name of an image or without."""
        self.objects.append(
            f'Material: {number}, "Material::paint{number}", "" {{ ShadingModel: "lambert"\n Properties70: {{\n'
            f'P: "DiffuseColor", "Color", "", "A",{_list(color)}\n}} }}'
        )
        self.links.append(f'C: "OO",{number},{model}')
        if image:
            self.objects.append(
                f'Texture: {number + 1}, "Texture::t", "" {{ FileName: "{image}"\n RelativeFilename: "{image}" }}'
            )
            self.links.append(f'C: "OP",{number + 1},{number}, "DiffuseColor"')
        return self

    def skin(self, bone: int, transform: list[float], link: list[float]) -> Fbx:
        """Bind all corners of the geometry to a bone. transform, link: 16 numbers each, column after column."""
        self.objects += [
            'Deformer: 400, "Deformer::", "Skin" { Link_DeformAcuracy: 50 }',
            'Deformer: 401, "SubDeformer::", "Cluster" { Indexes: *8 { a: 0,1,2,3,4,5,6,7 }\n'
            " Weights: *8 { a: 1,1,1,1,1,1,1,1 }\n"
            f" Transform: *16 {{ a: {_list(transform)} }}\n TransformLink: *16 {{ a: {_list(link)} }} }}",
        ]
        self.links += ['C: "OO",400,100', 'C: "OO",401,400', f'C: "OO",{bone},401']
        return self

    def uv(self) -> Fbx:
        """Texture coordinates on corners: the x and y of the corner, from 0 to 1."""
        soup = cube_soup(2.0)
        values = (soup.positions[:, :2] / 2 + 0.5).ravel()
        self.layers += _LAYER.format(
            kind="UV", name="map", mapping="ByPolygonVertex", plural="", count=16, values=_list(values), index="Index",
            entries=36, indices=_list(soup.triangles.ravel()),
        )  # fmt: skip
        return self

    def colors(self, table: list[tuple[float, float, float]], of_corner: list[int]) -> Fbx:
        """Vertex colours, by corner."""
        values = [part for color in table for part in (*color, 1.0)]
        self.layers += _LAYER.format(
            kind="Color", name="paint", mapping="ByPolygonVertex", plural="s", count=len(values), values=_list(values),
            index="Index", entries=36, indices=_list(of_corner),
        )  # fmt: skip
        return self

    def text(self) -> str:
        """The whole file."""
        soup = cube_soup(2.0)
        ends = [k if n % 3 < 2 else -k - 1 for n, k in enumerate(soup.triangles.ravel().tolist())]
        settings = {
            "UpAxis": self.up, "UpAxisSign": self.up_sign, "FrontAxis": self.front, "FrontAxisSign": self.front_sign,
            "CoordAxis": self.right, "CoordAxisSign": self.right_sign,
        }  # fmt: skip
        lines = "\n".join(f'P: "{key}", "int", "Integer", "",{value}' for key, value in settings.items())
        objects, links = "\n".join(self.objects), "\n".join(self.links)
        return f"""; FBX 7.4.0 project file
FBXHeaderExtension: {{
    FBXVersion: 7400
    Creator: "{self.creator}"
}}
GlobalSettings: {{
    Properties70: {{
{lines}
P: "UnitScaleFactor", "double", "Number", "",{self.unit_cm}
    }}
}}
Objects: {{
Geometry: 100, "Geometry::", "Mesh" {{
    Vertices: *24 {{ a: {_list(soup.positions.ravel())} }}
    PolygonVertexIndex: *36 {{ a: {_list(ends)} }}{self.layers}
}}
{objects}
}}
Connections: {{
{links}
}}
"""

    def save(self, path: Path) -> Path:
        """Write it; returns the path."""
        path.write_text(self.text())
        return path
