"""COLLADA's materials as base colour and texture, through all the names in between.

instance_material -> material -> effect -> diffuse -> sampler -> surface -> image -> file. COLLADA 1.4 and 1.5,
profile_COMMON. It names no colour space: colours are taken as sRGB, but from Blender, which writes its linear values.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np

from app.formats.assembly import Assembly, image_beside
from app.formats.dae_xml import Element, numbers
from app.formats.images import linear_to_srgb
from app.formats.reading import Images
from app.mesh.soup import Material, Texture

_SHADERS = ("phong", "lambert", "blinn", "constant")
_ALMOST_NOTHING = 0.02


@dataclass(frozen=True, eq=False)
class Look:
    """An assembly's material. channel: what its texture calls the coordinates that it wants, "" without one."""

    index: int
    channel: str = ""


class Materials:
    """Reads materials when faces first use them."""

    def __init__(self, assembly: Assembly, named: dict[str, Element], blender: bool) -> None:
        self._assembly, self._named, self._blender = assembly, named, blender
        self._images = Images(assembly.limits, assembly.notes)
        self._looks: dict[str, Look] = {}

    def look(self, url: str) -> Look:
        """The look of the material that a url names; one without colour where there is none."""
        if url not in self._looks:
            self._looks[url] = self._read(self._named.get(url.removeprefix("#")))
        return self._looks[url]

    def _read(self, material: Element | None) -> Look:
        name = "none" if material is None else material.get("name") or material.get("id") or "material"
        instance = None if material is None else material.at("instance_effect")
        effect = None if instance is None else self._named.get(instance.get("url").removeprefix("#"))
        profile = None if effect is None else effect.at("profile_COMMON")
        technique = None if profile is None else profile.at("technique")
        shaders = [] if technique is None else technique.all(*_SHADERS)
        if profile is None or not shaders:
            return Look(self._assembly.add_material(Material(name)))
        color, texture, wrap, channel = self._surface(profile, shaders[0].at("diffuse"))
        if texture is None and (color is None or max(color) <= _ALMOST_NOTHING):
            # A surface that only shines by itself has its colour there.
            glow, light, glow_wrap, glow_channel = self._surface(profile, shaders[0].at("emission"))
            if light is not None or (glow is not None and max(glow) > _ALMOST_NOTHING):
                color, texture, wrap, channel = glow, light, glow_wrap, glow_channel
        shown = (1.0, 1.0, 1.0) if texture is not None or color is None else color
        return Look(self._assembly.add_material(Material(name, shown, texture, wrap)), channel)

    def _surface(
        self, profile: Element, slot: Element | None
    ) -> tuple[tuple[float, float, float] | None, Texture | None, str, str]:
        """sRGB colour, texture, wrap and channel of a shader's slot such as diffuse."""
        color, used = (None, None) if slot is None else (slot.at("color"), slot.at("texture"))
        values = np.nan_to_num(numbers(color, self._assembly.path)[:3]).clip(0.0, 1.0)
        srgb: tuple[float, float, float] | None = None
        if len(values) == 3:
            red, green, blue = (linear_to_srgb(values) if self._blender else values).tolist()
            srgb = red, green, blue
        if used is None:
            return srgb, None, "repeat", ""
        texture, wrap = self._image(profile, used.get("texture"))
        return srgb, texture, wrap, used.get("texcoord")

    def _image(self, profile: Element, name: str) -> tuple[Texture | None, str]:
        """The image behind a sampler's name, or behind an image's own, as some exporters write."""
        parameters = {item.get("sid"): item for item in profile.walk() if item.tag == "newparam"}
        wrap = "repeat"
        sampler = parameters[name].at("sampler2D") if name in parameters else None
        if sampler is not None:
            modes = {mode.text.upper() for mode in sampler.all("wrap_s", "wrap_t")}
            wrap = "clamp" if modes and modes <= {"CLAMP", "BORDER"} else "repeat"
            instance, source = sampler.at("instance_image"), sampler.at("source")
            surface = parameters.get(source.text) if source is not None else None
            if instance is not None:  # COLLADA 1.5
                name = instance.get("url").removeprefix("#")
            elif surface is not None:
                start = surface.at("surface", "init_from")
                name = name if start is None else start.text
        image = self._named.get(name)
        if image is None or image.tag != "image":
            self._assembly.note("A texture names an image that the file does not have; the plain colour is used.")
            return None, wrap
        start = image.at("init_from")
        reference = None if start is None else start.at("ref")
        written = "" if start is None else (reference.text if reference is not None else start.text)
        file = written.removeprefix("file://")
        return image_beside(self._images, self._assembly.path, unquote(file), file), wrap
