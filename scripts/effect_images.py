"""Draws the images of docs/how-to/effects.md from the sample portrait: ``python scripts/effect_images.py``.

Each shows the pipeline's output before and after. The portrait is NASA's, in the public domain; the lights of the room
behind her are drawn, since a photographer's wall has nothing to blur.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.benchmark.memory_source import MemorySource
from realtime_matte.frame import Pixels
from realtime_matte.media.fit import fit_image
from realtime_matte.pipeline.commands import Command
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.portrait import sample_portrait
from realtime_matte.remover import matte_image

FOLDER: Final = Path(__file__).parents[1] / "docs" / "images"
SIZE: Final = (1280, 720)
SHOWN: Final = (480, 270)
QUALITY: Final = 78
MODEL: Final = "small?quality=high"
STEPS: Final = 110
"""Frames until automatic framing has moved to its place, at 30 a second."""

SCREEN: Final = (64, 177, 0)

IMAGES: Final[Mapping[str, tuple[str, Mapping[str, object], Mapping[str, object]]]] = {
    "rotate": ("turned", {}, {"rotate": "180"}),
    "contain": ("upright", {"bg": "beach"}, {"bg": "beach", "camera_fit": "contain"}),
    "zoom": ("room", {"bg": "beach"}, {"bg": "beach", "zoom": 1.6, "center": "0.46,0.56"}),
    "auto-frame": ("room", {"bg": "beach"}, {"bg": "beach", "auto_frame": True}),
    "lens": ("room", {"bg": "blur"}, {"bg": "blur?lens"}),
    "room": ("room", {"bg": "blur"}, {"bg": "room?brightness=0.5&saturation=0&blur=0.03"}),
    "chromakey": ("screen", {"bg": "room?blur=0&brightness=1&saturation=1"}, {"bg": "beach", "model": "chromakey"}),
    "low-light": ("dark", {"bg": "beach"}, {"bg": "beach", "low_light": "auto"}),
    "white-balance": ("tinted", {"bg": "beach"}, {"bg": "beach", "white_balance": "auto"}),
    "harmonize": ("room", {"bg": "beach"}, {"bg": "beach", "harmonize": 0.6}),
    "overlay": (
        "room",
        {"bg": "studio"},
        {"bg": "studio", "overlay": ("text:Eileen Collins?size=0.07", "clock?format=10:04&at=top-right&size=0.07")},
    ),
}
"""Scene, and the options before and after, by the name of the image."""


def main(names: Sequence[str]) -> int:
    """Draw the named images, or all."""
    FOLDER.mkdir(exist_ok=True)
    scenes = {"room": room(), "screen": on_screen()}
    scenes["turned"] = np.ascontiguousarray(scenes["room"][::-1, ::-1])
    scenes["upright"] = np.ascontiguousarray(scenes["room"][:, 345:750])
    scenes["dark"] = lit(scenes["room"], (0.17, 0.17, 0.17))
    scenes["tinted"] = lit(scenes["room"], (0.4, 0.9, 1.7))
    for name in names or IMAGES:
        scene, before, after = IMAGES[name]
        pair = [output(scenes[scene], options) for options in (before, after)]
        save(FOLDER / f"effect-{name}.jpg", pair)
    return 0


def room() -> Pixels:
    """The portrait in front of a drawn room with lamps, books and a poster, seen from a little farther."""
    photo = cv2.resize(sample_portrait(), (600, 600), interpolation=cv2.INTER_AREA)
    matte = matte_image(photo, model=MODEL)
    assert matte.foreground is not None  # noqa: S101 - refined
    wall = _wall()
    part = wall[120:720, 340:940]
    alpha = np.clip(matte.alpha, 0, 1)[..., None]
    part[:] = matte.foreground * alpha + part * (1 - alpha)
    return wall


def on_screen() -> Pixels:
    """The same in front of a green screen that is lit unevenly."""
    photo = cv2.resize(sample_portrait(), (600, 600), interpolation=cv2.INTER_AREA)
    matte = matte_image(photo, model=MODEL)
    assert matte.foreground is not None  # noqa: S101 - refined
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    light = 1 - 0.4 * np.hypot(x / SIZE[0] - 0.3, y / SIZE[1] - 0.2)
    screen = (np.array(SCREEN) * light[..., None]).astype(np.uint8)
    part = screen[120:720, 340:940]
    alpha = np.clip(matte.alpha, 0, 1)[..., None]
    part[:] = matte.foreground * alpha + part * (1 - alpha)
    return screen


def lit(scene: Pixels, light: tuple[float, float, float]) -> Pixels:
    """The scene in another light: factors of blue, green and red."""
    linear = (scene / 255) ** 2.2 * light
    return np.asarray(np.rint(255 * np.clip(linear, 0, 1) ** (1 / 2.2)), np.uint8)


def _wall() -> Pixels:
    wall = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    wall[:] = (88, 104, 122)
    wall[560:] = (50, 66, 88)
    random = np.random.default_rng(4)
    for shelf in (180, 320, 460):
        cv2.rectangle(wall, (40, shelf), (420, shelf + 12), (40, 60, 90), -1)
        left = 50
        while left < 400:  # noqa: PLR2004 - the end of the shelf
            width, height = int(random.integers(12, 28)), int(random.integers(60, 105))
            color = [int(value) for value in random.integers(40, 190, 3)]
            cv2.rectangle(wall, (left, shelf - height), (left + width, shelf), color, -1)
            left += width + 2
    cv2.rectangle(wall, (900, 120), (1200, 330), (205, 210, 215), -1)
    cv2.putText(wall, "PRIVATE", (925, 240), cv2.FONT_HERSHEY_DUPLEX, 1.9, (60, 60, 60), 4, cv2.LINE_AA)
    for number in range(26):
        x, y = 880 + 14 * number, round(430 + 22 * np.sin(number / 2.5))
        cv2.circle(wall, (x, y), 5, ((170, 220, 255), (255, 255, 255), (140, 190, 255))[number % 3], -1, cv2.LINE_AA)
    return wall


def output(scene: Pixels, options: Mapping[str, object]) -> Pixels:
    """The last of a few output frames for a still scene."""
    chosen = {"bg": "studio", "model": MODEL} | dict(options)
    background, model = str(chosen.pop("bg")), str(chosen.pop("model"))
    source = MemorySource([scene, scene])
    opened = Pipeline.open(source, background, outputs="null", model=model, size=SIZE, notify=_ignore, **chosen)
    with opened as pipeline:
        for _ in range(STEPS if "auto_frame" in chosen else 4):
            pipeline.step()
        reply = pipeline.submit(Command("snapshot"))
        pipeline.step()
        image = reply.result(timeout=10)
    assert isinstance(image, np.ndarray)  # noqa: S101 - of snapshot
    return image


def save(file: Path, pair: Sequence[Pixels]) -> None:
    """Write before and after, side by side."""
    small = [fit_image(image, SHOWN, "cover") for image in pair]
    gap = np.full((SHOWN[1], 6, 3), 255, np.uint8)
    cv2.imwrite(str(file), np.hstack([small[0], gap, small[1]]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def _ignore(_line: str) -> None:
    """The messages are for users."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
