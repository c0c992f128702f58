"""Colour profiles (ICC) of images: their colours as sRGB. Images without a profile are taken as sRGB."""

import struct
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any, Final, TypeAlias

from PIL import ExifTags, Image, ImageCms

Converter: TypeAlias = Callable[[Image.Image], Image.Image]
"""Returns an image without alpha in RGB and sRGB."""

UNREADABLE: Final = "its colour profile cannot be used: it is shown as if its colours were sRGB"

SPACES: Final = {"CMYK": ("CMYK",), "LAB": ("LAB",), "L": ("GRAY", "RGB")}
"""The colour spaces of profiles that fit an image of a mode; RGB for every other mode."""

MODES: Final = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "LAB": "LAB"}
"""The mode of the pixels that a profile of a colour space reads."""

ADOBE_RGB: Final = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
    b"wtpt": (0.9642, 1.0, 0.8249),
}
"""Adobe RGB (1998), annex C: the primaries adapted to D50, and D50."""

ADOBE_GAMMA: Final = 563  # 2.19921875 in 1/256


def make_converter(image: Image.Image) -> tuple[Converter, str]:
    """A function that converts the image, or a part of it, to sRGB; and why the colours are not exact, or ``""``.

    The parts it is called with have 8 bits a channel, no alpha, and the image's mode or RGB.
    """
    profile = image.info.get("icc_profile")
    try:
        if profile:
            return _transform(image, ImageCms.getOpenProfile(BytesIO(profile))), ""
        if image.mode == "LAB":
            return _transform(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))), ""
        if _is_adobe_rgb(image.getexif()):
            return _transform(image, ImageCms.getOpenProfile(BytesIO(_adobe_rgb()))), ""
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, struct.error):
        return _to_rgb, UNREADABLE
    return _to_rgb, ""


def _transform(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Converter:
    space = profile.profile.xcolor_space.strip().upper()
    if space not in SPACES.get(_kind(image.mode), ("RGB",)):
        raise ValueError(f"a profile for {space} colours")
    srgb = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(profile, srgb, MODES[space], "RGB")

    def convert(part: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(part.convert(MODES[space]), transform)
        assert converted is not None  # noqa: S101 - None only where it works in place
        return converted

    return convert


def _kind(mode: str) -> str:
    return "L" if mode in {"1", "LA", "La"} or mode.startswith("I") else mode


def _to_rgb(part: Image.Image) -> Image.Image:
    return part.convert("RGB")


def _is_adobe_rgb(exif: Any) -> bool:  # noqa: ANN401 - Pillow's Exif, whose values have any type
    """Whether the image is Adobe RGB by the EXIF interoperability index alone, without a profile (DCF 2.0)."""
    with suppress(KeyError):  # Pillow before 13, where there is no such part
        return bool(exif) and exif.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex) == "R03"
    return False


def _adobe_rgb() -> bytes:
    """The profile, as ICC.1:2001-04 writes one of three primaries and a gamma."""
    curve = struct.pack(">4sIIHH", b"curv", 0, 1, ADOBE_GAMMA, 0)
    tags = {
        name: struct.pack(">4sI3i", b"XYZ ", 0, *(round(value * 0x10000) for value in xyz))
        for name, xyz in ADOBE_RGB.items()
    } | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body
    white = struct.pack(">3i", *(round(value * 0x10000) for value in ADOBE_RGB[b"wtpt"]))
    header = struct.pack(">I4xI4s4s4s12x4s", start + len(data), 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (header.ljust(68, b"\0") + white).ljust(128, b"\0") + table + data
