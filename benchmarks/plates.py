"""Sets of clips whose room is known: each has a clean plate, a right one or one of several wrong ones.

The clips are those of composites.py, whose rooms are known exactly. A right plate is what the clip's own webcam sees of
the room without the person, on average over half a second, so it is as sharp as a plate that was learned while the
camera shook. Networks that have no use for a plate ignore it, so that all are scored on the same pixels.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

import composites
import cv2
import lookalikes
import numpy as np
from clips import SIZE, Clip, KnownRoom, fit, read_image
from composites import FPS, SEED, Scene
from data_pack import NO_PERSON, NO_PERSON2, rooms, rows
from metrics import Alpha, Pixels
from numpy.random import Generator, default_rng

LoadRooms: TypeAlias = Callable[[Path], list[Pixels]]
LoadClips: TypeAlias = Callable[[Path, Path], list[Clip]]
Spoil: TypeAlias = Callable[[Pixels, Generator], Pixels]
"""From a right plate to a wrong one."""

CLIPS: Final = 24
"""As many as ``composites`` has, so that its cache is used."""
LONG_FRAMES: Final = 90
SEEN_FRAMES: Final = 30
"""What ``partial`` knows of the room was visible in these frames, the first second, which are not scored."""
MARGIN: Final = np.ones((15, 15), np.uint8)
"""How far from the person the plate of ``partial`` ends, in pixels of 640x360: 3 to 4 cells of the network's grid."""
EMPTY_FRAMES: Final = 20
"""Of ``empty``."""
SURE: Final = 255
"""Validity of what was seen all the time."""
SHIFT: Final = (6, 4)
"""To the right and down, in pixels of 640x360: about 3 and 2 cells of the network's grid."""
DARK: Final = 0.85
"""Exposure of ``dark``, as a factor."""
OBJECTS: Final = 3
"""Pieces of furniture that ``moved`` adds to the plate, and as many that it takes away."""


def full(data: Path, cache: Path) -> list[Clip]:
    """The composites, with all of their rooms known."""
    return _with_plates(composites.load(data, cache), data)


def partial(data: Path, cache: Path) -> list[Clip]:
    """The second second of the long composites; of the room is known what was visible in the first one."""
    clips = composites.load(data, cache, frames=LONG_FRAMES)
    plates = _plates(data, len(clips))
    return [_seen_before(clip, plate) for clip, plate in zip(clips, plates, strict=True)]


def shifted(data: Path, cache: Path) -> list[Clip]:
    """As ``full``, with plates that are moved by SHIFT."""
    return _with_plates(composites.load(data, cache), data, lambda plate, _: _moved(plate))


def dark(data: Path, cache: Path) -> list[Clip]:
    """As ``full``, with plates of another exposure."""
    return _with_plates(composites.load(data, cache), data, lambda plate, _: _darkened(plate))


def furniture(data: Path, cache: Path) -> list[Clip]:
    """As ``full``, with plates in which objects are gone, and others stand that are not there."""
    return _with_plates(composites.load(data, cache), data, _refurnished)


def other_room(data: Path, cache: Path) -> list[Clip]:
    """As ``full``, with the plate of the next clip's room."""
    clips = composites.load(data, cache)
    plates = _plates(data, len(clips))
    return [_with_plate(clip, plate) for clip, plate in zip(clips, [*plates[1:], plates[0]], strict=True)]


def lookalike(data: Path, cache: Path) -> list[Clip]:
    """People beside and before chairs, coats, striped curtains, posters of people and statues, which the plate has."""
    furnished = lookalikes.furnished_rooms
    kinds = [kind for kind, _, _ in lookalikes.OBJECTS]
    clips = composites.load(data, cache, clips=len(kinds), kind="lookalikes", backgrounds=furnished)
    places = default_rng(SEED).permutation(len(kinds))
    with_plates = _with_plates(clips, data, backgrounds=furnished)
    return [replace(clip, kind=kinds[place]) for clip, place in zip(with_plates, places, strict=True)]


def empty(data: Path, _: Path) -> list[Clip]:
    """A shot of each image without a person, as a webcam shows it, with its plate: how many alarms are left."""
    found = [row for table in (NO_PERSON, NO_PERSON2) for row in rows(data, table)]
    return [_empty_clip(data / row["image"], number) for number, row in enumerate(found)]


def _empty_clip(file: Path, number: int) -> Clip:
    noise, quality = default_rng([SEED, number]).uniform((0.5, 75), (5, 96))

    def image() -> Pixels:
        pixels = fit(read_image(file)[0])
        return np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])

    def frames() -> list[Pixels]:
        room, rng = image(), default_rng([SEED, number, 1])
        return [webcam_frame(room, noise, round(quality), rng) for _ in range(EMPTY_FRAMES)]

    def plate() -> KnownRoom:
        room = image()
        return KnownRoom(room, np.full(room.shape[:2], SURE, np.uint8))

    def alphas() -> list[Alpha]:
        return [np.zeros(image().shape[:2], np.float32)] * EMPTY_FRAMES

    return Clip(file.stem, frames, alphas, read_plate=plate)


def webcam_frame(room: Pixels, noise: float, quality: int, rng: Generator) -> Pixels:
    """With noise, as JPEG."""
    noisy = np.clip(np.rint(room + noise * rng.standard_normal(room.shape, np.float32)), 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _with_plates(
    clips: list[Clip], data: Path, spoil: Spoil = lambda plate, _: plate, *, backgrounds: LoadRooms = rooms
) -> list[Clip]:
    plates = _plates(data, len(clips), backgrounds)
    spoiled = [spoil(plate, default_rng([SEED, number, 1])) for number, plate in enumerate(plates)]
    return [_with_plate(clip, plate) for clip, plate in zip(clips, spoiled, strict=True)]


def _plates(data: Path, clips: int, backgrounds: LoadRooms = rooms) -> list[Pixels]:
    """The right plate of each clip, (H, W, 3)."""
    images = backgrounds(data)
    places = default_rng(SEED).permutation(len(images))
    return [
        _plate(images[places[number % len(places)]], composites.draw_scene(default_rng([SEED, number])))
        for number in range(clips)
    ]


def _plate(room: Pixels, scene: Scene) -> Pixels:
    """The mean of what the webcam sees of the room in the half second before the first frame."""
    seen = [composites.background(room, scene.shake.at(index / FPS)) for index in range(-FPS // 2, 0)]
    exposed: Pixels = np.clip(np.rint(np.mean(seen, axis=0) * scene.gain), 0, 255).astype(np.uint8)
    return exposed


def _darkened(plate: Pixels) -> Pixels:
    return cv2.convertScaleAbs(plate, alpha=DARK).astype(np.uint8, copy=False)


def _with_plate(clip: Clip, plate: Pixels) -> Clip:
    known = KnownRoom(plate, np.full(plate.shape[:2], SURE, np.uint8))
    return Clip(clip.name, clip.read_frames, clip.read_alphas, read_plate=lambda: known)


def _seen_before(clip: Clip, plate: Pixels) -> Clip:
    """The second after SEEN_FRAMES, with a plate of what was visible until then."""
    second = slice(SEEN_FRAMES, 2 * SEEN_FRAMES)

    def read_plate() -> KnownRoom:
        covered = [cv2.dilate((alpha > 0.02).astype(np.uint8), MARGIN) for alpha in clip.alphas[:SEEN_FRAMES]]  # noqa: PLR2004 - alpha of the visible background
        seen = 1 - np.mean(covered, axis=0)  # the share of the time
        validity = np.where(seen > 0, np.rint(50 + (SURE - 50) * seen), 0).astype(np.uint8)
        return KnownRoom(np.where(validity[..., None] > 0, plate, 0).astype(np.uint8), validity)

    return Clip(clip.name, lambda: clip.frames[second], lambda: clip.alphas[second], read_plate=read_plate)


def _moved(plate: Pixels) -> Pixels:
    matrix = np.array([[1, 0, SHIFT[0]], [0, 1, SHIFT[1]]], np.float64)
    return cv2.warpAffine(plate, matrix, SIZE, borderMode=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)


def _refurnished(plate: Pixels, rng: Generator) -> Pixels:
    """Patches of the room stand elsewhere, and others are painted over by their surroundings."""
    result = plate.copy()
    for _ in range(OBJECTS):
        mask = _object(rng)
        result = cv2.inpaint(result, mask, 5, cv2.INPAINT_TELEA).astype(np.uint8, copy=False)
    for _ in range(OBJECTS):
        mask = _object(rng)
        elsewhere = np.roll(plate, tuple(rng.integers(60, 300, 2)), axis=(0, 1))
        result[mask > 0] = elsewhere[mask > 0]
    return result


def _object(rng: Generator) -> Pixels:
    """A mask of a box or an ellipse anywhere in the image."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    x, y = (int(rng.integers(0, side)) for side in SIZE)
    width, height = (int(side) for side in rng.integers(25, 75, 2))
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        cv2.rectangle(mask, (x - width, y - height), (x + width, y + height), 255, -1)
    else:
        cv2.ellipse(mask, (x, y), (width, height), 0, 0, 360, 255, -1)
    return mask
