"""How the surface looks: the list of shadings and the GLSL that draws them.

One shader serves all shadings; a uniform chooses, so that a switch rebuilds nothing. It replaces VTK's light and
texture code. Colours are lit in linear light and written as sRGB: at the brightest spot of the key light a texture
shows its own colours, and "unlit" shows exactly those. No highlights: a figurine is judged by its form and colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vtkmodules.vtkRenderingCore import vtkShaderProperty

from app.mesh.mesh import Mesh
from app.resources import resource

ALBEDO, MATCAP = "likenessAlbedo", "likenessMatcap"  # names of the samplers
_TEXTURE, _COLOR, _CLAY, _MATCAP, _WALLS = range(5)
WALLS = "walls"  # the shading that shows a heat map in place of the model's colours


@dataclass(frozen=True)
class Shading:
    """One way to look at the surface. matcap: path of its image, or None."""

    id: str
    label: str
    mode: int
    lit: bool = True
    matcap: Path | None = None


@cache
def shadings() -> dict[str, Shading]:
    """All shadings by id, in menu order; one per image in resources/matcaps."""
    fixed = [
        Shading("texture", "Texture", _TEXTURE),
        Shading("texture:unlit", "Texture, unlit", _TEXTURE, lit=False),
        Shading("color", "Vertex colour", _COLOR),
        Shading("color:unlit", "Vertex colour, unlit", _COLOR, lit=False),
        Shading("clay", "Clay", _CLAY),
    ]
    images = sorted(resource("matcaps").glob("*.png"))
    matcaps = [
        Shading(f"matcap:{path.stem}", f"Matcap {path.stem.replace('_', ' ')}", _MATCAP, matcap=path) for path in images
    ]
    walls = Shading(WALLS, "Wall thickness", _WALLS)
    return {shading.id: shading for shading in [*fixed, *matcaps, walls]}


def default_shading(mesh: Mesh) -> str:
    """The id of the shading that shows a mesh as it was delivered: texture, then colours, then clay."""
    if mesh.has_texture:
        return "texture"
    plain = all(material.base_color == mesh.materials[0].base_color for material in mesh.materials)
    return "clay" if mesh.colors is None and plain and mesh.materials[0].base_color == (1.0, 1.0, 1.0) else "color"


_DECLARATIONS = """
vec3 likenessLinear(vec3 c) { return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c)); }
vec3 likenessSrgb(vec3 c) {
  c = clamp(c, 0.0, 1.0);
  return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}
// A lamp of some size: light reaches a little round the edge, as from a soft box.
float likenessLamp(vec3 n, vec3 direction, float wrap) {
  float d = max((dot(n, normalize(direction)) + wrap) / (1.0 + wrap), 0.0);
  return d * d;
}
// Lamps move with the camera, in front and above, so that form reads the same from every side. `depth`, 0 to 1, takes
// light from the shadow side and from grazing surfaces: much for judging form, little for judging colour.
float likenessLight(vec3 n, float facing, float depth) {
  float key = likenessLamp(n, vec3(-0.52, 0.62, 0.59), 0.18);
  float fill = likenessLamp(n, vec3(0.88, 0.05, 0.47), 0.30);
  float under = likenessLamp(n, vec3(0.10, -0.80, 0.20), 0.10);
  float sky = 0.5 + 0.5 * n.y;
  float soft = 0.22 + 0.20 * sky + 0.66 * key + 0.22 * fill;
  float deep = 0.03 + 0.14 * sky + 1.18 * key + 0.16 * fill + 0.06 * under;
  return mix(soft, deep * mix(0.62, 1.0, smoothstep(0.0, 0.65, facing)), depth);
}
"""

# `normalVCVSOutput` already points to the eye's side: VTK has turned it on back faces.
_SURFACE = """
  vec3 eye = cameraParallel == 1 ? vec3(0.0, 0.0, 1.0) : normalize(-vertexVC.xyz);
  vec3 n = normalVCVSOutput;
  bool front = gl_FrontFacing || likenessDraft == 1;
  if (!gl_FrontFacing && likenessDraft == 1) n = -n;  // a folded triangle of the stand-in
  if (likenessFlat == 1) {
    n = normalize(cross(dFdx(vertexVC.xyz), dFdy(vertexVC.xyz)));
    if (dot(n, eye) < 0.0) n = -n;
  }
  vec3 paint = likenessLinear(vertexColorVSOutput.rgb);
  vec3 albedo = diffuseColorUniform;
  vec3 shown;
  if (likenessMode == 3) {
    vec3 x = normalize(vec3(eye.z, 0.0, -eye.x));
    vec2 place = vec2(dot(x, n), dot(cross(eye, x), n)) * 0.485 + 0.5;
    shown = likenessLinear(texture(likenessMatcap, vec2(place.x, 1.0 - place.y)).rgb);
    if (!front) shown *= vec3(0.42, 0.34, 0.32);
  } else {
    if (likenessMode == 0) albedo *= LIKENESS_TEXEL;
    else if (likenessMode == 4) albedo = paint;
    else if (likenessMode == 1) albedo = likenessPainted == 1 ? paint : albedo;
    else albedo = vec3(0.46, 0.435, 0.41);
    if (!front) albedo = vec3(0.10, 0.075, 0.07);
    shown = likenessLit == 1 ? albedo * likenessLight(n, dot(n, eye), likenessMode == 2 ? 1.0 : 0.35) : albedo;
  }
  if (likenessTinted == 1) shown *= paint;
  if (likenessMask == 1) shown *= mix(vec3(1.0), vec3(0.16, 0.17, 0.20), vertexColorVSOutput.a);
"""
_EDGES = """
  float luminance = dot(shown, vec3(0.2126, 0.7152, 0.0722));
  shown = mix(shown, luminance > 0.05 ? shown * 0.12 : shown + 0.12, emix * edgeOpacity);
"""
_OUTPUT = """
  fragOutput0 = vec4(likenessSrgb(shown), 1.0);
"""


class SurfaceShader:
    """The shader shared by all actors of one mesh."""

    def __init__(self, has_tcoords: bool, painted: bool) -> None:
        self._has_tcoords, self._painted = has_tcoords, painted
        self.property = vtkShaderProperty()
        self._install(edges=False)
        self._set("Mode", 2)
        self._set("Lit", 1)
        self._set("Mask", 1)
        self._set("Tinted", 0)
        self._set("Flat", 0)
        self._set("Draft", 0)
        self._set("Painted", int(painted))

    def show(self, shading: Shading) -> None:
        self._set("Mode", shading.mode)
        self._set("Lit", int(shading.lit))

    def set_mask_visible(self, visible: bool) -> None:
        self._set("Mask", int(visible))

    def shows_paint(self, shading: Shading) -> bool:
        """Whether the colours of the vertices are what a shading shows."""
        return self._painted and (shading.mode == _COLOR or (shading.mode == _TEXTURE and not self._has_tcoords))

    def set_tinted(self, tinted: bool) -> None:
        """Multiply by the paint, which then holds tints and no colours."""
        self._set("Tinted", int(tinted))

    def set_flat(self, flat: bool) -> None:
        self._set("Flat", int(flat))

    def set_draft(self, draft: bool) -> None:
        """The stand-in has folds: shade what they turn away as if it faced the eye."""
        self._set("Draft", int(draft))

    def set_edges(self, visible: bool) -> None:
        """Edges need VTK's geometry shader, whose variables exist in that case only."""
        self._install(edges=visible)

    def _set(self, name: str, value: int) -> None:
        self.property.GetFragmentCustomUniforms().SetUniformi(f"likeness{name}", value)

    def _install(self, *, edges: bool) -> None:
        # Texture rows run from the top, texture coordinates from the bottom.
        lookup = f"texture({ALBEDO}, vec2(tcoordVCVSOutput.x, 1.0 - tcoordVCVSOutput.y)).rgb"
        texel = lookup if self._has_tcoords else "(likenessPainted == 1 ? paint : vec3(1.0))"
        body = _SURFACE.replace("LIKENESS_TEXEL", texel) + (_EDGES if edges else "") + _OUTPUT
        self.property.ClearAllFragmentShaderReplacements()
        for tag, code in (("Light::Dec", _DECLARATIONS), ("Light::Impl", body), ("TCoord::Impl", "")):
            self.property.AddFragmentShaderReplacement(f"//VTK::{tag}", True, code, False)
