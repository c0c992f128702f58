"""The named cases: an input, the role in which it is tried, and what is right.

A background is put behind an empty room: the output is the background. A camera is seen through the weakest blur, as
no person is in these frames. Output frames are written as PNG.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fuzz import hdr
from fuzz.clips import ALPHA_FORMATS
from fuzz.drawing import GREEN, GREY, GREY_STEP, ORIENTATIONS, QUARTERS, RED, SIZE, THIRDS_OVER_BLACK
from fuzz.expectations import Either, Expectation, NotCombed, Refused, Shows, Succeeds
from fuzz.images import ANIMATIONS, BOMBS, HALVES
from fuzz.runner import Case

ROOM = "{inputs}/camera/room.png"
ROOM_SIZE = 192, 128
OUTPUT = ("--output", "frames:{scratch}/out", "--quiet")


@dataclass(frozen=True, slots=True)
class Named:
    """A named case: the inputs it needs, its arguments, and what is right."""

    name: str
    inputs: Sequence[str]
    words: Sequence[str]
    right: Expectation

    def case(self) -> Case:
        """The run."""
        return Case(self.name, self.words, inputs=(*self.inputs, "camera/room.png"), outputs=("out",))


def background(file: str, right: Expectation, *more: str, frames: int = 12) -> Named:
    """A file as background."""
    words = ["--camera", f"{ROOM}?frames={frames}", "--bg", f"{{inputs}}/{file}", *OUTPUT, *more]
    return Named(" ".join([file, "as background", *more]), [file], words, right)


def camera(file: str, right: Expectation, *more: str, options: str = "") -> Named:
    """A file as camera."""
    words = ["--camera", f"{{inputs}}/{file}{options}", "--bg", "blur:0.01", *OUTPUT, *more]
    return Named(" ".join([file, "as camera", *more]), [file], words, right)


def still(file: str, right: Expectation) -> Named:
    """An image as camera."""
    return camera(file, right, options="?frames=3")


def card(file: str, right: Expectation) -> Named:
    """An image as standby card."""
    words = ["--camera", f"{ROOM}?frames=3", "--bg", "green", "--card", f"{{inputs}}/{file}", *OUTPUT]
    return Named(f"{file} as card", [file], words, right)


def model(file: str, right: Expectation) -> Named:
    """A file as network."""
    words = ["--camera", f"{ROOM}?frames=3", "--bg", "green", "--model", f"{{inputs}}/{file}", *OUTPUT]
    return Named(f"{file} as network", [file], words, right)


def config(file: str, right: Expectation, *beside: str) -> Named:
    """A configuration file, with other files beside it."""
    words = ["--config", f"{{inputs}}/{file}", "--camera", f"{ROOM}?frames=3", *OUTPUT]
    return Named(f"{file!a} as configuration", [file, *beside], words, right)


Role: TypeAlias = Callable[[str, Expectation], Named]

REFUSED_OR_SHOWN = Either([Refused(), Shows()])
EVERY_GREY = [GREY_STEP * number for number in range(30)]
EDIT_LISTS = {
    "edit-list-middle": EVERY_GREY[10:20],
    "edit-list-start-cut": EVERY_GREY[10:],
    "edit-list-end-cut": EVERY_GREY[:15],
    "edit-list-late": EVERY_GREY,
    "edit-list-two-parts": EVERY_GREY[:5] + EVERY_GREY[20:25],
}
ASPECT_SIZES = {
    "1-1000.mp4": (6, 64),
    "1000-1.mp4": (1536, 64),
    "1-2147483647.mp4": (6, 64),
    "2147483647-1.mp4": (1536, 64),
    "1-16.mp4": (6, 64),
    "16-1.mp4": (1536, 64),
    "2-1.mp4": (192, 64),
    "0-0.mp4": None,
    "0-1.mp4": None,
    "60-1.mkv": (1536, 64),
    "1-60.mkv": (6, 64),
    "60-1.ts": (1536, 64),
    "1-60.ts": (6, 64),
}


def clip_contents() -> Iterator[Named]:
    """Edit lists, counts, orientations, several streams, metadata, codecs."""
    for name, levels in EDIT_LISTS.items():
        yield camera(f"clips/{name}.mp4", Shows(SIZE, len(levels), greys=levels))
        yield background(f"clips/{name}.mp4", Shows(ROOM_SIZE, 12, greys=levels[:1]))
    yield camera("clips/edit-list-of-nothing.mp4", Either([Refused("no (frame|picture|image)"), Shows(SIZE, 30)]))
    for name in ("count-too-large.avi", "count-too-small.avi"):
        yield camera(f"clips/{name}", Shows(SIZE, 30))
    yield camera("clips/empty-samples.mp4", Shows(SIZE))
    yield background("clips/empty-samples.mp4", Shows(ROOM_SIZE, 12))
    cut = Refused("cut short|breaks off")
    yield camera("clips/cut-short.mp4", cut)
    yield camera("clips/cut-short.mkv", Either([cut, Shows(SIZE)]))
    others = ("turned-90.mkv", "turned-90-in-stream.ts", "mirrored-in-stream.ts")
    for name in (*(f"{name}.mp4" for name in ORIENTATIONS), *others):
        yield camera(f"clips/display-{name}", Shows(SIZE, 10, QUARTERS))
        yield background(f"clips/display-{name}", Shows(ROOM_SIZE, 12, QUARTERS))
    for name in (
        "cover-first.mp4",
        "cover-attached.mkv",
        "two-films-second-default.mp4",
        "two-films-second-default.mkv",
    ):
        yield camera(f"clips/{name}", Shows(SIZE, 20, {(0.5, 0.5): GREEN}))
        yield background(f"clips/{name}", Shows(ROOM_SIZE, 12, {(0.5, 0.5): GREEN}))
    for suffix in ("mp4", "mov", "mkv", "webm", "avi", "flv"):
        yield camera(f"clips/title-not-utf8.{suffix}", Shows(SIZE, 10, QUARTERS, tolerance=60))
        yield background(f"clips/title-not-utf8.{suffix}", Shows(ROOM_SIZE, 12, QUARTERS, tolerance=60))
    for suffix in ("avi", "mp4", "mkv"):
        yield from both(f"clips/unknown-codec.{suffix}", Refused("MP4|codec|decoder"))
    yield from both("clips/sound-only.mp4", Refused("no (frame|picture|image|video)"))


def clip_pixels() -> Iterator[Named]:
    """Alpha, HDR, pixel aspects, changing sizes, interlaced frames, broken frames."""
    for name in ALPHA_FORMATS:
        yield camera(f"clips/{name}", Shows(SIZE, 10, THIRDS_OVER_BLACK))
        yield background(f"clips/{name}", Shows(ROOM_SIZE, 12, THIRDS_OVER_BLACK))
    for curve in hdr.CURVES:
        for suffix in ("mp4", "mkv"):
            yield camera(f"clips/hdr-{curve}.{suffix}", Shows(hdr.SIZE, 10, hdr.COLORS, tolerance=60))
            yield background(f"clips/hdr-{curve}.{suffix}", Shows(ROOM_SIZE, 12, hdr.COLORS, tolerance=60))
    for name, size in ASPECT_SIZES.items():
        yield camera(f"clips/pixel-aspect-{name}", Shows(size, 10))
        yield background(f"clips/pixel-aspect-{name}", Shows(ROOM_SIZE, 12))
    for name, count in (("changes-size.mjpeg", 30), ("changes-size.ts", 20), ("changes-to-tiny.mjpeg", 20)):
        yield camera(f"clips/{name}", Shows(SIZE, count))
        yield background(f"clips/{name}", Shows(ROOM_SIZE, 40), frames=40)
    for name in ("changes-pixel-aspect.ts", "changes-to-huge.mjpeg"):
        yield camera(f"clips/{name}", Either([Refused(max_mb=1500), Shows(SIZE)]))
        yield background(f"clips/{name}", Either([Refused(max_mb=1500), Shows(ROOM_SIZE)]), frames=40)
    for name in ("ribbon.mjpeg", "ribbon-upright.mjpeg", "ribbon-turns.mjpeg"):
        for role in (camera, background):
            yield role(f"clips/{name}", Either([Refused(), Shows((1280, 720))]), "--size", "1280x720")
    yield camera("clips/ribbon-turns.mjpeg", Either([Refused(), Shows((4000, 40), 20)]))
    for name in ("interlaced.mp4", "interlaced.mpg"):
        yield background(f"clips/{name}", NotCombed())
    yield camera("clips/broken-one-of-30.mjpeg", Shows((320, 240)))


def both(file: str, right: Expectation) -> Iterator[Named]:
    """A file as camera and as background."""
    yield camera(file, right)
    yield background(file, right)


HEIC = Refused("HEI[CF]", never="save it as a JPEG")
ANY_SIZE = Shows(ROOM_SIZE, 12, QUARTERS)


def image_contents() -> Iterator[Named]:
    """Orientations, formats, names, animations, alpha."""
    upright = Shows((256, 192), 3, QUARTERS)
    for name in ORIENTATIONS:
        for suffix in ("jpg", "png", "webp", "tiff", "avif"):
            yield still(f"images/turn-{name}.{suffix}", upright)
        yield still(f"images/turn-{name}.heic", Either([upright, HEIC]))
    yield still("images/tiles.heic", Either([Shows((512, 384), 3), HEIC]))
    yield still("images/tiles.avif", Shows((512, 384), 3))
    yield background("images/turn-as-stored.heic", Either([ANY_SIZE, HEIC]))
    yield background("images/heic-named.jpg", Either([ANY_SIZE, HEIC]))
    yield background("images/avif-named.jpg", ANY_SIZE)
    yield background("images/mp4-named.jpg", Either([ANY_SIZE, Refused("film|video|MP4|clip")]))
    yield background("images/text-named.jpg", Refused(never="save it as a JPEG"))
    yield background("images/png-named.gif", ANY_SIZE)
    yield background("images/jpeg-named.mp4", Either([ANY_SIZE, Refused()]))
    yield background("images/cmyk.jpg", Shows(ROOM_SIZE, 12, QUARTERS, tolerance=60))
    for name in ANIMATIONS:
        yield background(f"images/{name}", Shows(ROOM_SIZE, moves=True))
        yield background(f"images/{name}", Shows(ROOM_SIZE, 1, {(0.5, 0.5): RED}), "--frames", "1")
    for suffix in ("webp", "png", "avif"):
        yield still(f"images/alpha.{suffix}", Shows(SIZE, 3, THIRDS_OVER_BLACK))
        yield background(f"images/alpha.{suffix}", Shows(ROOM_SIZE, 12, THIRDS_OVER_BLACK))


def image_faults() -> Iterator[Named]:
    """Cut short, damaged, of unusual samples; and huge ones in small files."""
    damage = "cut|damaged|incomplete|broken"
    cut = Either([Shows(says=damage), Refused(f"{damage}|breaks off", never="save it as a JPEG")])
    for suffix in HALVES:
        yield background(f"images/half.{suffix}", cut)
        if suffix not in {"gif", "heic"}:
            yield card(f"images/half.{suffix}", cut)
    yield background("images/broken.jpg", REFUSED_OR_SHOWN)
    for name in ("float.tiff", "double.tiff"):
        yield background(f"images/{name}", Either([Refused(), Shows(colors={(0.5, 0.5): GREY})]))
    yield background("images/sixteen.tiff", Shows(colors={(0.5, 0.5): GREY}))
    for name in ("zstandard.tiff", "chunk-name.png", "zero-wide.png"):
        yield background(f"images/{name}", Refused())
    small = Refused(max_mb=700)
    for name in BOMBS:
        yield background(f"bombs/{name}", small)
    yield still("bombs/whole.png", small)
    yield card("bombs/whole.png", small)
    yield background("bombs/just-fine.png", Shows(ROOM_SIZE, 12))


NOT_MATTING = (
    *("constant-all-person", "constant-no-person", "constant-half", "constant-255", "constant-1e30"),
    *("constant-minus-1e30", "constant-nan", "constant-infinite", "brightness"),
)


def networks() -> Iterator[Named]:
    """Networks that do not find the person of the built-in portrait, and files that are none."""
    for name in NOT_MATTING:
        yield model(f"networks/{name}.onnx", Refused())
    for name in ("declared-20000", "declared-2-billion", "declared-negative", "name-escape", "name-lines"):
        yield model(f"networks/{name}.onnx", Refused())
    for name in ("name-bidirectional", "name-long", "weights-device", "weights-outside", "weights-missing", "nested"):
        yield model(f"networks/{name}.onnx", Refused())
    yield model("networks/two-gigabytes-of-zeros.onnx", Refused(max_mb=700))
    for kind in ("constant-of-shape", "resize", "folded"):
        yield model(f"networks/bomb-{kind}.onnx", Refused("MB of memory", max_mb=1400))
    yield model("networks/page.onnx", Refused("text|web page"))


def settings() -> Iterator[Named]:
    """Configuration files."""
    way = "single quote|forward slash"
    yield config("settings/windows-users.toml", Refused(way))
    yield config("settings/windows-new.toml", Refused(way))
    yield config("settings/windows-good.toml", Refused(never=way))
    yield config("settings/relative.toml", Shows(ROOM_SIZE, 3, {(0.5, 0.5): GREEN}), "settings/beside.png")
    yield config("settings/https-background.toml", Refused("a file|download"))
    for name in ("escape", "long", "deep", "many-digits", "latin-1"):
        yield config(f"settings/{name}.toml", Refused())
    yield config("settings/utf-16.toml", REFUSED_OR_SHOWN)
    yield config("settings/\x1b[31mred.toml", Refused())


LONG_OPTIONS = (
    *("--bg", "--camera", "--output", "--model", "--provider", "--size", "--fps", "--fit", "--card", "--threads"),
    *("--seconds", "--config", "--nonsense", "nonsense"),
)
ESCAPES = "\x1b[31mred\x07.jpg\nnext"


def arguments() -> Iterator[Named]:
    """Long values and escape codes on the command line."""
    for option in LONG_OPTIONS:
        words = [*_others(option), *([option] if option.startswith("-") else []), "y" * 100_000, "--quiet"]
        yield Named(f"{option} of 100000 letters", [], words, Refused())
    words = [*_others(""), "--card-text", "y" * 100_000, "--quiet"]
    yield Named("--card-text of 100000 letters", [], words, Succeeds())
    for option in ("--bg", "--camera", "--output", "--model", "--size", "--config"):
        words = [*_others(option), option, ESCAPES, "--quiet"]
        yield Named(f"{option} with escape codes", [], words, Refused())
    for place in ("/dev/zero", "/dev/null", "{scratch}"):
        words = [*_others("--model"), "--model", place, "--quiet"]
        yield Named(f"--model {place}", [], words, Refused("is a (device|folder), not a file"))
    words = [*_others("--model"), "--model", "{inputs}/settings/\x1b[31mred.onnx", "--quiet"]
    yield Named("--model with escape codes in a file's name", ["settings/\x1b[31mred.onnx"], words, Refused())
    for output in ("frames:{scratch}/out/\x1b[31mred", "{scratch}/out/\x1b[31mred.mp4"):
        words = [*_others("--output"), "--output", output, "--quiet"]
        yield Named(f"{output!a} as output", [], words, Either([Succeeds(), Refused()]))


URLS = ("http://127.0.0.1:9/x.mjpeg", "https://127.0.0.1:9/x", "rtsp://me:secret@127.0.0.1:9/x")


def cameras_by_url() -> Iterator[Named]:
    """Nothing listens there."""
    for url in URLS:
        yield Named(f"{url} as camera", [], ["--camera", url, "--output", "null", "--quiet"], Refused(never="secret"))


def _others(option: str) -> list[str]:
    """What a run needs beside ``option``."""
    source = [] if option == "--camera" else ["--camera", f"{ROOM}?frames=2"]
    return source + ([] if option == "--output" else ["--output", "null"])


def special_files() -> Iterator[Named]:
    """Pipes, sockets, devices, links to themselves, folders, files that are far too large."""
    for name in ("fifo.jpg", "fifo.mp4", "fifo.gif", "fifo.webp", "socket.jpg", "zero.jpg", "zero.mp4", "null.jpg"):
        yield background(f"special/{name}", Refused())
    for name in ("loop.jpg", "folder.jpg"):
        yield background(f"special/{name}", Refused())
    yield background("special/four-gigabytes-of-zeros.jpg", Refused(max_mb=700))
    yield still("special/fifo.jpg", Refused())
    for name in ("fifo", "zero"):
        yield camera(f"special/{name}.mp4", Refused())
        yield card(f"special/{name}.jpg", Refused())
        yield model(f"special/{name}.onnx", Refused())
        yield config(f"special/{name}.toml", Refused())
    for name in ("fifo-inside", "links-to-devices"):
        yield background(f"special/{name}", Shows(ROOM_SIZE, 12, {(0.5, 0.5): GREEN}))


CASES: dict[str, Callable[[], Iterator[Named]]] = {
    "clip contents": clip_contents,
    "clip pixels": clip_pixels,
    "image contents": image_contents,
    "image faults": image_faults,
    "networks": networks,
    "settings": settings,
    "arguments": arguments,
    "cameras by URL": cameras_by_url,
    "special files": special_files,
}
"""Named cases by kind."""
