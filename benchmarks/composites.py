"""Synthetic clips with exact truth: people of the validation split, moved along smooth paths over its rooms.

Stills and talking heads of the data pack, without their old background's colours, over rooms of the pack, with motion
blur, camera shake, exposure, noise and JPEG as webcams have. The same seed makes the same clips. They are made once
into a cache, so that every network sees the same pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from clips import SIZE, Clip, grey
from data_pack import Person, rooms, stills, talking_heads
from metrics import Pixels
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Matrix: TypeAlias = NDArray[np.float64]
"""(2, 3), affine, from an image to the frame."""
Move: TypeAlias = NDArray[np.float64]
"""To the right and down in pixels, enlargement as a fraction, rotation in degrees."""

RECIPE: Final = 1
"""Increase it when other pixels are made, so that an old cache is not used."""
CACHE: Final = Path.home() / ".cache" / "rtmatte-benchmarks"
MAX_TALKING_HEADS: Final = 4
"""Clips, at most, of people who really move."""

SEED: Final = 20240
"""Of the clips that all sets share."""
FPS: Final = 30
ENTRANCE_FRAMES: Final = 16
"""A person who enters crosses the frame's width in this time."""
SHUTTER: Final = (-0.25, 0.0, 0.25)
"""Times, in frames, at which the light of one frame is sampled: a shutter that is open half of the time."""


def load(
    data: Path,
    cache: Path = CACHE,
    *,
    clips: int = 24,
    frames: int = 30,
    empty: int = 0,
    seed: int = SEED,
    kind: str = "composites",
    backgrounds: Callable[[Path], list[Pixels]] = rooms,
) -> list[Clip]:
    """The clips, made now unless the cache holds them.

    Args:
        data: The folder of the data pack.
        cache: Where clips are kept.
        clips: How many.
        frames: Frames of each with its person in place.
        empty: Further frames before those: the empty room, then the person entering from the right.
        seed: Decides everything else.
        kind: Name of the clips in the cache.
        backgrounds: The rooms of the pack.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
        ValueError: it has too few people.
    """
    before = f"{empty}+" if empty else ""
    folder = cache / f"{kind}-{RECIPE}-{clips}x{before}{frames}-{seed}"
    files = [folder / f"{number:02}.npz" for number in range(clips)]
    if not all(file.is_file() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        for file, (images, alphas) in zip(
            files, _make(data, backgrounds(data), clips, frames, empty, seed), strict=False
        ):
            _save(file, images, alphas)
    found = sum(file.is_file() for file in files)
    if found < clips:
        raise ValueError(f"the pack in {data} has only {found} people fit to be composited; {clips} clips need as many")
    return [_stored_clip(file) for file in files]


def _make(  # noqa: PLR0917 - what ``load`` was given
    data: Path, backgrounds: Sequence[Pixels], clips: int, frames: int, empty: int, seed: int
) -> Iterator[tuple[list[Pixels], list[Pixels]]]:
    """JPEG frames and PNG alphas of each clip."""
    order = default_rng(seed)
    places = order.permutation(len(backgrounds))  # before anything else is drawn: plates.py repeats it
    people = chain(islice(talking_heads(data, frames), min(MAX_TALKING_HEADS, clips // 4)), stills(data, order))
    for number, person in enumerate(islice(people, clips)):
        room = backgrounds[places[number % len(places)]]
        yield compose(person, room, frames, default_rng([seed, number]), empty=empty)


def _save(file: Path, images: Sequence[Pixels], alphas: Sequence[Pixels]) -> None:
    sizes = np.array([len(coded) for coded in (*images, *alphas)])
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, sizes=sizes, files=np.concatenate([coded.ravel() for coded in (*images, *alphas)]))
    unfinished.replace(file)


def _stored_clip(file: Path) -> Clip:
    def decode(half: int) -> list[Pixels]:
        with np.load(file) as stored:
            parts = np.split(stored["files"], np.cumsum(stored["sizes"])[:-1])
        count = len(parts) // 2
        return [cv2.imdecode(part, cv2.IMREAD_COLOR) for part in parts[half * count : (half + 1) * count]]  # type: ignore[misc]

    return Clip(f"composite_{file.stem}", lambda: decode(0), lambda: [grey(alpha) for alpha in decode(1)])


@dataclass(frozen=True, slots=True)
class Motion:
    """A smooth movement: each component of a Move is a sum of two sines with its own size, frequency and phase."""

    sizes: NDArray[np.float64]
    hertz: NDArray[np.float64]
    phases: NDArray[np.float64]

    def at(self, time: float) -> Move:
        """The move at a time in seconds."""
        swing = np.sin(2 * np.pi * self.hertz * time + self.phases)
        move: Move = self.sizes * (0.75 * swing[0] + 0.25 * swing[1])
        return move


def compose(
    person: Person, room: Pixels, frames: int, rng: Generator, *, empty: int = 0
) -> tuple[list[Pixels], list[Pixels]]:
    """One clip: its frames as JPEG, its alphas as PNG. ``empty``: as for ``load``."""
    calm = 0.4 if len(person.alphas) > 1 else 1.0
    scene = draw_scene(rng, calm)
    motion, place, webcam = scene.motion, _placement(person, scene, calm), _webcam(scene, rng)
    images, alphas = [], []

    def matrix(time: float) -> Matrix:
        aside = SIZE[0] * max(min(SHUTTER) - time, 0) / ENTRANCE_FRAMES
        return np.asarray(place(motion.at(time / FPS)) + np.array([[0, 0, aside], [0, 0, 0]]))

    for index in range(-empty, frames):
        colours, alpha = _exposed(person, index, matrix)
        images.append(webcam(_blend(colours, alpha, background(room, scene.shake.at(index / FPS)))))
        alphas.append(cv2.imencode(".png", alpha)[1])
    return images, alphas


@dataclass(frozen=True, slots=True)
class Scene:
    """What chance decides of a clip before its first frame: nothing of it depends on the person.

    ``visible``: the person's height in pixels; ``mirrored``; ``foot``: the column of its middle. ``gain``: of the
    webcam, for each channel; ``noise``: its standard deviation; ``quality``: of its JPEG.
    """

    motion: Motion
    visible: float
    mirrored: bool
    foot: float
    shake: Motion
    gain: NDArray[np.float64]
    noise: float
    quality: int


def draw_scene(rng: Generator, calm: float = 1.0) -> Scene:
    """The scene of a clip; ``calm``: how far the person moves."""
    motion = _motion(rng, calm)
    visible, mirrored = SIZE[1] * rng.uniform(0.62, 0.9), rng.random() < 0.5  # noqa: PLR2004 - a coin
    foot = SIZE[0] * rng.uniform(0.35, 0.65)
    shake = _motion(rng, 0.0 if rng.random() < 0.5 else 0.05)  # noqa: PLR2004 - half of the cameras do not shake
    gain = rng.uniform(0.75, 1.1) * rng.uniform(0.96, 1.04, 3)
    noise, quality = rng.uniform(0.5, 5), int(rng.integers(75, 96))
    return Scene(motion, visible, mirrored, foot, shake, gain, noise, quality)


def _motion(rng: Generator, strength: float) -> Motion:
    sizes = strength * rng.uniform((6, 2, 0.01, 0.5), (50, 10, 0.06, 3.0))
    hertz = rng.uniform(0.2, 0.6, (1, 4)) * np.array([[1.0], [2.3]])
    return Motion(sizes, hertz, rng.uniform(0, 2 * np.pi, (2, 4)))


def _placement(person: Person, scene: Scene, calm: float) -> Callable[[Move], Matrix]:
    """Places the person in the frame as in a webcam image: cut by the lower edge for every move."""
    margin = 14 + 36 * calm
    scale = min((scene.visible + margin) / (person.bottom - person.top), 1.6)
    columns = np.flatnonzero((person.alphas[0][: person.bottom] > 0.5).any(axis=0))  # noqa: PLR2004 - half covered
    middle, foot = (columns[0] + columns[-1]) / 2, np.array([scene.foot, SIZE[1] + margin])

    def matrix(move: Move) -> Matrix:
        """From the person's image to the frame, rotated and scaled about the middle of the lowest row."""
        right, down, enlargement, rotation = move
        turn = cv2.getRotationMatrix2D((0, 0), rotation, scale * (1 + enlargement))[:, :2]
        turn = turn * [-1 if scene.mirrored else 1, 1]
        return np.column_stack([turn, foot + np.array([right, down]) - turn @ (middle, person.bottom)])

    return matrix


def _exposed(person: Person, index: int, matrix: Callable[[float], Matrix]) -> tuple[Floats, Pixels]:
    """Straight colours (float32) and 8-bit alpha of a frame, averaged over the time of the open shutter."""
    moment = min(max(index, 0), len(person.alphas) - 1)
    total = np.zeros((SIZE[1], SIZE[0], 4), np.float32)
    for time in SHUTTER:
        transform = matrix(index + time)
        colours = cv2.warpAffine(person.colours[moment], transform, SIZE, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(person.alphas[moment], transform, SIZE)
        total[..., :3] += colours * alpha[..., None]
        total[..., 3] += alpha
    straight = total[..., :3] / np.maximum(total[..., 3:], np.float32(1e-6))
    return np.asarray(straight, np.float32), np.rint(total[..., 3] * (255 / len(SHUTTER))).astype(np.uint8)


def background(room: Pixels, move: Move) -> Pixels:
    """The middle of a room, filling the frame with a small margin for the camera's shake."""
    height, width = room.shape[:2]
    right, down, enlargement, rotation = move
    scale = 1.05 * max(SIZE[0] / width, SIZE[1] / height) * (1 + enlargement)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rotation, scale)
    turn[:, 2] += (SIZE[0] - width) / 2 + right, (SIZE[1] - height) / 2 + down
    return cv2.warpAffine(room, turn, SIZE, borderMode=cv2.BORDER_REFLECT).astype(np.uint8, copy=False)


def _blend(colours: Floats, alpha: Pixels, background: Pixels) -> Floats:
    opacity = np.divide(alpha, 255, dtype=np.float32)[..., None]
    return np.asarray(colours * opacity + background * (1 - opacity), np.float32)


def _webcam(scene: Scene, rng: Generator) -> Callable[[Floats], Pixels]:
    """A webcam's slight faults: exposure, a tint, noise, JPEG. Returns JPEG bytes."""

    def shoot(light: Floats) -> Pixels:
        exposed = light * scene.gain + scene.noise * rng.standard_normal(light.shape, np.float32)
        pixels = np.clip(np.rint(exposed), 0, 255).astype(np.uint8)
        return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, scene.quality])[1].astype(np.uint8, copy=False)

    return shoot
