"""Still images and animations: turned, misnamed, cut short, damaged, and huge ones in small files (bombs)."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from fuzz import clips, heif
from fuzz.drawing import BLUE, GREEN, GREY, ORIENTATIONS, RED, Image, encoded, flat, noise, quarters, stored, thirds
from PIL import Image as PillowModule

Writer = Callable[[Path], None]

SIZE = 256, 192
HUGE = 30_000
"""Pixels a side of most bombs: 900 megapixels, 2.7 GB as BGR."""

ORIENTATION_TAG = 0x0112
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tiff"}


def to_pillow(image: Image) -> PillowModule.Image:
    """Pillow's image of BGR or BGRA."""
    return PillowModule.fromarray(np.ascontiguousarray(image[..., [2, 1, 0, 3][: image.shape[2]]]))


def saved(image: Image | PillowModule.Image, file_format: str, **options: object) -> bytes:
    """A file by Pillow."""
    memory = io.BytesIO()
    (image if isinstance(image, PillowModule.Image) else to_pillow(image)).save(memory, file_format, **options)
    return memory.getvalue()


def by(make: Callable[..., bytes], *given: object, **more: object) -> Writer:
    """Writes what ``make`` returns."""

    def write(path: Path) -> None:
        path.write_bytes(make(*given, **more))

    return write


def turned(name: str, file_format: str) -> bytes:
    """An EXIF orientation."""
    exif = PillowModule.Exif()
    exif[ORIENTATION_TAG] = ORIENTATIONS[name].exif
    options = {"lossless": True} if file_format == "WEBP" else {}
    return saved(stored(quarters(SIZE), name), file_format, exif=exif, **options)


def animation(file_format: str) -> bytes:
    """Red, green, blue, a tenth of a second each; pages of a TIFF."""
    first, *others = (to_pillow(flat(color)) for color in (RED, GREEN, BLUE))
    timing = {} if file_format == "TIFF" else {"duration": 100, "loop": 0}
    return saved(first, file_format, save_all=True, append_images=others, **timing)


def half(file_format: str) -> bytes:
    """Cut in half."""
    data = heif.write(noise((320, 256)), heif.hevc) if file_format == "HEIC" else saved(noise(), file_format)
    return data[: min(len(data) // 2, 40_000)]


def zeros_inside() -> bytes:
    """A JPEG with 200 bytes lost in the middle."""
    data = bytearray(encoded(noise(), ".jpg"))
    data[2000:2200] = bytes(200)
    return bytes(data)


def png(width: int, height: int, *, bits: int = 8, color_type: int = 0, body: bytes | None = None) -> bytes:
    """A whole black PNG; ``body``: what stands in place of its pixels."""
    if body is None:
        compressor = zlib.compressobj(9)
        row = bytes(1 + (width * bits * {0: 1, 2: 3, 6: 4}[color_type] + 7) // 8)
        body = b"".join([compressor.compress(row) for _ in range(height)] + [compressor.flush()])
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(
    width: int, height: int, strip: bytes, *, rows: int, compression: int = 1, bits: int = 8, sample_format: int = 1
) -> bytes:
    """A grey TIFF whose strips of ``rows`` are all the same bytes, stored once."""
    strips = -(-height // rows)
    short, long = "H", "I"
    tags: list[tuple[int, str, Sequence[int]]] = [
        (256, long, [width]), (257, long, [height]), (258, short, [bits]), (259, short, [compression]),
        (262, short, [1]), (273, long, [0] * strips), (277, short, [1]), (278, long, [rows]),
        (279, long, [len(strip)] * strips), (339, short, [sample_format]),
    ]  # fmt: skip
    after = 8 + 2 + 12 * len(tags) + 4
    lists = sum(4 * len(values) for _, code, values in tags if code == long and len(values) > 1)
    entries, outside = b"", b""
    for tag, code, values in tags:
        data = struct.pack(f"<{len(values)}{code}", *([after + lists] * strips if tag == 273 else values))
        where = data.ljust(4, b"\0")
        if len(data) > 4:
            where = struct.pack("<I", after + len(outside))
            outside += data
        entries += struct.pack("<HHI", tag, 3 if code == short else 4, len(values)) + where
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + outside + strip


def webp(width: int, height: int) -> bytes:
    """A whole lossless WebP of one grey: each of its five codes has one symbol, so that its pixels take no bits."""
    bits = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    for symbol in (128, 0, 0, 255, 0):
        one_bit = symbol < 2
        bits += [(1, 1), (0, 1), (0 if one_bit else 1, 1), (symbol, 1 if one_bit else 8)]
    number = shift = 0
    for value, count in bits:
        number |= value << shift
        shift += count
    body = number.to_bytes(-(-shift // 8) + 1, "little")
    body += bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", 12 + len(body)) + b"WEBPVP8L" + struct.pack("<I", len(body)) + body


def patched(data: bytes, mark: bytes, offset: int, code: str, *numbers: int) -> bytes:
    """The bytes with numbers written at a place behind ``mark``."""
    changed = bytearray(data)
    struct.pack_into(code, changed, (data.index(mark) if mark else 0) + offset, *numbers)
    return bytes(changed)


def jpeg_bomb() -> bytes:
    """A small JPEG that declares a huge size."""
    return patched(encoded(flat(GREY), ".jpg"), b"\xff\xc0", 5, ">HH", HUGE, HUGE)


def gif_bomb() -> bytes:
    """A small image on a huge canvas."""
    return patched(saved(flat(RED), "GIF"), b"", 6, "<HH", 20_000, 20_000)


def jpeg_2000_bomb() -> bytes:
    """A small code stream that declares a huge size of one tile."""
    data = patched(saved(flat(GREY), "JPEG2000"), b"ihdr", 4, ">II", HUGE, HUGE)
    return patched(data, b"\xff\x51", 6, ">6I", HUGE, HUGE, 0, 0, HUGE, HUGE)


def bmp_bomb() -> bytes:
    """8 bits, run lengths, whose first row ends the image."""
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, HUGE, HUGE, 1, 8, 1, 2, 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", 14 + 40 + 1024 + 2, 0, 0, 14 + 40 + 1024) + header + palette + b"\0\1"


def apng_bomb(path: Path) -> None:
    """A small animation that declares a huge size."""
    clips.write(path, [flat(RED), flat(GREEN)], "apng", "rgb24")
    data = patched(path.read_bytes(), b"IHDR", 4, ">II", HUGE, HUGE)
    at = data.index(b"IHDR")
    path.write_bytes(patched(data, b"IHDR", 17, ">I", zlib.crc32(data[at : at + 17])))


def misnamed_clip(path: Path) -> None:
    """An MP4 whatever its name is."""
    clips.write(path.with_suffix(".mp4"), [quarters()] * 10)
    path.with_suffix(".mp4").replace(path)


def webp_animation_bomb() -> bytes:
    """A small animation on a huge canvas."""
    data = animation("WEBP")
    return data[:24] + (16_382).to_bytes(3, "little") * 2 + data[30:]


HALVES = {
    "jpg": "JPEG", "avif": "AVIF", "bmp": "BMP", "jp2": "JPEG2000", "png": "PNG", "ppm": "PPM", "tiff": "TIFF",
    "webp": "WEBP", "gif": "GIF", "heic": "HEIC",
}  # fmt: skip

ANIMATIONS = {
    "moves.avif": "AVIF", "moves-apng.png": "PNG", "moves-gif.webp": "GIF", "moves-webp.png": "WEBP",
    "moves-gif.png": "GIF", "moves.gif": "GIF", "moves.webp": "WEBP", "moves-webp.gif": "WEBP",
    "moves-tiff.tif": "TIFF",
}  # fmt: skip

HALF_GREY = np.full((100, 100), 0.5)

IMAGES: dict[str, Writer] = {
    **{f"turn-{name}.{end}": by(turned, name, kind) for name in ORIENTATIONS for kind, end in SUFFIXES.items()},
    **{f"turn-{name}.avif": by(heif.write, quarters(SIZE), heif.av1, orientation=name) for name in ORIENTATIONS},
    **{f"turn-{name}.heic": by(heif.write, quarters(SIZE), heif.hevc, orientation=name) for name in ORIENTATIONS},
    "tiles.heic": by(heif.write, quarters(SIZE), heif.hevc, tiles=(2, 2)),
    "tiles.avif": by(heif.write, quarters(SIZE), heif.av1, tiles=(2, 2)),
    **{name: by(animation, file_format) for name, file_format in ANIMATIONS.items()},
    "heic-named.jpg": by(heif.write, quarters(SIZE), heif.hevc),
    "avif-named.jpg": by(heif.write, quarters(SIZE), heif.av1),
    "png-named.gif": by(encoded, quarters(), ".png"),
    "jpeg-named.mp4": by(encoded, quarters(), ".jpg"),
    "mp4-named.jpg": misnamed_clip,
    "text-named.jpg": by(lambda: b"<html>404 Not Found</html>\n"),
    "alpha.webp": by(saved, thirds(), "WEBP", lossless=True, exact=True),
    "alpha.png": by(saved, thirds(), "PNG"),
    "alpha.avif": by(saved, thirds(), "AVIF", quality=100),
    "cmyk.jpg": by(lambda: saved(to_pillow(quarters()).convert("CMYK"), "JPEG", quality=100)),
    **{f"half.{end}": by(half, file_format) for end, file_format in HALVES.items()},
    "broken.jpg": by(zeros_inside),
    "float.tiff": by(tiff, 100, 100, HALF_GREY.astype("<f4").tobytes(), rows=100, bits=32, sample_format=3),
    "double.tiff": by(tiff, 100, 100, HALF_GREY.astype("<f8").tobytes(), rows=100, bits=64, sample_format=3),
    "sixteen.tiff": by(tiff, 100, 100, np.full((100, 100), 1 << 15, "<u2").tobytes(), rows=100, bits=16),
    "zstandard.tiff": by(tiff, 100, 100, b"\x28\xb5\x2f\xfd" + bytes(500), rows=100, compression=50000),
    "chunk-name.png": by(lambda: encoded(quarters(), ".png").replace(b"IDAT", b"IDAU", 1)),
    "zero-wide.png": by(png, 0, 10, body=b""),
}
"""Writers by file name."""

BOMBS: dict[str, Writer] = {
    "declared.png": by(png, HUGE, HUGE, color_type=2, body=zlib.compress(bytes(1000))),
    "whole.png": by(png, HUGE, HUGE, bits=1),
    "whole-alpha.png": by(png, 12_400, 12_400, color_type=6),
    "declared.jpg": by(jpeg_bomb),
    "whole.tiff": by(lambda: tiff(HUGE, HUGE, zlib.compress(bytes(100 * HUGE), 9), rows=100, compression=8)),
    "declared.tif": by(tiff, HUGE, HUGE, bytes(100), rows=HUGE),
    "whole.webp": by(webp, 16_383, 16_383),
    "declared.jp2": by(jpeg_2000_bomb),
    **{
        f"declared.p{kind}m": by(lambda magic=magic, top=top: b"%s %d %d%s\n" % (magic, HUGE, HUGE, top) + bytes(1000))
        for kind, magic, top in (("p", b"P6", b" 255"), ("g", b"P5", b" 255"), ("b", b"P4", b""))
    },
    "declared.bmp": by(bmp_bomb),
    "whole.avif": by(heif.write, flat(RED, (1024, 1024)), heif.av1, tiles=(16, 16)),
    "whole.heic": by(heif.write, flat(RED, (1024, 1024)), heif.hevc, tiles=(16, 16)),
    "radiance.jpg": by(lambda: b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (HUGE, HUGE) + bytes(1000)),
    "pfm.jpg": by(lambda: b"PF\n%d %d\n-1.0\n" % (HUGE, HUGE) + bytes(1000)),
    "pam.jpg": by(
        lambda: b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n" % (HUGE, HUGE) + bytes(1000)
    ),
    "sun.jpg": by(lambda: struct.pack(">8I", 0x59A66A95, HUGE, HUGE, 24, 1000, 1, 0, 0) + bytes(1000)),
    "gif.jpg": by(gif_bomb),
    "declared.gif": by(gif_bomb),
    "canvas-animated.webp": by(webp_animation_bomb),
    "declared.apng": apng_bomb,
}
"""Writers by file name: each declares more than 150 megapixels, in a file below 2 MB."""

FINE: dict[str, Writer] = {"just-fine.png": by(png, 12_000, 9_000, bits=1)}
"""108 megapixels, as phones take."""
