"""Rooms with objects that networks take for people: cut out, drawn, and beside the person's place."""

from pathlib import Path

import cv2
import lookalikes
import numpy as np
import plates
from numpy.random import default_rng

from realtime_matte.frame import Pixels

ROOM = np.full((250, 400, 3), 90, np.uint8)


def vase() -> Pixels:
    """An image that a red vase fills, before a wall."""
    wall = np.asarray(default_rng(1).integers(150, 255, (200, 120, 3)), np.uint8)
    image = np.asarray(cv2.GaussianBlur(wall, (0, 0), 3), np.uint8)
    cv2.ellipse(image, (60, 110), (35, 80), 0, 0, 360, (20, 20, 200), -1)
    return image


def test_an_object_is_cut_out_of_its_surroundings() -> None:
    _, alpha = lookalikes.cut_out(vase())
    assert alpha[60:160, 45:75].min() > 0.99
    assert max(alpha[:, :10].max(), alpha[:20].max()) == 0


def test_it_stands_on_the_lower_edge_beside_the_middle_and_its_surroundings_are_gone() -> None:
    room = lookalikes.furnished(ROOM, lookalikes.cut_out(vase()), "statue", default_rng(2))
    width, height = lookalikes.VIEW
    assert room.shape == (height, width, 3)
    red = np.all(np.abs(room.astype(int) - (20, 20, 200)) < 30, axis=2)
    rows, columns = np.nonzero(red)
    assert rows.min() > 0.1 * height
    assert rows.max() > 0.9 * height
    aside = abs(columns.mean() / width - 0.5)
    assert 0.12 < aside < 0.26
    assert np.abs(room[~red].astype(int) - 90).mean() < 3


def test_a_curtain_is_as_high_as_the_room_and_striped() -> None:
    pixels, alpha = lookalikes.curtain(default_rng(3))
    assert alpha.min() == 1
    assert len(pixels) == lookalikes.VIEW[1]
    row = pixels[10].astype(int).sum(axis=1)
    assert np.count_nonzero(np.abs(np.diff(row)) > 40) >= 4
    room = lookalikes.furnished(ROOM, (pixels, alpha), "curtain", default_rng(3))
    assert np.all(np.any(np.abs(room.astype(int) - 90).max(axis=2) > 30, axis=1)), "in every row"


def test_a_room_without_a_person_is_still_but_for_noise_and_its_plate_is_right(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), vase())
    (tmp_path / "nobody.csv").write_text("image,kind,split\na.png,background,val\nb.png,background,train\n")
    (tmp_path / "no_person2.csv").write_text("image,kind,split\n")
    (clip,) = plates.empty(tmp_path, tmp_path)
    frames, plate = clip.frames, clip.plate
    assert plate is not None
    assert len(frames) == len(clip.alphas) == plates.EMPTY_FRAMES
    assert max(alpha.max() for alpha in clip.alphas) == 0
    assert 0 < np.abs(frames[0].astype(int) - frames[1]).mean() < 10
    assert np.abs(np.mean(frames, axis=0) - plate.colours).mean() < 3
