"""glTF materials as base colour and texture: what a surface looks like before light.

Metalness, normal maps and the rest do not print and are not read. Some generators deliver the colour only as emitted
light over a black surface; that light is then taken for the colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.gltf_document import Document, Item
from app.formats.images import linear_to_srgb, read_texture_or_note
from app.mesh.soup import Material, Texture

_CLAMP_TO_EDGE, _MIRRORED_REPEAT = 33071, 33648
_ALMOST_NOTHING = 0.02
_MOST_MATERIALS = 32_767
# All textures together may have as many pixels as two of the largest.
_MOST_LARGEST_TEXTURES = 2
_KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
# Where an image may hide, the ones that can be decoded first.
_IMAGE_EXTENSIONS = ("EXT_texture_webp", "EXT_texture_avif", "KHR_texture_basisu", "MSFT_texture_dds")


@dataclass(frozen=True, eq=False)
class Look:
    """A soup material as a primitive uses it.

    index: into the soup's materials. uv_set: which TEXCOORD belongs to the texture, None without one. uv_transform:
    (3, 3) float64 on glTF texture coordinates, or None. linear_color: base colour in linear light.
    """

    index: int
    textured: bool
    uv_set: int
    uv_transform: np.ndarray | None
    linear_color: tuple[float, float, float]


class Materials:
    """Reads materials when a primitive first uses them. soup_materials: those, in the order of first use."""

    def __init__(self, document: Document) -> None:
        self.soup_materials: list[Material] = []
        self._document = document
        self._looks: dict[int | None, Look] = {}
        self._textures: dict[int, Texture | None] = {}
        self._pixels = 0

    def look(self, index: int | None) -> Look:
        """The look of a material; None stands for glTF's default one."""
        if index not in self._looks:
            if len(self.soup_materials) >= _MOST_MATERIALS:
                raise LimitExceeded(f"uses more than {_MOST_MATERIALS:,} materials", "materials", "Merge some of them")
            self._looks[index] = self._read(Item({}, "") if index is None else self._document.part("materials", index))
        return self._looks[index]

    def _read(self, item: Item) -> Look:
        color, texture, wrap, uv_set, transform = (1.0, 1.0, 1.0), None, "repeat", 0, None
        try:
            color, info = _surface(item)
            if info is not None:
                uv_set, transform = _placement(info)
                texture, wrap = self._texture(info.integer("index"))
        except LimitExceeded:
            raise
        except UnreadableFile as error:  # the shape is worth having without its colour
            self._document.note(f"The {error.where or item.where} {error.what}; the plain colour is used.")
        srgb = linear_to_srgb(np.clip(color, 0.0, 1.0))
        base_color = (float(srgb[0]), float(srgb[1]), float(srgb[2]))
        name = item.string("name") or f"material {len(self.soup_materials)}"
        self.soup_materials.append(Material(name, base_color, texture, wrap))
        return Look(len(self.soup_materials) - 1, texture is not None, uv_set, transform, color)

    def _texture(self, index: int) -> tuple[Texture | None, str]:
        item = self._document.part("textures", index)
        wrap, sampler = "repeat", item.index("sampler")
        if sampler is not None:
            modes = self._document.part("samplers", sampler)
            kinds = {modes.integer("wrapS", 0), modes.integer("wrapT", 0)}
            wrap = "clamp" if kinds == {_CLAMP_TO_EDGE} else "repeat"
            if _MIRRORED_REPEAT in kinds:
                self._document.note("A texture that repeats mirrored is shown repeating plainly.")
        found = [extension for name in _IMAGE_EXTENSIONS if (extension := item.extension(name))]
        for source in [item, *found]:
            image = source.index("source")
            if image is not None and (texture := self._image(image)) is not None:
                return texture, wrap
        return None, wrap

    def _image(self, index: int) -> Texture | None:
        if index not in self._textures:
            self._textures[index] = self._read_image(self._document.part("images", index), index)
        return self._textures[index]

    def _read_image(self, item: Item, index: int) -> Texture | None:
        document = self._document
        name = item.string("name") or f"{index}"
        try:
            encoded = document.resource(item)
        except LimitExceeded:
            raise
        except UnreadableFile as error:
            document.note(f"The texture {name} {error.what}; the plain colour is used.")
            return None
        if not encoded:
            document.note(f"The texture {name} is empty; the plain colour is used.")
            return None
        if encoded.startswith(_KTX2):
            document.note(
                f"The texture {name} is in the KTX2 form of games, which is not read; the plain colour is used. "
                "Export the model with PNG or JPEG textures."
            )
            return None
        notes: list[str] = []
        texture = read_texture_or_note(encoded, name, document.limits, notes)
        for note in notes:
            document.note(note)
        if texture is not None:
            self._pixels += texture.width * texture.height
            if self._pixels > _MOST_LARGEST_TEXTURES * document.limits.texture_pixels:
                raise LimitExceeded("has too many large textures", item.where, "Reduce the size of its textures first")
        return texture


def _surface(item: Item) -> tuple[tuple[float, float, float], Item | None]:
    """Linear base colour and the texture info to use."""
    glossy, metallic = item.extension("KHR_materials_pbrSpecularGlossiness"), item.item("pbrMetallicRoughness")
    if glossy is not None:
        factor, info = glossy.numbers("diffuseFactor", (1.0, 1.0, 1.0, 1.0)), glossy.item("diffuseTexture")
    elif metallic is not None:
        factor, info = metallic.numbers("baseColorFactor", (1.0, 1.0, 1.0, 1.0)), metallic.item("baseColorTexture")
    else:
        factor, info = (1.0, 1.0, 1.0, 1.0), None
    color = factor[0], factor[1], factor[2]
    emitted = item.numbers("emissiveFactor", (0.0, 0.0, 0.0))
    strength = item.extension("KHR_materials_emissive_strength")
    if strength is not None:
        emitted = tuple(strength.number("emissiveStrength", 1.0) * value for value in emitted)
    light, glow = item.item("emissiveTexture"), max(emitted) > _ALMOST_NOTHING
    invisible = max(color) <= _ALMOST_NOTHING or factor[3] <= _ALMOST_NOTHING
    given = info is not None or any("Factor" in key for part in (glossy, metallic) if part for key in _colors_of(part))
    if glow and ((invisible and (light is not None or info is None)) or (light is not None and not given)):
        return (emitted[0], emitted[1], emitted[2]), light
    return color, info


def _colors_of(part: Item) -> list[str]:
    return [key for key in part.data if key in ("baseColorFactor", "diffuseFactor")]


def _placement(info: Item) -> tuple[int, np.ndarray | None]:
    """Which texture coordinates, and KHR_texture_transform as a matrix (the formula in its specification)."""
    transform = info.extension("KHR_texture_transform")
    uv_set = info.integer("texCoord", 0)
    if transform is None:
        return uv_set, None
    (u, v), (width, height) = transform.numbers("offset", (0.0, 0.0)), transform.numbers("scale", (1.0, 1.0))
    angle = transform.number("rotation", 0.0)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos * width, sin * height, u], [-sin * width, cos * height, v], [0.0, 0.0, 1.0]])
    return transform.integer("texCoord", uv_set), matrix
