"""HEIC and AVIF images, also turned and of several tiles, as phones write them (ISO 23008-12)."""

import io
import struct
from collections.abc import Callable

import av
import numpy as np
from fuzz.boxes import Box, box, full_box, parse
from fuzz.drawing import ORIENTATIONS, Image, stored
from PIL import Image as PillowModule

Codec = Callable[[Image], tuple[bytes, bytes]]
"""From an image to its configuration box and its data."""

ESSENTIAL = 0x80
"""Of a property: a reader that does not know it must not show the image."""


def write(image: Image, codec: Codec, *, orientation: str = "as-stored", tiles: tuple[int, int] = (1, 1)) -> bytes:
    """A file of one image.

    Args:
        image: To be shown; one tile of it.
        codec: ``hevc`` or ``av1``.
        orientation: How it is stored, a name of ORIENTATIONS.
        tiles: So many times the image, rows and columns.
    """
    image = stored(image, orientation)
    configuration, data = codec(image)
    kind, brand = (b"hvc1", b"heic") if codec is hevc else (b"av01", b"avif")
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf" if codec is av1 else b"heix")
    size = image.shape[1] * tiles[1], image.shape[0] * tiles[0]
    grid = struct.pack(">BBBBII", 0, 1, tiles[0] - 1, tiles[1] - 1, *size) if tiles != (1, 1) else b""
    properties, links = _properties(image, configuration, size, orientation=orientation, grid=bool(grid))
    count = tiles[0] * tiles[1]

    def meta(start: int) -> bytes:
        places = [(start, len(data))] * count + ([(start + len(data), len(grid))] if grid else [])
        return _meta(kind, places, properties, links, grid=bool(grid))

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", data, grid)


def hevc(image: Image) -> tuple[bytes, bytes]:
    """The hvcC box and the data of one frame."""
    memory = io.BytesIO()
    options = {"x265-params": "log-level=none:qp=4:bframes=0"}
    with av.open(memory, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1, options=options)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(image, "bgr24")
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    table = Box(b"root", children=parse(memory.getvalue())).find(b"moov", b"trak", b"mdia", b"minf", b"stbl")
    (start,) = struct.unpack_from(">I", table.find(b"stco").body, 8)
    one_size, _count, *first = struct.unpack_from(">3I", table.find(b"stsz").body.ljust(16, b"\0"), 4)
    data = memory.getvalue()[start : start + (one_size or first[0])]
    return _box_within(table.find(b"stsd").body, b"hvcC"), data


def av1(image: Image) -> tuple[bytes, bytes]:
    """The av1C box and the data of one frame, from Pillow's AVIF.

    Not from FFmpeg's libsvtav1: run as root, that makes the thread which calls it a real-time one, and each thread
    which that one starts later. libvpx's encoder threads spin while they wait for each other: at that priority they
    keep each other off the processor for ever.
    """
    memory = io.BytesIO()
    rgb = PillowModule.fromarray(np.ascontiguousarray(image[..., ::-1]))
    rgb.save(memory, "AVIF", quality=100, subsampling="4:2:0", speed=8)
    content = {part.kind: part.body for part in parse(memory.getvalue())}
    return _box_within(content[b"meta"], b"av1C"), content[b"mdat"]


def _box_within(data: bytes, kind: bytes) -> bytes:
    """The one box of that type, wherever it stands."""
    start = data.index(kind) - 4
    (size,) = struct.unpack_from(">I", data, start)
    return data[start : start + size]


def _properties(
    image: Image, configuration: bytes, size: tuple[int, int], *, orientation: str, grid: bool
) -> tuple[list[bytes], tuple[list[int], list[int]]]:
    """The property boxes, and which of them belong to a tile and to the image that is shown."""
    height, width = image.shape[:2]
    properties = [
        configuration,
        full_box(b"ispe", struct.pack(">II", width, height)),
        full_box(b"pixi", b"\3\x08\x08\x08"),
    ]
    tile, shown = [1 | ESSENTIAL, 2, 3], [3]
    if grid:
        properties.append(full_box(b"ispe", struct.pack(">II", *size)))
        shown.append(len(properties))
    else:
        shown = tile
    quarter_turns, axis = ORIENTATIONS[orientation].heif
    for kind, value in ((b"irot", quarter_turns or None), (b"imir", axis)):
        if value is not None:
            properties.append(box(kind, bytes([value])))
            shown.append(len(properties) | ESSENTIAL)
    return properties, (tile, shown)


def _meta(
    kind: bytes,
    places: list[tuple[int, int]],
    properties: list[bytes],
    links: tuple[list[int], list[int]],
    *,
    grid: bool,
) -> bytes:
    """The meta box of items at these (offset, length); the last one is shown."""
    main = len(places)
    kinds = [kind] * (main - grid) + [b"grid"] * grid
    infos = b"".join(
        full_box(b"infe", struct.pack(">HH4s", number, 0, one), b"\0", version=2, flags=int(grid and one != b"grid"))
        for number, one in enumerate(kinds, 1)
    )
    located = b"".join(struct.pack(">HHHII", number, 0, 1, *place) for number, place in enumerate(places, 1))
    associations = b"".join(
        struct.pack(">HB", number, len(own)) + bytes(own)
        for number in range(1, main + 1)
        for own in [links[1] if number == main else links[0]]
    )
    tiles = struct.pack(f">HH{main - 1}H", main, main - 1, *range(1, main))
    return full_box(
        b"meta",
        full_box(b"hdlr", struct.pack(">I4s12x", 0, b"pict"), b"\0"),
        full_box(b"pitm", struct.pack(">H", main)),
        full_box(b"iloc", struct.pack(">HH", 0x4400, main), located),
        full_box(b"iinf", struct.pack(">H", main), infos),
        box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", struct.pack(">I", main), associations)),
        full_box(b"iref", box(b"dimg", tiles)) if grid else b"",
    )
