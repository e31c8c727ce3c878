"""FBX materials as base colour and texture.

ufbx has already put the many kinds of FBX material (Phong, Arnold, 3ds Max, Blender) into one form. FBX names no colour
space: colours are taken as sRGB, as most viewers do, but from Blender, which writes its linear values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.formats.assembly import Assembly, image_beside
from app.formats.fbx_library import each, held, matrix
from app.formats.images import linear_to_srgb
from app.formats.reading import Images
from app.mesh.soup import Material, Texture

_ALMOST_NOTHING = 0.02


@dataclass(frozen=True, eq=False)
class Look:
    """An assembly's material as faces use it. uv_set: name of its texture coordinates, "" for the first.

    uv_matrix: (4, 4) that changes them, or None.
    """

    index: int
    uv_set: str = ""
    uv_matrix: np.ndarray | None = None


class Materials:
    """Reads materials when faces first use them."""

    def __init__(self, assembly: Assembly, blender: bool) -> None:
        self._assembly, self._blender = assembly, blender
        self._images = Images(assembly.limits, assembly.notes)
        self._looks: dict[int, Look] = {}

    def look(self, material: Any | None) -> Look:
        """The look of a `ufbx.Material`; None stands for faces without one."""
        key = -1 if material is None else material.element_id
        if key not in self._looks:
            self._looks[key] = self._read(material)
        return self._looks[key]

    def _read(self, material: Any | None) -> Look:
        if material is None:
            return Look(self._assembly.add_material(Material("none")))
        base, image = self._surface(material.pbr.base_color, material.pbr.base_factor)
        if image is None and max(base) <= _ALMOST_NOTHING:
            # Some exporters leave the colour only in the light that the surface sends out.
            glow, light = self._surface(material.pbr.emission_color, material.pbr.emission_factor)
            if max(glow) > _ALMOST_NOTHING:
                base, image = glow, light
        texture, file = self._texture(image)
        wrap = "repeat"
        if file is not None and int(file.wrap_u) == int(file.wrap_v) == 1:  # ufbx.WrapMode.CLAMP
            wrap = "clamp"
        shown = (1.0, 1.0, 1.0) if texture is not None else base  # a texture stands in place of the colour
        index = self._assembly.add_material(Material(material.name or "material", shown, texture, wrap))
        if texture is None or file is None:
            return Look(index)
        return Look(index, file.uv_set, matrix(file.uv_to_texture) if file.has_uv_transform else None)

    def _surface(self, value: Any, factor: Any) -> tuple[tuple[float, float, float], Any | None]:
        """sRGB colour and `ufbx.Texture` of a material's map."""
        color = np.array(value.value_vec4)[:3] * (factor.value_vec4.x if factor.has_value else 1.0)
        color = np.nan_to_num(color, nan=1.0, posinf=1.0, neginf=0.0).clip(0.0, 1.0)
        red, green, blue = (linear_to_srgb(color) if self._blender else color).tolist()
        return (red, green, blue), held(value.texture) if value.texture_enabled else None

    def _texture(self, texture: Any | None) -> tuple[Texture | None, Any | None]:
        """The image of a texture, or of the lowest of its layers; and the texture that names the file."""
        files = [] if texture is None else each(texture.file_textures)
        if len(files) > 1:
            self._assembly.note("Of a texture made of several layers only the first is shown.")
        for file in files[:1]:
            names = [file.relative_filename, file.filename, file.absolute_filename]
            if len(file.content):
                name = next((name for name in names if name), file.name)
                return self._images.embedded(file.content, file.content, name.replace("\\", "/").split("/")[-1]), file
            return image_beside(self._images, self._assembly.path, *names), file
        return None, None
