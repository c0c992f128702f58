"""Reading a pack: splits, votes, clips, foreground colours, the cache."""

import csv
import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes.training_data import FOREGROUND, SIZE, disc, write_rows

from training import pack, rows
from training.augment.shot_generator import HARD_NEGATIVE_COPIES, shot_generator


def test_pack_is_read_by_split(data: pack.Pack) -> None:
    assert (len(data.people), [len(clip) for clip in data.clips], len(data.backgrounds)) == (6, [8], 4)


def test_pack_with_a_new_row_is_read_again(pack_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pack_folder, copy)
    before = pack.read(copy, split="train", cache=tmp_path / "cache")
    image, alpha = disc(np.random.default_rng(1), (40, 40))
    cv2.imwrite(str(copy / "me.jpg"), image)
    cv2.imwrite(str(copy / "me.png"), alpha)
    with (copy / "pack.csv").open("a", newline="") as file:
        csv.writer(file).writerow(("me.jpg", "me.png", "me", "train", ""))
    after = pack.read(copy, split="train", cache=tmp_path / "cache")
    assert len(after.people) == len(before.people) + 1


def test_foreground_has_no_colours_of_the_old_background(data: pack.Pack) -> None:
    edge = (data.people[0].alpha > 60) & (data.people[0].alpha < 250)
    assert edge.sum() > 20
    assert np.abs(data.people[0].foreground[edge].astype(int) - FOREGROUND).mean() < 25


def test_outlines_are_certain_and_disputed_areas_are_not() -> None:
    agreement = np.full((40, 40), 255, np.uint8)
    agreement[10, :] = 140
    agreement[20:30, 5:15] = 140
    certainty = pack.certainty_of(agreement, (160, 160))
    assert certainty.shape == (160, 160)
    assert certainty[40:44, 60:].min() == 255
    assert certainty[90:110, 30:50].max() < 40
    assert pack.certainty_of(np.zeros((4, 4), np.uint8), (8, 8)).max() == 0


def test_labels_by_votes_are_read_if_the_pack_has_them(pack_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pack_folder, copy)
    image, alpha = disc(np.random.default_rng(1), (40, 40))
    for name, pixels in (("me.png", image), ("me_alpha.png", alpha), ("me_sure.png", np.full((16, 24), 128, np.uint8))):
        cv2.imwrite(str(copy / name), pixels)
    row = ("me.png", "me_alpha.png", "me_sure.png", "hands webcam", "train")
    write_rows(copy / "people2.csv", ("image", "alpha", "sure", "kind", "split"), [row, (*row[:4], "gestures")])
    write_rows(copy / "no_person2.csv", ("image", "split"), [("me.png", "train"), ("me.png", "val")])
    read = pack.read(copy, split="train", cache=tmp_path / "cache")
    assert len(read.people) == 7
    assert read.people[-1].certainty is not None
    assert read.people[-1].certainty.max() <= 1
    assert len(read.hard_negatives) == 1
    generator = shot_generator(read, seed=0)
    assert generator.raised_hands == [read.people[-1]]
    assert len(generator.backgrounds) == 4 + HARD_NEGATIVE_COPIES


def test_alphas_of_clips_are_read_as_stored(pack_folder: Path) -> None:
    first = next(pack.read_grey_video(pack_folder / "train_alpha.avi"))
    assert first.shape == SIZE[::-1]
    assert first.min() <= 3
    assert first.max() >= 252


def person(*, shown: bool = True) -> np.ndarray:
    """An alpha with a soft outline; without a person 0 everywhere."""
    _, alpha = disc(np.random.default_rng(1), (96, 64))
    return cv2.GaussianBlur(alpha, (0, 0), 2) if shown else np.zeros_like(alpha)


def votes() -> np.ndarray:
    """A certainty: all votes agree but in a corner."""
    certainty = np.full((64, 96), 255, np.uint8)
    certainty[:20, :30] = 180
    return certainty


@pytest.mark.parametrize("limited", [True, False], ids=["16 to 235", "0 to 255"])
@pytest.mark.parametrize("grey", [person(), person(shown=False), votes()], ids=["alpha", "no person", "certainty"])
def test_grey_videos_of_both_ranges_are_read_from_0_to_255(tmp_path: Path, grey: np.ndarray, *, limited: bool) -> None:
    """Files do not say which they have: neither do these."""
    luma = np.rint(16 + grey * (219 / 255)).astype(np.uint8) if limited else grey
    with av.open(str(tmp_path / "alpha.mp4"), "w") as file:
        stream = file.add_stream("h264", rate=10, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = *grey.shape[::-1], "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, np.full((32, 96), 128, np.uint8)]), format="yuv420p")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    (read,) = pack.read_grey_video(tmp_path / "alpha.mp4")
    assert np.abs(read.astype(int) - grey).mean() < 3
    assert np.abs(read[grey == 0].astype(int)).max(initial=0) < 12
    assert read[grey == 255].min(initial=255) > 243


def test_only_open_images_are_read_if_asked_for(pack_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pack_folder, copy)
    image, _ = disc(np.random.default_rng(1), (40, 40))
    cv2.imwrite(str(copy / "me.png"), image)
    terms = (
        "CC0",
        "CC BY 4.0 (Roboflow README)",
        "CC BY-NC 4.0",
        "CC BY-ND 4.0",
        "MIT; by its name a Pexels video",
        "",
    )
    given = [("me.png", one, "train") for one in terms]
    write_rows(copy / "no_person2.csv", ("image", "terms", "split"), given)
    read = pack.read(copy, split="train", cache=tmp_path / "cache", open_only=True)
    assert (len(read.people), len(read.backgrounds), len(read.hard_negatives)) == (0, 0, 2)
    assert len(pack.read(copy, split="train", cache=tmp_path / "cache").hard_negatives) == 6


def test_every_training_file_is_listed_with_its_terms(pack_folder: Path) -> None:
    listed = list(rows.listed(pack_folder))
    assert {tuple(row) for row in listed} == {rows.COLUMNS}
    assert all((pack_folder / row["folder"] / row["name"]).is_file() for row in listed)
    with (pack_folder / "pack.csv").open(newline="") as file:
        trained = [row["image"] for row in csv.DictReader(file) if row["split"] == "train"]
    assert {Path(name).name for name in trained} <= {row["name"] for row in listed}
    assert {(row["terms"], row["open"]) for row in listed} == {("not stated", "no")}
