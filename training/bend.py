"""Other builds and faces than the pack has: a whole shot, smoothly bent (Simard et al. 2003, elastic distortions)."""

import cv2
import numpy as np
from numpy.random import Generator

from training.layers import Shot

KNOTS = (4, 5)
"""Rows and columns of the points that are pushed about; what lies between them follows smoothly."""

REACH = 0.03
"""How far, of the frame's sides (a standard deviation); shapes become up to some 20 % longer or shorter."""


def bent(random: Generator, shot: Shot) -> Shot:
    """The shot with every frame bent in the same way."""
    height, width = shot.alpha.shape[1:]
    pushed = random.normal(0, REACH, (*KNOTS, 2)) * random.uniform(0.3, 1) * (width, height)
    x, y = (
        cv2.resize(part.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for part in pushed.transpose(2, 0, 1)
    )
    x += np.arange(width, dtype=np.float32)
    y += np.arange(height, dtype=np.float32)[:, None]
    frames, alphas, certainties = (
        np.stack(
            [cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101) for picture in pictures]
        )
        for pictures in (shot.frames, shot.alpha, shot.certainty)
    )
    return Shot(frames.astype(np.uint8), alphas.astype(np.uint8), certainties.astype(np.uint8))
