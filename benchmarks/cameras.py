"""Six webcams: a good one, and five as bad as people own. Physics where it matters, in linear light, 1 being white.

A sensor's noise is that of counted photons and of reading them out (Foi et al. 2008, *Practical Poissonian-Gaussian
Noise Modeling*): a dark room has more of it because it is made bright again.
"""

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from metrics import Alpha, Pixels
from numpy.random import Generator
from numpy.typing import NDArray

Light: TypeAlias = NDArray[np.float32]
"""(H, W, 3), BGR, linear, from 0; above 1 where a sensor will clip it."""
Camera: TypeAlias = Callable[[Light, Alpha], Pixels]
"""A frame of what stands before it; the alpha says who is a person, for light that falls on the room alone."""

GAMMA = np.float32(2.2)
WHITE = np.float32(1)
LINEAR: NDArray[np.float32] = (np.arange(256, dtype=np.float32) / np.float32(255)) ** GAMMA
"""The light that each of the 256 values of a picture stands for."""


def good(chance: Generator) -> Camera:
    """A little noise, light JPEG."""
    return lambda light, _: _coded(_sensed(light, chance, photons=2000), 90)


def dark(chance: Generator) -> Camera:
    """A room lit by a screen: three to five stops less light, made bright again in part, colours fading."""
    dimmed = 2 ** -chance.uniform(3, 5)
    gain, colour = chance.uniform(0.15, 0.5) / dimmed, chance.uniform(0.4, 0.9)

    def shoot(light: Light, _: Alpha) -> Pixels:
        taken = _sensed(light * np.float32(dimmed), chance, photons=600) * np.float32(gain)
        grey = taken.mean(axis=2, keepdims=True, dtype=np.float32)
        return _coded(grey + np.float32(colour) * (taken - grey), 75)

    return shoot


def backlit(chance: Generator) -> Camera:
    """A bright room behind, the person in the shade, and a veil of stray light over both."""
    room, person, veil = chance.uniform(1.5, 4), chance.uniform(0.15, 0.5), chance.uniform(0.03, 0.12)

    def shoot(light: Light, alpha: Alpha) -> Pixels:
        lit = light * (alpha * (person - room) + room).astype(np.float32)[..., None]
        stray = cv2.blur(
            cv2.resize(np.minimum(lit, 2), None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA), (31, 31)
        )
        lit += np.float32(veil) * cv2.resize(stray, lit.shape[1::-1])
        return _coded(_sensed(lit, chance, photons=800), 80)

    return shoot


def tinted(chance: Generator) -> Camera:
    """White balance far off, to red or to blue, and too much contrast."""
    shift = chance.choice([-1, 1]) * chance.uniform(0.4, 0.8)
    balance = np.exp(np.array([-shift, chance.uniform(-0.15, 0.15), shift])).astype(np.float32)
    contrast = np.float32(chance.uniform(1.2, 1.8))
    return lambda light, _: _coded(_sensed((light * balance) ** contrast, chance, photons=2000), 85)


def coarse(chance: Generator) -> Camera:
    """200 to 300 columns of real resolution, sharpened by the driver, coded hard."""
    scale, sharper, quality = chance.uniform(0.3, 0.45), chance.uniform(0.5, 1.5), int(chance.integers(15, 36))

    def shoot(light: Light, _: Alpha) -> Pixels:
        small = cv2.resize(light, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        large = cv2.resize(_developed(_sensed(np.asarray(small, np.float32), chance, photons=600)), light.shape[1::-1])
        crisp = cv2.addWeighted(large, 1 + sharper, cv2.GaussianBlur(large, (0, 0), 2.5), -sharper, 0)
        return _jpeg(np.asarray(crisp, np.uint8), quality)

    return shoot


def soft(chance: Generator) -> Camera:
    """Out of focus, a greasy lens, and moved while the picture was taken."""
    sigma, smear = chance.uniform(1.2, 2.8), int(chance.integers(3, 16))

    def shoot(light: Light, _: Alpha) -> Pixels:
        blurred = cv2.blur(cv2.GaussianBlur(light, (0, 0), sigma), (smear, 1))
        return _coded(_sensed(np.asarray(blurred, np.float32), chance, photons=600), 80)

    return shoot


CAMERAS: dict[str, Callable[[Generator], Camera]] = {
    camera.__name__: camera for camera in (good, dark, backlit, tinted, coarse, soft)
}


def _sensed(light: Light, chance: Generator, *, photons: float) -> Light:
    """What a sensor counts that holds so many photons at white and reads out with an error of three."""
    held = np.minimum(light, WHITE)
    variance = (held + np.float32(9 / photons)) * np.float32(1 / photons)
    counted = held + np.sqrt(variance) * chance.standard_normal(light.shape, np.float32)
    return np.asarray(np.maximum(counted, 0), np.float32)


def _developed(light: Light) -> Pixels:
    return np.asarray(np.rint(255 * np.clip(light, 0, WHITE) ** (1 / GAMMA)), np.uint8)


def _coded(light: Light, quality: int) -> Pixels:
    return _jpeg(_developed(light), quality)


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
