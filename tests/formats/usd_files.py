"""USD text layers made by hand for tests: a cube, and what a test puts around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.meshes import cube_soup


def points(soup_positions: np.ndarray) -> str:
    """A list of vectors as USD writes it."""
    return "[" + ", ".join(f"({', '.join(f'{value:g}' for value in row)})" for row in soup_positions) + "]"


def mesh(name: str = "Body", more: str = "", head: str = "", edge: float = 2.0) -> str:
    """A cube with the triangles of `cube_soup`. head: what goes into the brackets before its body."""
    soup = cube_soup(edge)
    return f"""def Mesh "{name}" (
{head}
)
{{
    point3f[] points = {points(soup.positions)}
    int[] faceVertexCounts = {[3] * 12}
    int[] faceVertexIndices = {soup.triangles.ravel().tolist()}
{more}
}}
"""


def material(inputs: str, more: str = "", name: str = "Skin") -> str:
    """A UsdPreviewSurface at /{name}/Surface. more: further shaders of the material."""
    return f"""def Material "{name}"
{{
    token outputs:surface.connect = </{name}/Surface.outputs:surface>
    def Shader "Surface"
    {{
        uniform token info:id = "UsdPreviewSurface"
{inputs}
        token outputs:surface
    }}
{more}
}}
"""


def texture(file: str, more: str = "", st: str = "</Skin/Reader.outputs:result>", varname: str = "st") -> str:
    """A UsdUVTexture at /Skin/Image and the reader of its coordinates at /Skin/Reader."""
    return f"""    def Shader "Image"
    {{
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @{file}@
        float2 inputs:st.connect = {st}
{more}
        float3 outputs:rgb
    }}
    def Shader "Reader"
    {{
        uniform token info:id = "UsdPrimvarReader_float2"
        string inputs:varname = "{varname}"
        float2 outputs:result
    }}
"""


def save(path: Path, text: str, head: str = 'upAxis = "Z"\n    metersPerUnit = 1') -> Path:
    """Write a layer; returns the path."""
    path.write_text(f"#usda 1.0\n(\n    {head}\n)\n\n{text}", "utf-8")
    return path
