"""Tone mapping of high dynamic range video (PQ and HLG, ITU-R BT.2100) to sRGB."""

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_matte.frame import Pixels

PQ, HLG = 16, 18  # AVColorTransferCharacteristic
CURVES: Final = frozenset({PQ, HLG})

WHITE: Final = 203.0  # cd/m2, of a white paper in both (BT.2408, table 1); 1.0 in the light computed here
HLG_PEAK: Final = 1000.0  # cd/m2, of the display that HLG is graded for
HLG_GAMMA: Final = 1.2  # of the system at that peak (BT.2100, table 5)

KNEE: Final = 0.8
"""Light below this is kept; brighter light approaches 1, with the same slope at the knee: lamps keep their detail."""

MAX_LIGHT: Final = 8.0  # beyond it the curve is within half a level of white
STEPS: Final = 4096

SRGB_LINEAR: Final = 0.0031308  # below this light the sRGB curve is a line

LUMA: Final = np.array([[0.0593, 0.6780, 0.2627]], np.float32)
"""Luminance of BGR in BT.2020 (BT.2100, table 5)."""

TO_BT709: Final = np.array(
    [[1.1187, -0.1006, -0.0182], [-0.0083, 1.1329, -0.1246], [-0.0728, -0.5876, 1.6605]], np.float32
)
"""BGR of BT.2020 to BGR of BT.709, both linear (BT.2087, annex 1)."""


def to_sdr(bgr: NDArray[np.uint16], curve: int) -> Pixels:
    """Full-range 16-bit BGR (H, W, 3) in BT.2020 and with that transfer curve as 8-bit BGR in sRGB."""
    stored = np.take(_light(curve), bgr, mode="clip")
    if curve == HLG:
        luma = np.asarray(cv2.transform(stored, LUMA), np.float32)
        stored *= np.asarray(cv2.pow(luma, HLG_GAMMA - 1))[..., None] * np.float32(HLG_PEAK / WHITE)
    light = np.asarray(cv2.transform(stored, TO_BT709), np.float32)
    np.clip(light, 0, MAX_LIGHT, out=light)
    # The square root spreads the table's steps over the dark, where a level of sRGB is small.
    steps = np.sqrt(light) * np.float32((STEPS - 1) / MAX_LIGHT**0.5) + np.float32(0.5)
    return np.take(_levels(), steps.astype(np.uint16), mode="clip")


@cache
def _light(curve: int) -> NDArray[np.float32]:
    """Light of each 16-bit level: of the display over WHITE for PQ; of the scene, 0 to 1, for HLG (BT.2100)."""
    level = np.linspace(0, 1, 65536)
    if curve == PQ:
        root = level ** (32 / 2523)
        light = (np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (8192 / 1305) * 10_000 / WHITE
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(level <= 1 / 2, level**2 / 3, (np.exp((level - c) / a) + b) / 12)
    return light.astype(np.float32)


@cache
def _levels() -> NDArray[np.uint8]:
    """The sRGB level of each step of the square root of light (IEC 61966-2-1), highlights compressed."""
    light = MAX_LIGHT * np.linspace(0, 1, STEPS) ** 2
    above = np.maximum(light - KNEE, 0) / (1 - KNEE)
    light = np.where(light < KNEE, light, KNEE + (1 - KNEE) * above / (1 + above))
    level = np.where(light <= SRGB_LINEAR, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(255 * level + 0.5, np.uint8)
