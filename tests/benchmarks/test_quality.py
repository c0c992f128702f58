import csv
import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import clips
import composites
import contact_sheet
import cv2
import data_pack
import metrics
import networks
import numpy as np
import package_models
import pytest
import quality
import stripes
import webcams
from metrics import Alpha, Pixels
from sets import collect
from webcams import CAMERAS

from realtime_matte.frame import Frame, Matte
from realtime_matte.interfaces import Network, RecurrentState

PEERS = """
NAMES = ["red", "none"]
RESETS = []

class Peer:
    def __init__(self, gain): self.gain = gain
    def reset(self): RESETS.append(self)
    def network_only(self): return lambda: None
    def __call__(self, frame): return frame[..., 2].astype("float32") / 255 * self.gain

def load(name, *, threads): return Peer(1.0 if name == "red" else 0.0)
"""
"""Networks whose alpha is the frame's red, or 0."""


@pytest.fixture
def peers(tmp_path: Path) -> Path:
    folder = tmp_path / "peers"
    folder.mkdir()
    (folder / "peers.py").write_text(PEERS)
    return folder


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    """Two images whose red is their alpha."""
    folder = tmp_path / "stills"
    folder.mkdir()
    for name, right in (("ann", 40), ("bob", 90)):
        image = np.full((72, 128, 3), (200, 30, 0), np.uint8)
        image[20:, 20:right, 2] = 255
        cv2.imwrite(str(folder / f"{name}.png"), image)
        cv2.imwrite(str(folder / f"{name}_alpha.png"), image[..., 2])
    return folder


def write_video(file: Path, frames: list[Pixels]) -> None:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 30, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()


def write_rows(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", newline="") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack of one red person, in portraits and in a clip, and a blue room; its training rows have no files."""
    folder = tmp_path / "pack"
    folder.mkdir()
    alpha = np.zeros((256, 192), np.uint8)
    cv2.ellipse(alpha, (96, 110), (40, 60), 0, 0, 360, 255, -1)
    cv2.rectangle(alpha, (40, 180), (150, 256), 255, -1)
    person = np.full((256, 192, 3), (40, 60, 220), np.uint8)
    cv2.imwrite(str(folder / "a.jpg"), person)
    cv2.imwrite(str(folder / "a.png"), alpha)
    cv2.imwrite(str(folder / "room.jpg"), np.full((300, 480, 3), (220, 90, 20), np.uint8))
    write_video(folder / "c.avi", [person] * 40)
    write_video(folder / "c_alpha.avi", [cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)] * 40)
    still = {"image": "a.jpg", "alpha": "a.png", "split": "val", "teacher_iou": "0.99"}
    write_rows(folder / "pack.csv", [still | {"image": "gone.jpg", "split": "train"}, still, still, still])
    clip = {"video": "c.avi", "alpha": "c_alpha.avi", "split": "val"}
    write_rows(folder / "clips.csv", [clip | {"video": "gone.avi", "split": "train"}, clip])
    room = {"image": "room.jpg", "kind": "background", "split": "val"}
    write_rows(folder / "nobody.csv", [room | {"image": "gone.jpg", "split": "train"}, room])
    gesture = {"image": "a.jpg", "alpha": "a.png", "split": "gestures"}
    write_rows(folder / "people2.csv", [gesture | {"image": "gone.jpg", "split": "train"}, gesture])
    write_rows(folder / "no_person2.csv", [room | {"image": "gone.jpg", "split": "train"}, room])
    monkeypatch.setattr(data_pack, "foreground", lambda pixels, _: pixels)  # as if the old background was removed
    return folder


def load_composites(data: Path, cache: Path) -> list[clips.Clip]:
    return composites.load(data, cache, clips=4, frames=4, seed=5)


def test_composites_have_exact_truth(data: Path, tmp_path: Path) -> None:
    for clip in load_composites(data, tmp_path / "cache"):
        for frame, alpha in zip(clip.frames, clip.alphas, strict=True):
            assert frame.shape == (360, 640, 3)
            assert alpha.dtype == np.float32
            red = frame[..., 2].astype(int) > frame[..., 0]
            sure = np.abs(alpha - 0.5) > 0.4
            assert (red == (alpha > 0.5))[sure].mean() > 0.999  # JPEG smears colours across the edge
            assert 0.05 < alpha.mean() < 0.9


def test_composites_move_and_are_cut_only_by_the_lower_edge(data: Path, tmp_path: Path) -> None:
    for clip in load_composites(data, tmp_path / "cache"):
        assert np.abs(clip.alphas[0] - clip.alphas[-1]).max() > 0.5
        assert all(alpha[-1].max() == 1 for alpha in clip.alphas)


def test_the_same_seed_makes_the_same_pixels(data: Path, tmp_path: Path) -> None:
    one, other = load_composites(data, tmp_path / "one"), load_composites(data, tmp_path / "other")
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left.frames, right.frames)
        np.testing.assert_array_equal(left.alphas, right.alphas)


def test_another_seed_makes_other_pixels(data: Path, tmp_path: Path) -> None:
    other = composites.load(data, tmp_path, clips=4, frames=4, seed=6)
    assert not np.array_equal(load_composites(data, tmp_path)[0].frames[0], other[0].frames[0])


def test_entering_person_is_absent_first_and_ends_in_the_composite(data: Path, tmp_path: Path) -> None:
    entering = composites.load(data, tmp_path / "entering", clips=4, frames=4, empty=40, seed=5)
    for clip, composite in zip(entering, load_composites(data, tmp_path / "composites"), strict=True):
        coverage = [float(alpha.mean()) for alpha in clip.alphas]
        assert len(coverage) == 44
        assert max(coverage[:10]) == 0
        assert min(coverage[36:]) > 0
        np.testing.assert_array_equal(clip.alphas[40:], composite.alphas)


def test_composites_are_made_once(data: Path, tmp_path: Path) -> None:
    first = load_composites(data, tmp_path / "cache")[0].frames
    (data / "pack.csv").unlink()
    np.testing.assert_array_equal(load_composites(data, tmp_path / "cache")[0].frames, first)


def test_pack_with_too_few_people_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has only 5 people fit to be composited; 9 clips need as many"):
        composites.load(data, tmp_path, clips=9, frames=4, seed=5)


def test_foreground_has_no_colours_of_the_old_background() -> None:
    pytest.importorskip("pymatting", reason="pymatting is not installed")
    alpha = np.tile(np.clip((np.arange(64, dtype=np.float32) - 24) / 16, 0, 1), (48, 1))
    red, blue = np.array([0, 0, 255]), np.array([255, 0, 0])
    pixels = (alpha[..., None] * red + (1 - alpha[..., None]) * blue).astype(np.uint8)
    foreground = data_pack.foreground(pixels, alpha)
    half = np.abs(alpha - 0.5) < 0.2
    assert pixels[half][:, 0].mean() > 100
    assert foreground[half][:, 0].mean() < 40
    assert foreground[half][:, 2].mean() > 215


@pytest.mark.parametrize(
    ("name", "frames"), [("portraits", 1), ("clips", 40), ("gestures", 1), ("no_person", 1), ("no_person2", 1)]
)
def test_sets_hold_validation_rows_only(data: Path, name: str, frames: int) -> None:
    for clip in collect(name, data=data):
        assert len(clip.frames) == len(clip.alphas) == frames
        assert clip.frames[0].shape[:2] == clip.alphas[0].shape


def test_upright_photos_are_cropped_around_the_head(data: Path) -> None:
    (clip, *_) = collect("portraits", data=data)
    assert clip.frames[0].shape == (144, 192, 3)
    assert (clip.alphas[0] > 0.5).any(axis=1).argmax() == 144 // 10  # the row of the head; 50 of 256 in the photo


@pytest.mark.parametrize("name", ["no_person", "no_person2"])
def test_no_person_has_an_empty_truth(data: Path, name: str) -> None:
    assert collect(name, data=data)[0].alphas[0].max() == 0


def test_bands_are_drawn_on_the_person_alone(data: Path) -> None:
    found = stripes.load(data, people=4)
    kinds = ["no band", "1 light", "1 dark", "2 light", "2 dark"]
    assert [clip.kind for clip in found] == kinds  # of the gesture; the crops of the portraits end at the chin
    for clip in found[1:]:
        (frame,), (alpha,), (plain,) = clip.frames, clip.alphas, found[0].frames
        np.testing.assert_array_equal(alpha, found[0].alphas[0])
        changed = (frame != plain).any(axis=2)
        far = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((9, 9))) == 0
        assert changed.any()
        assert not changed[far].any()
        assert clip.body_from is not None
        assert not changed[clip.body_from + 2 :].any()
        assert 0.5 * len(frame) < clip.body_from < 0.95 * len(frame)


def test_body_below_a_band_is_scored() -> None:
    truth = np.zeros((10, 10), np.float32)
    truth[:, 2:8] = 1
    alpha = truth.copy()
    alpha[7:] = 0
    assert metrics.body_kept(alpha, truth, first_row=6) == pytest.approx(1 / 4)
    assert metrics.body_kept(alpha, truth, first_row=0) == pytest.approx(7 / 10)
    assert math.isnan(metrics.body_kept(alpha, np.zeros_like(truth), first_row=0))


def test_stripes_have_a_table_of_the_body_that_is_kept(
    peers: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = stripes.load(data, people=2)
    quality.show_kinds(quality.score(networks.peers(peers, ["none"]), found), found)
    table = capsys.readouterr().out
    assert "body kept below the bands: mean (least)" in table
    assert table.count("0.000 (0.00)") == len({clip.kind for clip in found})


def test_clips_are_scored_mirrored_on_request(
    peers: Path, stills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    arguments = ["--peers", str(peers), "--peer", "red", "--set", str(stills), "--json", str(file)]
    assert quality.main([*arguments, "--mirror"]) == 0
    assert "on mirrored clips" in capsys.readouterr().out
    (red,) = json.loads(file.read_text())["networks"]
    assert red["figures"]["iou_mirrored"] == 1
    assert red["figures"]["mad_mirrored"] == red["figures"]["mirror_difference"] == 0


def test_network_that_is_not_symmetric_differs_from_its_mirror_image(stills: Path) -> None:
    def left_half(frames: Iterable[Pixels], _: object) -> Iterator[networks.Cutout]:
        for frame in frames:
            alpha = np.zeros(frame.shape[:2], np.float32)
            alpha[:, : frame.shape[1] // 2] = 1
            yield alpha, frame

    network = networks.ScoredNetwork("left", left_half, lambda _: None)
    (result,) = quality.score([network], clips.folder_clips(stills), mirror=True)
    assert result.figures["mirror_difference"] == 1000
    assert result.clips["ann"]["iou_mirrored"] == 0  # ann is in the left half


def test_every_webcam_records_the_same_people(data: Path, tmp_path: Path) -> None:
    recorded = webcams.load(data, tmp_path, people=4)
    assert [clip.kind for clip in recorded] == [kind for kind in CAMERAS for _ in range(4)]
    for number in range(4):
        good, *others = recorded[number::4]
        assert len(good.frames) == len(good.alphas) == webcams.FRAMES
        for other in others:
            np.testing.assert_array_equal(other.alphas, good.alphas)
            assert not np.array_equal(other.frames, good.frames)
            np.testing.assert_array_equal(other.frames, other.frames)  # the same at each access


def test_webcams_have_two_aspect_ratios(data: Path, tmp_path: Path) -> None:
    wide, narrow, *_ = webcams.load(data, tmp_path, people=4)
    assert wide.frames[0].shape == (360, 640, 3)
    assert narrow.frames[0].shape == (360, 480, 3)
    assert narrow.alphas[0].shape == (360, 480)


def test_set_of_several_kinds_has_a_figure_for_each(
    peers: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = webcams.load(data, tmp_path, people=2)
    quality.show_kinds(quality.score(networks.peers(peers, ["none"]), recorded), recorded)
    table = capsys.readouterr().out
    assert all(kind in table for kind in CAMERAS)
    assert table.count("0.0000") == len(CAMERAS)
    of_one_kind = quality.score(networks.peers(peers, ["none"]), recorded[:2])
    capsys.readouterr()
    quality.show_kinds(of_one_kind, recorded[:2])
    assert capsys.readouterr().out == ""


def test_large_images_are_shrunk_and_small_ones_kept(tmp_path: Path) -> None:
    for name, shape in (("large", (1000, 500, 3)), ("small", (36, 64, 3))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros(shape, np.uint8))
        cv2.imwrite(str(tmp_path / f"{name}_alpha.png"), np.zeros(shape, np.uint8))
    large, small = collect(str(tmp_path), data=tmp_path)
    assert large.frames[0].shape == (360, 180, 3)
    assert large.alphas[0].shape == (360, 180)
    assert small.frames[0].shape == (36, 64, 3)


def test_folder_of_videos_is_a_set(tmp_path: Path) -> None:
    moving = [np.full((48, 64, 3), value, np.uint8) for value in (0, 128, 255)]
    write_video(tmp_path / "walk.avi", moving)
    write_video(tmp_path / "walk_alpha.avi", moving)
    (clip,) = collect(str(tmp_path), data=tmp_path)
    assert clip.name == "walk"
    assert [round(float(alpha.mean()), 1) for alpha in clip.alphas] == [0, 0.5, 1]


def test_limit_keeps_the_first(stills: Path) -> None:
    assert [clip.name for clip in collect(str(stills), data=stills, limit=1)] == ["ann"]


def test_table_scores_networks_on_the_same_pixels(
    peers: Path, stills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    assert quality.main(["--peers", str(peers), "--set", str(stills), "--json", str(file)]) == 0
    table = capsys.readouterr().out
    assert "red" in table
    assert "1.0000" in table
    red, none = json.loads(file.read_text())["networks"]
    assert red["figures"]["iou"] == 1
    assert red["figures"]["dtssd"] is None
    assert none["figures"]["iou"] == 0
    assert none["clips"]["bob"]["mad"] == pytest.approx(1000 * 52 * 70 / (72 * 128))


def test_contact_sheet_has_a_column_for_each_network(peers: Path, stills: Path, tmp_path: Path) -> None:
    file = tmp_path / "sheet.png"
    assert quality.main(["--peers", str(peers), "--peer", "red", "--set", str(stills), "--sheet", str(file)]) == 0
    image = cv2.imread(str(file))
    assert image is not None
    assert image.shape == (24 + 2 * 3 * 180, 3 * 320, 3)
    truth, red = image[24:204, 320:640], image[24:204, 640:]
    np.testing.assert_array_equal(truth, red)
    assert truth.max() == 255


def test_contact_sheet_enlarges_the_softest_window() -> None:
    truth = np.zeros((80, 80), np.float32)
    truth[45:55, 60:70] = 0.5
    window = contact_sheet.softest_window(truth)
    assert (truth[window] > 0).sum() == 100


def test_peers_are_reset_between_clips(peers: Path, stills: Path) -> None:
    module = networks._peers_module(peers)
    network = networks._peer("red", module)
    for clip in clips.folder_clips(stills):
        network.alphas(clip.frames)
    assert len(module.RESETS) == len(clips.folder_clips(stills))


class Red:
    """A network whose coarse alpha is the frame's red at half its size, and whose state holds index and time."""

    name = "models/red.onnx"
    provider = "cpu"
    notices = ()

    def __init__(self) -> None:
        self.states: list[RecurrentState | None] = []
        self.alpha = np.zeros((36, 64), np.float32)

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        self.states.append(state)
        self.alpha[:] = frame.pixels[::2, ::2, 2] / 255
        return Matte(self.alpha), ((frame.index, frame.time),)

    def close(self) -> None: ...


def shot(values: list[int]) -> list[Pixels]:
    return [np.full((72, 128, 3), value, np.uint8) for value in values]


def test_state_is_kept_only_within_a_clip() -> None:
    network = Red()
    scored = package_models.coarse("red", network)
    scored.alphas(shot([0, 0]))
    scored.alphas(shot([0]))
    assert network.states == [None, ((0, 0.0),), None]


def test_coarse_alphas_are_enlarged_and_not_overwritten() -> None:
    alphas = package_models.coarse("red", Red()).alphas(shot([0, 255]))
    assert [alpha.shape for alpha in alphas] == [(72, 128)] * 2
    assert [float(alpha.max()) for alpha in alphas] == [0, 1]


class Halving:
    """A refiner that halves alpha and returns foreground colours."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.alpha: Alpha = np.zeros(size[::-1], np.float32)

    def refine(self, frame: Frame, matte: Matte) -> Matte:
        self.alpha[:] = matte.alpha.max() / 2
        return Matte(self.alpha, np.full_like(frame.pixels, 9))


def test_refined_model_has_its_own_foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("realtime_matte.render.refine")
    monkeypatch.setattr(module, "Refiner", Halving, raising=False)
    monkeypatch.setitem(sys.modules, "realtime_matte.render.refine", module)
    scored = package_models.refined("red", Red())
    assert scored.name == "red + refiner"
    cutouts = list(scored.cut_out(shot([255, 0]), None))
    assert [float(alpha.max()) for alpha, _ in cutouts] == [0.5, 0]
    assert cutouts[0][1].max() == 9


def test_models_are_scored_with_and_without_the_refiner(
    monkeypatch: pytest.MonkeyPatch, stills: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def open_network(spec: str) -> Network:
        opened.append(spec)
        return Red()

    monkeypatch.setattr(package_models, "open_network", open_network)
    monkeypatch.setattr(package_models, "_refiner", Halving)
    both = ["--model", "nets/a.onnx", "--model", "nets/a.onnx?quality=high"]
    assert quality.main([*both, "--set", str(stills)]) == 0
    names = [line.split("│")[1].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert names == ["a.onnx", "a.onnx + refiner", "a.onnx?quality=high", "a.onnx?quality=high + refiner"]
    assert quality.main(["--model", "small", "--no-refine", "--set", str(stills)]) == 0
    assert "refiner" not in capsys.readouterr().out
    assert opened == ["nets/a.onnx", "nets/a.onnx?quality=high", "small"]


def test_training_can_evaluate_without_the_package(stills: Path) -> None:
    found = quality.collect(str(stills), data=stills)
    figures = quality.evaluate(lambda frames: [frame[..., 2].astype(np.float32) / 255 for frame in frames], found)
    assert figures["iou"] == 1
    assert math.isnan(figures["dtssd"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to score; name a network with --model or a folder of networks with --peers"),
        (["--peers", "gone"], "no gone/peers.py; --peers names a folder whose peers.py loads public networks"),
        (["--peers", "{peers}", "--peer", "blue"], "no peer called 'blue' in {peers}; there are: red, none"),
        (
            ["--peers", "{peers}", "--set", "gone"],
            (
                "no set or folder called 'gone'; "
                "the sets are: composites, long, entrances, portraits, clips, gestures, stripes, "
                "no_person, no_person2, webcams, noisy, plate-full, plate-partial, plate-shifted, plate-dark, "
                "plate-furniture, plate-other, plate-lookalikes, plate-empty"
            ),
        ),
        (
            ["--peers", "{peers}", "--set", "{peers}"],
            "no NAME.mp4 beside NAME_alpha.mp4 (nor images of such names) in the folder {peers}",
        ),
        (
            ["--peers", "{peers}", "--set", "portraits", "--data", "gone"],
            "no gone/pack.csv; --data names the folder of the data pack, which holds pack.csv",
        ),
    ],
)
def test_missing_inputs_are_reported(
    peers: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert quality.main([argument.format(peers=peers) for argument in arguments]) == 2
    assert capsys.readouterr().err == f"quality: {message.format(peers=peers)}\n"


@pytest.mark.parametrize(("name", "kind"), [("ann.png", "an image"), ("ann.mp4", "a video")])
def test_broken_file_is_reported(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"not an image")
    broken = clips.file_clip(tmp_path / name, tmp_path / name)
    with pytest.raises(FileNotFoundError, match=f"cannot read .*{name} as {kind}"):
        _ = broken.frames
