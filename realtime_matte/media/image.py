"""Image files, read by Pillow as (H, W, 3) BGR: upright, in sRGB, 8 bits a channel, alpha over black."""

import ctypes
import importlib
import logging
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from realtime_matte.errors import BadFile, MatteError, MissingDependency, MissingFile, read_hint
from realtime_matte.frame import Pixels
from realtime_matte.media.color_profile import make_converter
from realtime_matte.media.orientation import from_exif
from realtime_matte.paths import open_regular

SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".heic", ".heif", ".hif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png"}
    | {".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)

FORMATS: Final = ("JPEG", "PNG", "BMP", "GIF", "PPM", "AVIF", "HEIF", "JPEG2000", "TIFF", "WEBP")
"""Formats that are read, by Pillow's names. Pillow has more, some of which start other programs.

It loads the first five at once. At the first other one that it tries, it loads all that it has: a tenth of a second.
"""

ANIMATED: Final = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
"""Formats in which several frames are an animation; in others they are pages, or a photograph's depth."""

MAX_MEGAPIXELS: Final = 150  # more than any camera's; 600 MB decoded, at 4 bytes a pixel
MAX_FILE_BYTES: Final = 600_000_000

BAND_ROWS: Final = 256
"""Rows that are converted at a time, so that a large image is in memory twice, not four times."""

HEADER_BYTES: Final = 512
ORIENTATION: Final = 0x0112  # EXIF
TILE_WIDTH, TILE_HEIGHT = 322, 323  # tags of TIFF
NEW_COPY: Final = "make a new copy of it"

HEIC: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")

MAGIC: Final = {
    "PNG": (b"\x89PNG",),
    "JPEG": (b"\xff\xd8",),
    "GIF": (b"GIF8",),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "JPEG 2000": (b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51"),
    "PNM": (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"PF", b"Pf"),
}
"""How files of each format begin."""

DECODE_ERRORS: Final = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,  # of AVIF
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""Pillow's exceptions for damaged files."""

ToPixels: TypeAlias = Callable[[Image.Image], Pixels]


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """An image (H, W, 3) BGR, and the messages to the user about its file."""

    pixels: Pixels
    notices: tuple[str, ...]


def read(path: Path) -> Pixels:
    """The pixels alone; see ``load``."""
    return load(path).pixels


def load(path: Path) -> LoadedImage:
    """The image in a file, or the first one of several.

    Raises:
        MissingFile: There is no file, or it cannot be read.
        BadFile: It is not an image, is damaged, or is too large.
        MissingDependency: It is a HEIC, and pi-heif is not installed.
    """
    with open_image(path) as image, damage_reported(path):
        image.load()
        to_pixels, notices = make_reader(path, image)
        further = getattr(image, "n_frames", 1) - 1 if image.format in ANIMATED | {"TIFF"} else 0
        if further > 0:
            notices += (f"{str(path)!r} holds {further + 1} images: only the first image is shown",)
        return LoadedImage(to_pixels(image), notices)


def load_with_alpha(path: Path) -> LoadedImage:
    """The image in a file as (H, W, 4) straight BGRA; opaque if the file has no transparency. Raises as ``load``."""
    with open_image(path) as image, damage_reported(path):
        image.load()
        to_pixels, notices = make_reader(path, image)
        if not image.has_transparency_data:
            pixels = to_pixels(image)
            return LoadedImage(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]), notices)
        straight = image.convert("RGBA")
        alpha = np.asarray(straight.getchannel("A"))[..., None]
        upright = from_exif(image.getexif().get(ORIENTATION)).upright(alpha)
        return LoadedImage(np.dstack([to_pixels(straight.convert("RGB")), upright]), notices)


def can_animate(path: Path) -> bool:
    """Whether a file, whatever its name, has a format of which some files are animations; False if it is not read."""
    return _animation_frames(path) > 0


def is_animated(path: Path) -> bool:
    """Whether a file, whatever its name, is an animation; False if it cannot be read."""
    return _animation_frames(path) > 1


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """The file, its header read and its size checked.

    Raises:
        MissingFile, BadFile, MissingDependency
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")  # its errors contain everything
    _silence_libraries()
    with _opened(path) as file:
        header = file.read(HEADER_BYTES)
        if not header:
            raise BadFile(f"{str(path)!r} is an empty file", hint="name an image such as a JPEG or PNG")
        if _format(header) == "HEIC":
            _register_heic(path)
        file.seek(0)
        with _identified(path, file, header) as image:
            if max(image.width * image.height, _tile_pixels(image)) > MAX_MEGAPIXELS * 1_000_000:
                raise too_large(path)
            yield image


def make_reader(path: Path, image: Image.Image) -> tuple[ToPixels, tuple[str, ...]]:
    """A function that converts the decoded image, or a later frame, into pixels; and messages to the user.

    Raises:
        BadFile: Its samples are neither 8 nor 16 bits.
    """
    if image.mode == "F" or (image.mode == "I" and image.format not in {"PNG", "PPM"}):
        raise BadFile(
            f"{str(path)!r} has samples of 32 bits, which are read in no defined way", hint="save it as a PNG"
        )
    convert, problem = make_converter(image)
    orientation = from_exif(image.getexif().get(ORIENTATION))

    def to_pixels(image: Image.Image) -> Pixels:
        pixels = np.empty((image.height, image.width, 3), np.uint8)
        for top in range(0, image.height, BAND_ROWS):
            band = image.crop((0, top, image.width, min(top + BAND_ROWS, image.height)))
            pixels[top : top + band.height] = _band_pixels(band, convert)
        return np.ascontiguousarray(orientation.upright(pixels))

    return to_pixels, (f"{str(path)!r}: {problem}",) if problem else ()


def over_black(bgra: Pixels) -> Pixels:
    """A straight BGRA image (H, W, 4) composited over black, (H, W, 3)."""
    alpha = bgra[..., 3:].astype(np.uint16)
    return np.asarray((bgra[..., :3] * alpha + 127) // 255, np.uint8)


def too_large(path: Path) -> BadFile:
    """The error for an image of more than MAX_MEGAPIXELS."""
    return BadFile(f"{str(path)!r} has more than {MAX_MEGAPIXELS} megapixels", hint="save it smaller")


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Errors of decoding as BadFile."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise too_large(path) from error
    except DECODE_ERRORS as error:
        if isinstance(error, MatteError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadFile(f"{str(path)!r} is cut short or damaged ({reason[:100]})", hint=NEW_COPY) from error


def _tile_pixels(image: Image.Image) -> int:
    """Pixels of a tile of a TIFF, which may be larger than the image; 0 for other images."""
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(TILE_WIDTH, 0), tags.get(TILE_HEIGHT, 0)
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _animation_frames(path: Path) -> int:
    """0 if the file cannot be an animation, 1 for a single image, 2 for several."""
    try:
        with open_image(path.expanduser()) as image:
            return 1 + bool(getattr(image, "is_animated", False)) if image.format in ANIMATED else 0
    except (MatteError, *DECODE_ERRORS):  # RuntimeError: also a home folder that is not known
        return 0


def _band_pixels(band: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Pixels:
    """(h, w, 3) BGR of a part of an image."""
    if band.mode.startswith("I"):
        band = Image.fromarray(_eight_bits(np.asarray(band)))
    if not band.has_transparency_data:
        return np.asarray(convert(band))[..., ::-1]
    straight = band.convert("RGBA")
    alpha = np.asarray(straight.getchannel("A"))
    return over_black(np.dstack([np.asarray(convert(straight.convert("RGB")))[..., ::-1], alpha]))


def _eight_bits(samples: np.ndarray) -> Pixels:
    """Samples of 16 bits, rounded to 8."""
    return np.asarray((samples.astype(np.uint32) + 128) // 257, np.uint8)


def _opened(path: Path) -> BinaryIO:
    try:
        size = path.stat()
        if stat.S_ISREG(size.st_mode) and size.st_size > MAX_FILE_BYTES:
            raise BadFile(
                f"{str(path)!r} has {size.st_size / 1e6:.0f} MB, more than any image that can be shown",
                hint="save it smaller",
            )
        return open_regular(path)
    except MatteError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise MissingFile(f"cannot read the image {str(path)!r}: {reason}", hint=read_hint(error)) from error


def _identified(path: Path, file: BinaryIO, header: bytes) -> Image.Image:
    """The image, not decoded yet. Raises BadFile, with the kind of file if Pillow does not know it."""
    with damage_reported(path):
        try:
            return Image.open(file, formats=FORMATS if "HEIF" in Image.OPEN else _WITHOUT_HEIC)
        except UnidentifiedImageError as error:
            raise _not_an_image(path, header) from error


_WITHOUT_HEIC: Final = tuple(name for name in FORMATS if name != "HEIF")


def _not_an_image(path: Path, header: bytes) -> BadFile:
    """The error for a file that Pillow cannot identify, with its kind by the first bytes."""
    if known := _format(header):
        return BadFile(f"{str(path)!r} is a damaged {known} file, or of a rare kind that cannot be read", hint=NEW_COPY)
    if header[4:8] in {b"ftyp", b"moov", b"mdat"} or header.startswith((b"\x1a\x45\xdf\xa3", b"RIFF", b"OggS", b"FLV")):
        named_as_image = path.suffix.lower() in SUFFIXES
        hint = "name it as one, such as .mp4 or .mkv" if named_as_image else "name a JPEG or PNG file"
        return BadFile(f"{str(path)!r} is a video, not an image", hint=hint)
    if _is_text(header):
        return BadFile(f"{str(path)!r} is a text or web page, not an image", hint="name a JPEG or PNG file")
    return BadFile(f"{str(path)!r} is not an image that can be read", hint="save it as a PNG")


def _format(header: bytes) -> str | None:
    """The name of the image format that a file of these first bytes has."""
    if header[4:8] == b"ftyp":
        brands = header[8 : int.from_bytes(header[:4], "big")]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        return "HEIC" if any(brand in brands for brand in HEIC) else None
    if header.startswith(b"RIFF") and header[8:12] == b"WEBP":
        return "WebP"
    return next((name for name, beginnings in MAGIC.items() if header.startswith(beginnings)), None)


def _is_text(header: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        return header.decode("utf-8", "strict").isprintable() or b"\0" not in header
    return False


def _register_heic(path: Path) -> None:
    """Let Pillow read HEIC. Raises MissingDependency."""
    try:
        importlib.import_module("pi_heif").register_heif_opener()
    except ImportError as error:
        raise MissingDependency(
            f"{str(path)!r} is a HEIC image, for which the package pi-heif is missing",
            hint="run pip install pi-heif, or save the image as a JPEG",
        ) from error


@cache
def _silence_libraries() -> None:
    """Suppress the log of Pillow, and of libtiff, which writes to standard error."""
    log = logging.getLogger("PIL")
    if log.level == logging.NOTSET:
        log.setLevel(logging.CRITICAL)
    with suppress(OSError, AttributeError, TypeError):  # on Windows libtiff is a part of Pillow, without a name
        library = ctypes.CDLL(Image.core.__file__)  # type: ignore[attr-defined]  # and what it depends on
        for setter in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
            setter(None)
