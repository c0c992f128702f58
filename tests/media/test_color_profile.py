"""Colour profiles: images in Display P3, Adobe RGB, CIELab and others are shown in sRGB."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from realtime_matte.media import color_profile, image

SIZE = (64, 48)
SRGB = np.array((200, 60, 50))
D65_TO_D50 = np.array(  # Bradford, as ICC profiles store primaries
    [[1.0478112, 0.0228866, -0.0501270], [0.0295424, 0.9904844, -0.0170491], [-0.0092345, 0.0150436, 0.7521316]]
)
PRIMARIES = {  # x, y of red, green and blue
    "srgb": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "adobe": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "rec2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
GAMMA = 2.19921875


def to_xyz(name: str) -> np.ndarray:
    """The matrix from linear RGB of these primaries and a D65 white to XYZ (Lindbloom, RGB to XYZ)."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in PRIMARIES[name]]).T
    white = np.array((0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290))
    return columns * np.linalg.solve(columns, white)


def linear(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1."""
    value = srgb / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def stored_as(name: str) -> tuple[int, ...]:
    """SRGB in 8 bits of these primaries, with GAMMA."""
    values = np.linalg.solve(to_xyz(name), to_xyz("srgb") @ linear(SRGB))
    return tuple(round(255 * value ** (1 / GAMMA)) for value in values)


def profile(name: str, *, space: bytes = b"RGB ") -> bytes:
    """An ICC profile of these primaries and GAMMA (ICC.1:2001-04)."""
    curve = struct.pack(">4sIIHH", b"curv", 0, 1, round(GAMMA * 256), 0)
    tags: dict[bytes, bytes] = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), curve)
    for tag, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), (D65_TO_D50 @ to_xyz(name)).T, strict=True):
        tags[tag] = struct.pack(">4sI3i", b"XYZ ", 0, *(round(value * 65536) for value in xyz))
    tags[b"wtpt"] = struct.pack(">4sI3i", b"XYZ ", 0, 63190, 65536, 54061)
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(data))
        body += data
    header = struct.pack(">I4xI4s4s4s12x4s", start + len(body), 0x02100000, b"mntr", space, b"XYZ ", b"acsp")
    return (header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0") + table + body


@pytest.mark.parametrize("name", ["srgb", "p3", "adobe", "rec2020"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_image_with_a_profile_is_shown_in_srgb(tmp_path: Path, form: str, name: str) -> None:
    stored = Image.new("RGB", SIZE, stored_as(name))
    exact = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}, "JPEG": {"quality": 100}}
    stored.save(tmp_path / "a.png", form, icc_profile=profile(name), **exact.get(form, {}))
    loaded = image.load(tmp_path / "a.png")
    assert loaded.notices == ()
    np.testing.assert_allclose(loaded.pixels[9, 9, ::-1], SRGB, atol=2 + (form in {"AVIF", "JPEG"}))


def test_alpha_is_kept(tmp_path: Path) -> None:
    stored = Image.new("RGBA", SIZE, (*stored_as("p3"), 128))
    stored.save(tmp_path / "a.png", icc_profile=profile("p3"))
    np.testing.assert_allclose(image.read(tmp_path / "a.png")[9, 9, ::-1], SRGB * 128 / 255, atol=2)


@pytest.mark.parametrize("mode", ["P", "RGBX"])
def test_other_modes_follow_the_profile(tmp_path: Path, mode: str) -> None:
    stored = Image.new("RGB", SIZE, stored_as("p3"))
    stored = stored.quantize() if mode == "P" else stored.convert(mode)
    stored.save(tmp_path / "a.tiff", icc_profile=profile("p3"))
    np.testing.assert_allclose(image.read(tmp_path / "a.tiff")[9, 9, ::-1], SRGB, atol=2)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
@pytest.mark.parametrize("space", [b"GRAY", b"RGB "])
def test_grey_follows_the_profile(tmp_path: Path, mode: str, space: bytes) -> None:
    """A gamma of 2.2 and sRGB differ most in the dark: 10 becomes 8 at a gamma of 2.2."""
    level = 20
    stored = Image.fromarray(np.full(SIZE[::-1], level, np.uint8)).convert(mode if mode != "I;16" else "L")
    if mode == "I;16":
        stored = Image.fromarray(np.full(SIZE[::-1], level * 257, np.uint16))
    stored.save(tmp_path / "a.png", icc_profile=profile("srgb", space=space))
    expected = (level / 255) ** GAMMA
    expected = 255 * (1.055 * expected ** (1 / 2.4) - 0.055 if expected > 0.0031308 else 12.92 * expected)
    np.testing.assert_allclose(image.read(tmp_path / "a.png")[9, 9], [expected] * 3, atol=1.5)


def test_cielab_is_shown_in_srgb(tmp_path: Path) -> None:
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.new("RGB", SIZE, tuple(SRGB)), transform)
    assert lab is not None
    lab.save(tmp_path / "a.tiff")
    np.testing.assert_allclose(image.read(tmp_path / "a.tiff")[9, 9, ::-1], SRGB, atol=2)


def test_a_cameras_adobe_rgb_without_a_profile_is_shown_in_srgb(tmp_path: Path) -> None:
    """DCF 2.0: interoperability index R03, file names that begin with an underscore."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    Image.new("RGB", SIZE, stored_as("adobe")).save(tmp_path / "_a.jpg", quality=100, exif=exif)
    np.testing.assert_allclose(image.read(tmp_path / "_a.jpg")[9, 9, ::-1], SRGB, atol=3)  # JPEG's own error


def test_exif_without_an_interoperability_part_is_srgb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_exif: Image.Exif, tag: int) -> dict[int, object]:
        raise KeyError(tag)

    monkeypatch.setattr(Image.Exif, "get_ifd", fail)  # as Pillow before 13 does
    exif = Image.Exif()
    exif[0x0112] = 1
    Image.new("RGB", SIZE, (10, 200, 30)).save(tmp_path / "a.png", exif=exif.tobytes())
    np.testing.assert_array_equal(image.read(tmp_path / "a.png")[9, 9, ::-1], (10, 200, 30))


@pytest.mark.parametrize(
    ("mode", "bad"),
    [
        ("RGB", b"no profile at all"),
        ("RGB", profile("p3")[:150]),
        ("RGB", bytes(500)),
        ("RGB", profile("p3", space=b"CMYK")),
        ("RGB", profile("p3", space=b"GRAY")),
        ("CMYK", profile("p3")),
    ],
)
def test_a_profile_that_cannot_be_used_is_left_out_and_reported(tmp_path: Path, mode: str, bad: bytes) -> None:
    Image.new("RGB", SIZE, tuple(SRGB)).convert(mode).save(tmp_path / "a.tiff", icc_profile=bad)
    loaded = image.load(tmp_path / "a.tiff")
    assert loaded.notices == (f"{str(tmp_path / 'a.tiff')!r}: {color_profile.UNREADABLE}",)
    np.testing.assert_allclose(loaded.pixels[9, 9, ::-1], SRGB, atol=2)
