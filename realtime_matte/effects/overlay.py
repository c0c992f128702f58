"""Overlays on the output: ``--overlay logo.png?at=top-right``, ``text:Name?at=bottom-left`` or ``clock``.

An image is drawn when it is opened, and again when its text changes; each frame only blends it.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np

from realtime_matte.config.config import Config
from realtime_matte.config.specs import SpecOption, at_least_zero, parse, positive, switch
from realtime_matte.effects import _text
from realtime_matte.effects._placed_image import ANCHORS, PlacedImage
from realtime_matte.errors import SpecError
from realtime_matte.frame import Pixels, Size
from realtime_matte.media.image import load_with_alpha
from realtime_matte.paths import named

STAGE: Final = "output"
OPTIONS: Final = ("overlay",)

IMAGE_SIZE: Final = 0.15
TEXT_SIZE: Final = 0.05
CLOCK_LETTERS: Final = "0123456789:"


def _anchor(text: str) -> str:
    if text not in ANCHORS:
        raise ValueError(f"one of {', '.join(ANCHORS)}")
    return text


def _share(text: str) -> float:
    value = positive(text)
    if value > 1:
        raise ValueError("a number above 0, and 1 at most")
    return value


def _opacity(text: str) -> float:
    value = at_least_zero(text)
    if value > 1:
        raise ValueError("a number from 0 to 1")
    return value


def _clock_format(text: str) -> str:
    for directive in re.findall(r"%[-_0^#:EO]*(?:.|$)", text):
        try:
            is_known = time.strftime(directive) != directive
        except ValueError:
            is_known = False
        if not is_known:
            raise ValueError(f"a format such as %H:%M: there is no {directive}")
    return text


SPEC_OPTIONS: Final[Mapping[str, SpecOption[Any]]] = {
    "at": SpecOption(_anchor, f"place: {', '.join(ANCHORS)}", default=None),
    "size": SpecOption(_share, "height of an image, or of letters, as a share of the output's height", default=None),
    "opacity": SpecOption(_opacity, "1 is opaque", default=1.0),
    "plate": SpecOption(switch, "a dark plate behind text; without it, letters have an outline", default=True),
    "font": SpecOption(str, "a font file for text", default=None),
    "format": SpecOption(_clock_format, "of a clock, as strftime: %H:%M", default="%H:%M"),
}


def open(config: Config, *, size: Size) -> "list[Overlay]":
    """The overlays of a configuration, in the order in which they are drawn. Raises SpecError, MissingFile, BadFile."""
    return [open_overlay(spec, size=size) for spec in config.overlay]


def open_overlay(spec: str, *, size: Size, clock: Callable[[], float] = time.time) -> "Overlay":
    """One overlay. Raises SpecError, MissingFile, BadFile."""
    name, options = parse(spec, SPEC_OPTIONS)
    if name == "clock":
        return _clock(options, size, clock)
    if name.startswith("text:"):
        line = " ".join(name.removeprefix("text:").split())
        if not line:
            raise SpecError("'text:' needs a text", hint="such as text:Name")
        return _text_overlay(line, options, size)
    if not name.removeprefix("image:"):
        if name:
            raise SpecError("'image:' needs a file name", hint="such as image:logo.png")
        raise SpecError(f"{spec!r} names no image", hint="such as logo.png, text:Name or clock")
    return _image(name, options, size)


class Overlay:
    """An image that is drawn on every composite.

    Args:
        image: The image, at its place.
        notices: Messages to the user.
        redraw: Gives another image when it is due, else None; called for each frame.
    """

    def __init__(
        self, image: PlacedImage, *, notices: Sequence[str] = (), redraw: Callable[[], PlacedImage | None] | None = None
    ) -> None:
        self.notices = notices
        self._image = image
        self._redraw = redraw

    def draw(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - a clock shows the time of day, not the frame's
        """Blend it."""
        self._current().draw(image)

    def draw_planes(self, image: Pixels, time: float) -> None:  # noqa: ARG002 - as above
        """Blend it into an I420 image."""
        self._current().draw_planes(image)

    def _current(self) -> PlacedImage:
        if self._redraw and (changed := self._redraw()):
            self._image = changed
        return self._image


def _image(name: str, options: Mapping[str, Any], size: Size) -> Overlay:
    loaded = load_with_alpha(named(name.removeprefix("image:")))
    pixels = loaded.pixels
    height = max(1, round((options["size"] or IMAGE_SIZE) * size[1]))
    scale = min(height / pixels.shape[0], size[0] / pixels.shape[1])
    target = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    image = PlacedImage(
        _resized(pixels, target), size=size, anchor=options["at"] or "top-right", opacity=options["opacity"]
    )
    return Overlay(image, notices=loaded.notices)


def _resized(pixels: Pixels, size: Size) -> Pixels:
    """Scaled with premultiplied colours, so that what is behind transparent pixels does not show at edges."""
    premultiplied = pixels.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    shrinks = size[0] < pixels.shape[1]
    scaled = cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    alpha = scaled[..., 3:]
    np.divide(scaled[..., :3] * 255, alpha, out=scaled[..., :3], where=alpha > 0)
    return np.asarray(np.clip(scaled + 0.5, 0, 255), np.uint8)


def _text_overlay(line: str, options: Mapping[str, Any], size: Size) -> Overlay:
    font, lacks = _text.find_font(line, options["font"])
    image = _text_image(_without(line, lacks), font, options, size, "bottom-left")
    return Overlay(image, notices=_missing_notices(line, lacks))


def _clock(options: Mapping[str, Any], size: Size, clock: Callable[[], float]) -> Overlay:
    def line() -> str:
        return time.strftime(options["format"], time.localtime(clock()))

    shown = line()
    font, lacks = _text.find_font(CLOCK_LETTERS + shown, options["font"])

    def redraw() -> PlacedImage | None:
        nonlocal shown
        if (now := line()) == shown:
            return None
        shown = now
        return _text_image(_without(now, lacks), font, options, size, "top-left")

    image = _text_image(_without(shown, lacks), font, options, size, "top-left")
    return Overlay(image, notices=_missing_notices(shown, lacks), redraw=redraw)


def _text_image(line: str, font: _text.Font, options: Mapping[str, Any], size: Size, anchor: str) -> PlacedImage:
    height = max(1, round((options["size"] or TEXT_SIZE) * size[1]))
    pixels = _text.draw_line(line, font, height_px=height, plate=options["plate"])
    if pixels.shape[1] > size[0]:  # smaller letters rather than a cut text
        height = max(1, height * size[0] // pixels.shape[1])
        pixels = _text.draw_line(line, font, height_px=height, plate=options["plate"])
    return PlacedImage(pixels, size=size, anchor=options["at"] or anchor, opacity=options["opacity"])


def _without(line: str, letters: str) -> str:
    return line.translate(dict.fromkeys(map(ord, letters)))


def _missing_notices(line: str, lacks: str) -> tuple[str, ...]:
    if not lacks:
        return ()
    return (f"the overlay {line!r} is drawn without {lacks}, which no font here has; add ?font=FILE.ttf",)
