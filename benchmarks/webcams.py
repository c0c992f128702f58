"""Six simulated webcams, and the set of clips that each of them records of the same people.

One webcam is good, five have the faults of bad webcams. The simulation follows the physics where it matters, in linear
light, 1 being white. A sensor's noise is that of counted photons and of reading them out (Foi et al. 2008, *Practical
Poissonian-Gaussian Noise Modeling*): a dark room has more of it because its image is amplified.

Half of the people are composited over rooms of the pack, every other one of those in 4:3; the other half are shown in
their own room, as in the portraits. Training simulates noise, blur, motion and tints too, by other formulas and in
other ranges (training/augment/camera_degradation.py).
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import composites
import cv2
import numpy as np
from clips import Clip, webcam_view_clip
from data_pack import trusted
from metrics import Alpha, Pixels
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

Item = TypeVar("Item")

Light: TypeAlias = NDArray[np.float32]
"""(H, W, 3), BGR, linear, from 0; above 1 where a sensor clips it."""
Camera: TypeAlias = Callable[[Light, Alpha], Pixels]
"""From a scene to an image of it; the alpha says where the person is, for light that falls on the background alone."""

GAMMA: Final = np.float32(2.2)
WHITE: Final = np.float32(1)
LINEAR: Final[NDArray[np.float32]] = (np.arange(256, dtype=np.float32) / np.float32(255)) ** GAMMA
"""The linear light of each of the 256 pixel values."""

SEED: Final = 20261
PORTRAITS_SEED: Final = 7
PEOPLE: Final = 60
FRAMES: Final = 3
NARROW: Final = slice(80, 560)
"""The columns of a composite that a 4:3 webcam shows."""


def load(data: Path, cache: Path = composites.CACHE, *, people: int = PEOPLE) -> list[Clip]:
    """``people`` clips of FRAMES frames by each camera, of the same people; ``kind`` is the camera's name.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
        ValueError: it has too few people.
    """
    composited = composites.load(data, cache, clips=people // 2, frames=FRAMES, seed=SEED)
    chosen = islice(trusted(data, default_rng(SEED)), people // 2)
    photographs = [webcam_view_clip(data / row["image"], data / row["alpha"]) for row in chosen]
    scenes = [*(_narrowed(clip) if number % 2 else clip for number, clip in enumerate(composited)), *photographs]
    return [_recorded(scene, camera, number) for camera in CAMERAS for number, scene in enumerate(scenes)]


def load_portraits(data: Path, split: str, *, people: int) -> list[Clip]:
    """At most ``people`` portraits of a split in their own rooms, by the good and by the dark webcam.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
    """
    chosen = islice(trusted(data, default_rng(PORTRAITS_SEED), split=split), people)
    scenes = [webcam_view_clip(data / row["image"], data / row["alpha"]) for row in chosen]
    return [_recorded(scene, camera, number) for camera in ("good", "dark") for number, scene in enumerate(scenes)]


def load_noisy(data: Path, cache: Path = composites.CACHE, *, people: int = 12) -> list[Clip]:
    """``people`` of the composites, 30 frames each, recorded by the dark webcam: a high gain, so a lot of noise.

    Raises:
        FileNotFoundError: the pack is not in ``data``.
    """
    return [_recorded(scene, "dark", number) for number, scene in enumerate(composites.load(data, cache)[:people])]


def _narrowed(clip: Clip) -> Clip:
    return Clip(
        clip.name,
        lambda: [frame[:, NARROW] for frame in clip.frames],
        lambda: [alpha[:, NARROW] for alpha in clip.alphas],
    )


def _recorded(scene: Clip, name: str, number: int) -> Clip:
    """A scene recorded by one of CAMERAS; a still is shown in all of the frames."""

    def alphas() -> list[Alpha]:
        return _repeated(scene.alphas)

    def frames() -> list[Pixels]:
        camera = CAMERAS[name](default_rng([SEED, number, *name.encode()]))
        return [camera(LINEAR[frame], alpha) for frame, alpha in zip(_repeated(scene.frames), alphas(), strict=True)]

    return Clip(f"{name}_{scene.name}", frames, alphas, kind=name)


def _repeated(items: Sequence[Item]) -> list[Item]:
    return list(items) * max(1, FRAMES // len(items))


def good(rng: Generator) -> Camera:
    """A little noise, light JPEG compression."""
    return lambda light, _: _coded(_sensed(light, rng, photons=2000), 90)


def dark(rng: Generator) -> Camera:
    """A room lit by a screen: three to five stops less light, amplified in part, with faded colours."""
    dimmed = 2 ** -rng.uniform(3, 5)
    gain, saturation = rng.uniform(0.15, 0.5) / dimmed, rng.uniform(0.4, 0.9)

    def shoot(light: Light, _: Alpha) -> Pixels:
        sensed = _sensed(light * np.float32(dimmed), rng, photons=600) * np.float32(gain)
        grey = sensed.mean(axis=2, keepdims=True, dtype=np.float32)
        return _coded(grey + np.float32(saturation) * (sensed - grey), 75)

    return shoot


def backlit(rng: Generator) -> Camera:
    """A bright background, the person in the shade, and stray light over both."""
    background, person, veil = rng.uniform(1.5, 4), rng.uniform(0.15, 0.5), rng.uniform(0.03, 0.12)

    def shoot(light: Light, alpha: Alpha) -> Pixels:
        lit = light * (alpha * (person - background) + background).astype(np.float32)[..., None]
        stray = cv2.blur(
            cv2.resize(np.minimum(lit, 2), None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA), (31, 31)
        )
        lit += np.float32(veil) * cv2.resize(stray, lit.shape[1::-1])
        return _coded(_sensed(lit, rng, photons=800), 80)

    return shoot


def tinted(rng: Generator) -> Camera:
    """White balance far off, to red or to blue, and too much contrast."""
    shift = rng.choice([-1, 1]) * rng.uniform(0.4, 0.8)
    balance = np.exp(np.array([-shift, rng.uniform(-0.15, 0.15), shift])).astype(np.float32)
    contrast = np.float32(rng.uniform(1.2, 1.8))
    return lambda light, _: _coded(_sensed((light * balance) ** contrast, rng, photons=2000), 85)


def coarse(rng: Generator) -> Camera:
    """200 to 300 columns of real resolution, sharpened by the driver, strongly compressed."""
    scale, sharpness, quality = rng.uniform(0.3, 0.45), rng.uniform(0.5, 1.5), int(rng.integers(15, 36))

    def shoot(light: Light, _: Alpha) -> Pixels:
        small = cv2.resize(light, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        large = cv2.resize(_developed(_sensed(np.asarray(small, np.float32), rng, photons=600)), light.shape[1::-1])
        sharp = cv2.addWeighted(large, 1 + sharpness, cv2.GaussianBlur(large, (0, 0), 2.5), -sharpness, 0)
        return _jpeg(np.asarray(sharp, np.uint8), quality)

    return shoot


def soft(rng: Generator) -> Camera:
    """Out of focus, with a greasy lens, and moved during the exposure."""
    sigma, smear = rng.uniform(1.2, 2.8), int(rng.integers(3, 16))

    def shoot(light: Light, _: Alpha) -> Pixels:
        blurred = cv2.blur(cv2.GaussianBlur(light, (0, 0), sigma), (smear, 1))
        return _coded(_sensed(np.asarray(blurred, np.float32), rng, photons=600), 80)

    return shoot


CAMERAS: Final[dict[str, Callable[[Generator], Camera]]] = {
    camera.__name__: camera for camera in (good, dark, backlit, tinted, coarse, soft)
}


def _sensed(light: Light, rng: Generator, *, photons: float) -> Light:
    """What a sensor counts that holds ``photons`` photons at white and has a read-out noise of three."""
    held = np.minimum(light, WHITE)
    variance = (held + np.float32(9 / photons)) * np.float32(1 / photons)
    counted = held + np.sqrt(variance) * rng.standard_normal(light.shape, np.float32)
    return np.asarray(np.maximum(counted, 0), np.float32)


def _developed(light: Light) -> Pixels:
    return np.asarray(np.rint(255 * np.clip(light, 0, WHITE) ** (1 / GAMMA)), np.uint8)


def _coded(light: Light, quality: int) -> Pixels:
    return _jpeg(_developed(light), quality)


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
