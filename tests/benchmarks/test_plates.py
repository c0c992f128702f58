"""Clips with a known room: right plates match what the camera sees, wrong ones do not, and networks are given them."""

from pathlib import Path

import composites
import cv2
import numpy as np
import package_models
import plates
import pytest
from clips import Clip, KnownRoom
from metrics import Pixels
from networks import ScoredNetwork
from quality import score, without_plates

from realtime_matte.frame import Frame, Matte, PlateImage
from realtime_matte.interfaces import PlateView, RecurrentState


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A pack with one person and two rooms of a pattern; four short clips of each set."""
    alpha = np.zeros((256, 192), np.float32)
    cv2.ellipse(alpha, (96, 130), (50, 110), 0, 0, 360, 1.0, -1)
    person = composites.Person("ann", [np.full((256, 192, 3), (40, 60, 220), np.uint8)], [alpha], 20, 250)
    load = composites.load

    def load_few(data: Path, cache: Path, *, frames: int = 4, **options: object) -> list[Clip]:
        return load(data, cache, clips=3, frames=min(frames, 2 * plates.SEEN_FRAMES), **options)  # type: ignore[arg-type]

    monkeypatch.setattr(plates, "SEEN_FRAMES", 5)
    monkeypatch.setattr(composites, "talking_heads", lambda *_: iter(()))
    monkeypatch.setattr(composites, "stills", lambda *_: iter([person] * 3))
    monkeypatch.setattr(composites, "load", load_few)
    monkeypatch.setattr(load, "__kwdefaults__", {**(load.__kwdefaults__ or {}), "backgrounds": rooms})
    monkeypatch.setattr(plates._with_plates, "__kwdefaults__", {"backgrounds": rooms})
    monkeypatch.setattr(plates._plates, "__defaults__", (rooms,))
    return tmp_path


def rooms(_: Path) -> list[Pixels]:
    noise = np.random.default_rng(4).integers(0, 255, (3, 6, 9, 3), np.uint8)
    return [np.asarray(cv2.resize(room, (640, 400), interpolation=cv2.INTER_CUBIC), np.uint8) for room in noise]


def difference(clip: Clip) -> float:
    """Mean difference of plate and first frame where the plate is valid and the background is visible."""
    plate = clip.plate
    assert plate
    visible = (clip.alphas[0] == 0) & (plate.validity > 0)
    return float(np.abs(clip.frames[0].astype(float) - plate.colours)[visible].mean())


def test_a_full_plate_is_what_the_camera_sees_of_the_room(pack: Path) -> None:
    for clip in plates.full(pack, pack):
        assert difference(clip) < 5  # the camera's noise, of up to 5
        assert clip.plate
        assert clip.plate.validity.min() == 255


@pytest.mark.parametrize("load", [plates.shifted, plates.dark, plates.furniture, plates.other_room])
def test_a_wrong_plate_differs_from_the_room(pack: Path, load: plates.LoadClips) -> None:
    for clip, right in zip(load(pack, pack), plates.full(pack, pack), strict=True):
        assert difference(clip) > 1.5 * difference(right)
        np.testing.assert_array_equal(clip.frames[0], right.frames[0])


def test_a_partial_plate_knows_nothing_that_was_covered(pack: Path) -> None:
    for clip in plates.partial(pack, pack):
        assert len(clip.frames) == len(clip.alphas) == plates.SEEN_FRAMES
        assert clip.plate
        assert difference(clip) < 5
        unknown = clip.plate.validity == 0
        assert 0.02 < unknown.mean() < 0.9
        assert not clip.plate.colours[unknown].any()


class Difference:
    """A network whose alpha is the difference from the plate; without one it finds no person."""

    name, provider, notices, sees_plate = "difference", "cpu", (), True

    def process(
        self, frame: Frame, state: RecurrentState | None, plate: PlateView | None = None
    ) -> tuple[Matte, RecurrentState]:
        assert state is None or state == ()
        guide = cv2.resize(frame.pixels, (64, 36), interpolation=cv2.INTER_AREA)
        seen = PlateImage(np.zeros_like(guide), np.zeros(guide.shape[:2], np.uint8))
        if not (plate and plate.fit(np.asarray(guide, np.uint8), seen)):
            return Matte(np.zeros((36, 64), np.float32)), ()
        change = np.abs(guide.astype(np.float32) - seen.colours).max(axis=2) * (seen.validity / np.float32(255))
        return Matte(np.asarray(change > 60, np.float32)), ()

    def close(self) -> None: ...


def test_a_network_that_sees_the_plate_is_given_it(pack: Path) -> None:
    network = package_models.coarse("difference", Difference())
    (known,) = score([network], plates.full(pack, pack))
    (unknown,) = score([network], composites.load(pack, pack))
    assert known.figures["iou"] > 0.7
    assert unknown.figures["iou"] == 0


def test_without_plates_it_is_given_none(pack: Path) -> None:
    clips = without_plates(plates.full(pack, pack))
    assert [clip.plate for clip in clips] == [None] * 3
    (unknown,) = score([package_models.coarse("difference", Difference())], clips)
    assert unknown.figures["iou"] == 0


def test_a_mirrored_clip_has_a_mirrored_plate(pack: Path) -> None:
    (result,) = score([package_models.coarse("difference", Difference())], plates.full(pack, pack), mirror=True)
    assert result.figures["mirror_difference"] < 5


def test_a_network_without_a_plate_ignores_it(pack: Path) -> None:
    seen = []

    def cut_out(frames: list[Pixels], plate: KnownRoom | None) -> object:
        seen.append(plate)
        return ((np.zeros(frame.shape[:2], np.float32), frame) for frame in frames)

    score([ScoredNetwork("none", cut_out, lambda _: None)], plates.dark(pack, pack))  # type: ignore[arg-type]
    assert len(seen) == 3
    assert all(seen)
