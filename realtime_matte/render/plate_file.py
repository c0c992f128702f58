"""A clean plate in a file: a PNG whose alpha is the validity, with where it comes from as text.

It is an image of a room, so it is written for its user alone. What is read is bounded, and checked before it is used.
"""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realtime_matte.errors import BadFile, MissingFile, SinkError
from realtime_matte.media.image import DECODE_ERRORS
from realtime_matte.media.new_file import check_writable, write_error, write_whole
from realtime_matte.paths import open_regular
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate

VERSION: Final = 1
KEY: Final = "rtmatte-plate"
"""Keyword of the PNG's text."""

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
HEAD_BYTES: Final = 256
"""Of a file, for its kind: the text comes right after the header."""

MAX_BYTES: Final = 16_000_000
MAX_CELLS: Final = 2_000_000
"""A grid has a tenth of that."""

MAX_SIDE: Final = 100_000
"""Pixels of a side of the camera's frames."""

MAX_TEXT: Final = 4_000
"""Characters of the text: a camera's name and a few words."""

PRIVATE: Final = 0o600
MAKE: Final = "make it with: rtmatte calibrate --plate FILE"


def check_plate_writable(path: Path) -> None:
    """Check that ``write_plate`` can write there, and replaces nothing but a plate. Raises SinkError."""
    check_writable(path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise write_error(path, error.errno, error.strerror) from error
    if head and not (head.startswith(SIGNATURE) and KEY.encode() in head):
        raise SinkError(
            f"cannot write the plate {str(path)!r}: a file that is not a plate of an empty room has that name",
            hint="name another file, or delete it",
        )


def write_plate(path: Path, plate: StoredPlate) -> None:
    """Write it, for this user alone, and only when it is complete; an existing file is replaced. Raises SinkError."""
    about = PngInfo()
    about.add_text(KEY, json.dumps({"version": VERSION, **asdict(plate.origin)}))
    pixels = np.dstack([plate.colours[..., ::-1], plate.validity])
    data = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(data, "PNG", pnginfo=about)
    write_whole(path, data.getvalue(), mode=PRIVATE)


def read_plate(path: Path) -> StoredPlate:
    """The plate in a file.

    Raises:
        MissingFile: There is none, or it cannot be read.
        BadFile: It is no plate, is damaged, too large, or of another version.
    """
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MissingFile(f"cannot read the plate {str(path)!r}: {error.strerror}", hint=MAKE) from error
    if len(data) > MAX_BYTES:
        raise BadFile(f"the plate {str(path)!r} is larger than {MAX_BYTES // 1_000_000} MB", hint=MAKE)
    try:
        return _decode(data)
    except (*DECODE_ERRORS, MemoryError, Image.DecompressionBombError) as error:
        raise BadFile(f"{str(path)!r} is not a plate of an empty room, or is damaged", hint=MAKE) from error


def _decode(data: bytes) -> StoredPlate:
    """The plate in a PNG. Raises one of DECODE_ERRORS."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        if image.mode != "RGBA" or not 0 < image.width * image.height <= MAX_CELLS:
            raise ValueError("not of a plate's kind or size")
        text = image.info.get(KEY)
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ValueError("no plate's text")
        about = json.loads(text)
        if not isinstance(about, dict) or about.pop("version") != VERSION:
            raise ValueError("of another kind or version")
        origin = PlateOrigin(**about)
        _check(origin)
        image.load()
        pixels = np.asarray(image)
    colours = np.ascontiguousarray(pixels[..., 2::-1])
    return StoredPlate(colours, pixels[..., 3].copy(), PlateOrigin(**{**about, "mode": tuple(origin.mode)}))


def _check(origin: PlateOrigin) -> None:
    """Raise TypeError or ValueError unless every value has its type, and the mode is one that a camera can have."""
    texts = isinstance(origin.camera, str) and isinstance(origin.view, str)
    mode = isinstance(origin.mode, list) and list(map(type, origin.mode)) == [int, int]
    if not (texts and mode and type(origin.exposure) in {int, type(None)}):  # a bool is an int, too
        raise TypeError("a value of another type")
    if not all(0 < side <= MAX_SIDE for side in origin.mode):
        raise ValueError("no camera has this mode")
