"""Synthetic training data: discs on noise as a pack of files, outlines of people, shots of a body."""

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

SIZE = (96, 64)
"""Width and height of a pack's images."""

FOREGROUND = (60, 120, 220)
"""Colour of the discs, BGR."""


def disc(random: np.random.Generator, centre: tuple[int, int]) -> tuple[Image, Image]:
    """A disc on noise, and its alpha."""
    alpha = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(alpha, centre, 20, 255, -1, cv2.LINE_AA)
    background = random.integers(0, 100, (*SIZE[::-1], 3), np.uint8)
    return np.where(alpha[..., None] > 127, np.uint8(FOREGROUND), background), alpha


def write_rows(path: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def write_clip(folder: Path, name: str, random: np.random.Generator) -> None:
    """A video of a disc that moves, and the video of its alpha."""
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    frames = cv2.VideoWriter(str(folder / f"{name}.avi"), codec, 30, SIZE)
    alphas = cv2.VideoWriter(str(folder / f"{name}_alpha.avi"), codec, 30, SIZE)
    for index in range(8):
        image, alpha = disc(random, (40 + index, 40))
        frames.write(image)
        alphas.write(cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR))
    frames.release()
    alphas.release()


def write_pack(folder: Path) -> None:
    """A pack with, in each split, six stills, one clip, four backgrounds."""
    random = np.random.default_rng(0)
    stills, clips, backgrounds = [], [], []
    for split in ("train", "val"):
        for index in range(6):
            image, alpha = disc(random, (48 + index, 40))
            name = f"{split}{index}"
            cv2.imwrite(str(folder / f"{name}.jpg"), image)
            cv2.imwrite(str(folder / f"{name}.png"), alpha)
            stills.append((f"{name}.jpg", f"{name}.png", "synthetic", split, "0.99"))
        write_clip(folder, split, random)
        clips.append((f"{split}.avi", f"{split}_alpha.avi", "synthetic", split))
        for index in range(4):
            name = f"background{split}{index}.jpg"
            cv2.imwrite(str(folder / name), random.integers(0, 256, (*SIZE[::-1], 3), np.uint8))
            backgrounds.append((name, "background", "synthetic", split))
    write_rows(folder / "pack.csv", ("image", "alpha", "source", "split", "teacher_iou"), stills)
    write_rows(folder / "clips.csv", ("video", "alpha", "source", "split"), clips)
    write_rows(folder / "nobody.csv", ("image", "kind", "source", "split"), backgrounds)
