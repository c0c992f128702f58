"""Image files that are hostile, damaged or something else: one clear error, and nothing on the terminal."""

import io
import os
import socket
import struct
import subprocess
import sys
import warnings
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from realtime_matte.errors import BadFile, MissingDependency
from realtime_matte.media import image
from realtime_matte.media.animation import Animation

SIDE = 30_000  # 900 megapixels
FORMATS = ["AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"]


def noise() -> Image.Image:
    """Pixels that hardly compress: a file cut in half has lost half of them."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8))


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def tiff_header(width: int, height: int) -> bytes:
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 9)]
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        + bytes(99)
    )


def tiff_of_huge_tiles() -> bytes:
    """An image of 100x100 in one tile of 900 megapixels."""
    tags = [
        (256, 100),
        (257, 100),
        (258, 8),
        (259, 8),
        (262, 1),
        (277, 1),
        (322, SIDE),
        (323, SIDE),
        (324, 8),
        (325, 9),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(99)


def jpeg_header(width: int, height: int) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    scan = b"\xff\xda" + struct.pack(">HB", 8, 1) + b"\x01\0\0\x3f\0"
    return b"\xff\xd8" + frame + scan + bytes(99)


def jpeg_2000_header(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("L", (8, 8)).save(data, "JPEG2000", no_jp2=True)
    return data.getvalue()[:8] + struct.pack(">II", width, height) + data.getvalue()[16:]


DATA = struct.pack(">I", 99) + b"IDAT" + bytes(99)  # of a PNG

BOMBS = {
    "png": png_header(SIDE, SIDE) + DATA,
    "jpeg": jpeg_header(SIDE, SIDE),
    "tiff": tiff_header(SIDE, SIDE),
    "tiles": tiff_of_huge_tiles(),
    "bmp": b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(99),
    "gif": b"GIF89a"
    + struct.pack("<HH", SIDE, SIDE)
    + b"\0\0\0"
    + b","
    + struct.pack("<4H", 0, 0, SIDE, SIDE)
    + bytes(9),
    "webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + 2 * (SIDE // 2).to_bytes(3, "little") + bytes(20),
    "ppm": b"P6 %d %d 255\n" % (SIDE, SIDE) + bytes(99),
    "pgm": b"P5 %d %d 65535\n" % (SIDE, SIDE) + bytes(99),
    "pbm": b"P4 %d %d\n" % (SIDE, SIDE) + bytes(99),
    "jp2": jpeg_2000_header(SIDE, SIDE),
    "153 megapixels": png_header(12_400, 12_400) + DATA,
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_an_image_too_large_for_memory_is_not_decoded(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "crop", None)
    (tmp_path / "a.jpg").write_bytes(data)
    webp = r"is a damaged WebP|is cut short or damaged \(could not create decoder object\)"  # depends on Pillow
    with pytest.raises(BadFile, match=rf"a\.jpg' (has more than 150 megapixels; save it smaller|{webp})"):
        image.read(tmp_path / "a.jpg")


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(4 << 30)
    with pytest.raises(BadFile, match=r"a\.jpg' has 4295 MB, more than any image that can be shown; save it smaller"):
        image.read(tmp_path / "a.jpg")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_an_image_cut_short_is_one_error(tmp_path: Path, form: str, part: float) -> None:
    path = tmp_path / "a.jpg"
    noise().save(path, form)
    path.write_bytes(path.read_bytes()[: max(20, int(path.stat().st_size * part))])
    with pytest.raises(BadFile, match=r"a\.jpg' is (a damaged|cut short or damaged).*; make a new copy of it"):
        image.read(path)


COMPRESSIONS = ["tiff_lzw", "tiff_adobe_deflate", "zstd", "packbits", "jpeg"]


def test_damage_is_no_traceback_and_no_line_on_the_terminal(tmp_path: Path) -> None:
    """libtiff, libpng and libjpeg write to the file of standard error, past Python; Pillow logs and warns."""
    kinds = [*((form, {}) for form in FORMATS), *(("TIFF", {"compression": name}) for name in COMPRESSIONS)]
    for kind, (form, options) in enumerate(kinds):
        for seed in range(5):
            path = tmp_path / f"{kind}-{seed}.jpg"
            noise().save(path, form, **options)
            data = bytearray(path.read_bytes())
            random = np.random.default_rng(seed)
            for position in random.integers(0, len(data), 40):
                data[position] = random.integers(256)
            path.write_bytes(data)
    run = subprocess.run([sys.executable, "-c", READ_ALL, tmp_path], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.stdout + run.stderr == ""


READ_ALL = """
import logging, sys
from pathlib import Path
from realtime_matte.errors import MatteError
from realtime_matte.media import image
logging.basicConfig(level=logging.DEBUG)
for path in Path(sys.argv[1]).iterdir():
    try:
        image.read(path)
    except MatteError as error:
        assert len(str(error)) < 400 and "\\n" not in str(error), error
"""


def test_warnings_of_pillow_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It warns of a decompression bomb from 89 megapixels on, here from 1000 pixels on."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("1", (40, 40)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert image.read(tmp_path / "a.png").shape == (40, 40, 3)


def test_an_open_animation_leaves_the_warnings_of_others_alone(tmp_path: Path) -> None:
    images = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:])
    with closing(Animation(tmp_path / "a.gif")), pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def null_device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
@pytest.mark.parametrize("make", [fifo, unix_socket, device, null_device])
@pytest.mark.parametrize("call", [image.read, image.is_animated, image.can_animate])
def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path, make: object, call: object) -> None:
    make(tmp_path / "a.webp")  # type: ignore[operator]
    try:
        assert call(tmp_path / "a.webp") is False  # type: ignore[operator]
    except BadFile as error:
        assert "a.webp' is a " in str(error)  # noqa: PT017 - the two that only look do not raise
        assert ", not a file; name a file" in str(error)  # noqa: PT017


CONTENTS = {
    "video": (b"\0\0\0\x20ftypisom" + bytes(99), "is a video, not an image; name it as one"),
    "matroska": (b"\x1a\x45\xdf\xa3" + bytes(99), "is a video, not an image; name it as one"),
    "page": (b"<html>404 Not Found</html>\n", "is a text or web page, not an image; name a JPEG or PNG"),
    "radiance": (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 9\n" + bytes(99), "is not an image that can be"),
    "zeros": (bytes(500), "is not an image that can be read; save it as a PNG"),
    "no width": (png_header(0, 10) + bytes(99), "is a damaged PNG"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a text or web page, not an image"),
}


@pytest.mark.parametrize(("data", "message"), CONTENTS.values(), ids=CONTENTS.keys())
def test_the_error_says_what_a_file_is(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(BadFile, match=message) as caught:
        image.read(tmp_path / "a.jpg")
    assert "save it as a JPEG" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_video_that_is_named_as_one_is_no_image_for_an_overlay_or_a_card(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(CONTENTS["matroska"][0])
    with pytest.raises(BadFile, match=r"a\.mkv' is a video, not an image; name a JPEG or PNG file"):
        image.read(tmp_path / "a.mkv")


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_samples_of_32_bits_are_refused(tmp_path: Path, dtype: type) -> None:
    Image.fromarray(np.zeros((4, 6), dtype)).save(tmp_path / "a.tiff")
    with pytest.raises(BadFile, match=r"a\.tiff' has samples of 32 bits.*; save it as a PNG"):
        image.read(tmp_path / "a.tiff")


HEIC_HEADER = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)


def test_a_heic_names_the_package_that_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    (tmp_path / "a.jpg").write_bytes(HEIC_HEADER)
    with pytest.raises(MissingDependency, match=r"a\.jpg' is a HEIC image, .* pi-heif is missing; run pip install pi-"):
        image.read(tmp_path / "a.jpg")


@pytest.mark.parametrize("box", [b"pitm", b"infe", b"iloc", b"ispe", b"av1C", b"mdat"])
def test_a_damaged_avif_is_a_bad_file(tmp_path: Path, box: bytes) -> None:
    """Its decoder raises RuntimeError, when it is opened (a box is missing) or later (its data are zeros)."""
    memory = io.BytesIO()
    noise().save(memory, "AVIF")
    data = memory.getvalue()
    at = data.index(box) + 4
    damaged = data[:at] + bytes(2000) + data[at + 2000 :] if box == b"mdat" else data.replace(box, b"none")
    (tmp_path / "damaged.avif").write_bytes(damaged)
    with pytest.raises(BadFile, match="damaged"):
        image.read(tmp_path / "damaged.avif")


def test_a_damaged_heic_is_a_bad_file(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    (tmp_path / "a.jpg").write_bytes(HEIC_HEADER)
    with pytest.raises(BadFile, match="damaged"):
        image.read(tmp_path / "a.jpg")


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_only_the_first_of_several_images_is_reported(tmp_path: Path, form: str) -> None:
    images = [Image.new("RGB", (64, 48), color) for color in ("red", "blue")]
    images[0].save(tmp_path / "a.png", form, save_all=True, append_images=images[1:])
    loaded = image.load(tmp_path / "a.png")
    assert [notice.partition("' ")[2] for notice in loaded.notices] == ["holds 2 images: only the first image is shown"]
    np.testing.assert_allclose(loaded.pixels[24, 32], (0, 0, 255), atol=4)  # lossy formats


def test_the_modules_of_pillow_can_read_what_is_promised() -> None:
    assert all(features.check(name) for name in ("avif", "webp", "jpg_2000", "libtiff", "littlecms2"))
