"""Labels by consensus: the vote, the files, and what training reads of them."""

import csv
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fakes import networks
from fakes.training_data import write_rows

from realtime_matte.frame import Frame, Matte
from realtime_matte.interfaces import RecurrentState
from training import consensus, label, pack

SIZE = (64, 48)


class Fixed:
    """A network whose alpha is a function of the frame's red, and whose state is the number of frames."""

    name, provider, notices = "fixed", "cpu", ()

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
        self.frames: list[np.ndarray] = []
        self.states: list[RecurrentState | None] = []

    def process(self, frame: Frame, state: RecurrentState | None) -> tuple[Matte, RecurrentState]:
        self.frames.append(frame.pixels)
        self.states.append(state)
        alpha = frame.pixels[..., 2].astype(np.float32) / 255 * self.gain
        return Matte(alpha), ((state[0] if state else 0) + 1,)

    def close(self) -> None: ...


def person() -> np.ndarray:
    """A red rectangle at the left of a black image."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[12:36, 8:28, 2] = 255
    return image


def test_alpha_is_the_median_and_certainty_the_share_that_agrees() -> None:
    votes = np.stack([np.full((8, 8), value, np.float32) for value in (0.9, 0.7, 0.6, 0.1)])
    result = consensus.consensus(votes)
    assert (result.alpha == round(0.65 * 255)).all()
    assert result.certainty.shape == (2, 2)
    assert (result.certainty == round(0.75 * 255)).all()


def test_a_mask_adds_what_networks_miss_as_unknown_and_loses_people_that_all_of_them_see() -> None:
    """Left: seen by the networks alone, a bystander. Middle: by both. Right: an arm that only the mask has."""
    alpha, mask = np.zeros((2, 100, 300), np.uint8)
    alpha[20:, 20:80] = alpha[20:, 120:180] = 255
    mask[20:, 120:180] = mask[20:, 220:280] = 255
    mask[15:20, 120:180] = 90  # its soft edge
    result = consensus.with_mask(consensus.Label(alpha, np.ones((100, 300), np.float32)), mask)
    assert (result.alpha[30:, 25:75] == 255).all()
    assert (result.alpha[20:, 120:180] == 255).all()
    assert (result.alpha[15:20, 130:170] == 90).all()
    certainty = cv2.resize(result.certainty, (300, 100))
    assert np.unique(certainty[40:90, 30:70]).tolist() == [round(0.8 * 255)]
    assert np.unique(certainty[40:90, 130:170]).tolist() == [255]
    assert np.unique(certainty[40:90, 230:270]).tolist() == [128]


def test_edge_networks_decide_near_the_outline_alone() -> None:
    votes = np.zeros((3, 100, 100), np.float32)
    votes[:, :, 50:] = 1
    result = consensus.consensus(votes, [np.full((100, 100), 0.4, np.float32), np.full((100, 100), 0.6, np.float32)])
    assert (result.alpha[:, 49:51] == 128).all()
    assert (result.alpha[:, :40] == 0).all()
    assert (result.alpha[:, 60:] == 255).all()


def test_a_mask_votes_on_each_pixel_by_its_own_agreement() -> None:
    alpha = np.full((40, 40), 255, np.uint8)
    agreement = np.ones((40, 40), np.float32)
    agreement[20, 20] = 0.6
    result = consensus.with_mask(consensus.Label(alpha, agreement), np.zeros((40, 40), np.uint8))
    assert np.unique(result.agreement[:20]).tolist() == pytest.approx([0.8])
    assert result.agreement[20, 20] == pytest.approx(0.52)  # 0.2 + 0.8 * 0.4 for the background
    assert result.alpha[20, 20] == 0


def test_a_vote_abstains_where_it_is_nan() -> None:
    votes = np.zeros((5, 2, 3), np.float32)
    votes[2:] = 1
    votes[4, :, 1] = votes[3:, :, 2] = np.nan
    result = consensus.consensus(votes)
    assert result.alpha[0].tolist() == [255, 128, 0]
    assert result.agreement[0].tolist() == pytest.approx([3 / 5, 2 / 4, 2 / 3])


def test_given_votes_decide_the_body_and_not_the_edge() -> None:
    """A body that one of two networks misses; a vote with a soft edge around it."""
    network = Fixed()
    given = np.full(SIZE[::-1], np.nan, np.float32)
    given[10:38, 6:30] = 0.6
    given[12:36, 8:28] = 1
    voters = consensus.Voters([network, Fixed(gain=0.0)], [network], mirrored=False)
    labelled = voters.start_shot([given])(person())
    assert (labelled.alpha == person()[..., 2]).all()
    assert labelled.agreement[24, 18] == pytest.approx(2 / 3)
    assert labelled.agreement[24, 50] == 1


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_every_vote_is_mapped_back_to_the_frame(mirrored: bool, scale: float) -> None:  # noqa: FBT001 - a parameter
    network = Fixed()
    alpha = consensus.Vote(network, mirrored, scale).alpha(Frame(person(), 0.0, 0))
    truth = person()[..., 2] / 255
    tolerance = 1e-6 if scale == 1 else 0.06  # an edge of two pixels around 20 x 24
    assert np.abs(alpha - truth).mean() <= tolerance
    seen = network.frames[0][..., 2] > 127
    assert seen[:, : SIZE[0] // 2].any() != mirrored
    assert seen.sum() == pytest.approx((truth > 0.5).sum() * scale**2, rel=0.2 if scale < 1 else 0)


def test_each_network_votes_at_each_scale_and_mirrored() -> None:
    first, second = Fixed(), Fixed(gain=0.0)
    labelled = consensus.Voters([first, second], scales=[1.0, 0.75]).start_shot()(person())
    assert (len(first.frames), len(second.frames)) == (4, 4)
    assert labelled.certainty.min() < 0.6 * 255  # half of the votes see no person
    assert len(first.states) == 4


def test_an_edge_network_that_votes_runs_once() -> None:
    both, edge = Fixed(), Fixed(gain=0.4)
    shot = consensus.Voters([both, Fixed(), Fixed()], [edge, both]).start_shot()
    labelled = shot(person())
    assert (len(both.frames), len(edge.frames)) == (2, 2)
    assert labelled.alpha[24, 8] / 255 == pytest.approx(0.7, abs=1 / 255)  # at the outline the mean of the two
    shot(person())
    assert edge.states == [None, None, (1,), (1,)]


def test_recurrent_state_is_kept_within_a_shot_for_each_vote() -> None:
    network = Fixed()
    voters = consensus.Voters([network])
    shot = voters.start_shot()
    shot(person())
    shot(person())
    voters.start_shot()(person())
    assert network.states == [None, None, (1,), (1,), None, None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image and a video of a person."""
    folder = tmp_path / "images"
    folder.mkdir()
    cv2.imwrite(str(folder / "still.png"), person())
    writer = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    for _ in range(3):
        writer.write(person())
    writer.release()
    (folder / "notes.txt").write_text("no image")
    return folder


def run(folder: Path, out: Path, *more: str) -> int:
    return label.main(["--images", str(folder), "--out", str(out), "--provider", "cpu", *more])


@pytest.fixture
def labelled(folder: Path, tmp_path: Path) -> Path:
    """The labels of the folder by two tiny networks; the second finds no person."""
    specs = []
    for name, gain in (("bright", 3.0), ("blind", 0.0)):
        path = networks.recurrent(tmp_path / f"{name}.onnx", gain=gain)
        specs += ["--network", networks.unverified(path)]
    assert run(folder, tmp_path / "out", *specs) == 0
    return tmp_path / "out"


def test_labels_and_tables_are_written(labelled: Path, folder: Path) -> None:
    alpha = cv2.imread(str(labelled / "still_alpha.png"), cv2.IMREAD_UNCHANGED)
    assert alpha is not None
    assert alpha.shape == SIZE[::-1]
    assert 100 < alpha[30, 18] < 160  # the median of 1, 1, 0, 0 and a little of the state
    assert alpha[30, 50] < 10
    certainty = cv2.imread(str(labelled / "still_certainty.png"), cv2.IMREAD_UNCHANGED)
    assert certainty is not None
    assert certainty.shape == (12, 16)
    assert certainty[7, 4] == 128
    assert certainty[7, 12] == 255
    rows = {name: list(csv.DictReader((labelled / name).read_text().splitlines())) for name in label.COLUMNS}
    assert rows["people2.csv"][0] == {
        "image": str(folder / "still.png"),
        "alpha": "still_alpha.png",
        "sure": "still_certainty.png",
        "kind": "labelled",
        "split": "train",
    }
    assert [row["video"] for row in rows["clips2.csv"]] == [str(folder / "clip.avi")]
    sheet = cv2.imread(str(labelled / "contact_sheet.jpg"))
    assert sheet is not None
    assert sheet.shape == (2 * label.TILE[1], 4 * label.TILE[0], 3)


def test_masks_vote_and_unusable_ones_are_reported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "clip.avi").unlink()
    masks = tmp_path / "masks"
    masks.mkdir()
    words = ["--network", networks.unverified(networks.recurrent(tmp_path / "blind.onnx", gain=0.0))]
    words += ["--masks", str(masks)]
    cv2.imwrite(str(folder / "first.png"), person())
    cv2.imwrite(str(masks / "first.png"), person()[..., 2])
    assert run(folder, tmp_path / "out", *words) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"label: there is no mask {masks / 'still.png'}\n"), "before any vote"
    (masks / "still.png").write_bytes(b"no image")
    assert run(folder, tmp_path / "out", *words) == 2
    assert f"cannot read the mask {masks / 'still.png'}" in capsys.readouterr().err
    cv2.imwrite(str(masks / "still.png"), np.zeros((10, 10), np.uint8))
    assert run(folder, tmp_path / "out", *words) == 2
    assert "has 10x10 pixels, its image 64x48" in capsys.readouterr().err
    cv2.imwrite(str(masks / "still.png"), person()[..., 2])
    assert run(folder, tmp_path / "out", *words) == 0
    certainty = cv2.imread(str(tmp_path / "out" / "still_certainty.png"), cv2.IMREAD_UNCHANGED)
    assert certainty is not None
    assert certainty[6, 4] == 128  # the network says no
    assert certainty[7, 12] == 255


def test_votes_of_any_size_count_and_a_missing_one_abstains(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two votes of the network see no person; one or two files do, at the left, and abstain at the right."""
    (folder / "clip.avi").unlink()
    cv2.imwrite(str(folder / "other.png"), person())
    words = ["--network", networks.unverified(networks.recurrent(tmp_path / "blind.onnx", gain=0.0))]
    vote = np.full((24, 32), label.ABSTAINS, np.uint8)
    vote[:, :16] = 255
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        words += ["--votes", str(tmp_path / name)]
        cv2.imwrite(str(tmp_path / name / "still.png"), vote)
    cv2.imwrite(str(tmp_path / "first" / "other.png"), vote)
    assert run(folder, tmp_path / "out", *words) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == [
        f"{tmp_path / 'first'}: a vote on 2 of 2 images",
        f"{tmp_path / 'second'}: a vote on 1 of 2 images",
    ]
    for name, certainty in (("still", 1 / 2), ("other", 2 / 3)):
        image = cv2.imread(str(tmp_path / "out" / f"{name}_certainty.png"), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert image[6].tolist() == [*[round(certainty * 255)] * 7, image[6, 7], *[255] * 8]


def test_unusable_votes_are_reported(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    votes = tmp_path / "votes"
    words = ["--network", networks.unverified(networks.recurrent(tmp_path / "tiny.onnx")), "--votes", str(votes)]
    assert run(folder, tmp_path / "out", *words) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"label: no image has a vote NAME.png in the folder {votes}\n")
    votes.mkdir()
    (votes / "still.png").write_bytes(b"no image")
    assert run(folder, tmp_path / "out", *words) == 2
    assert f"label: cannot read the vote {votes / 'still.png'}\n" in capsys.readouterr().err


def test_labels_of_a_video_are_read_as_they_were_written(labelled: Path) -> None:
    alphas = list(pack.read_grey_video(labelled / "clip_alpha.mkv"))
    assert [alpha.shape for alpha in alphas] == [SIZE[::-1]] * 3
    assert all(100 < alpha[30, 18] < 160 for alpha in alphas)
    assert [part.shape for part in pack.read_grey_video(labelled / "clip_certainty.mkv")] == [(12, 16)] * 3


def test_votes_that_disagree_in_a_clip_are_smoothed_unless_turned_off(folder: Path, tmp_path: Path) -> None:
    """The state lets alpha grow from frame to frame; one of two networks finds no person."""
    (folder / "still.png").unlink()
    alphas = []
    for number, words in enumerate(([], ["--no-smoothing"])):
        for name, gain in (("bright", 3.0), ("blind", 0.0)):
            words += ["--network", networks.unverified(networks.recurrent(tmp_path / f"{name}.onnx", gain=gain))]
        assert run(folder, tmp_path / str(number), *words) == 0
        alphas.append(list(pack.read_grey_video(tmp_path / str(number) / "clip_alpha.mkv")))
    smoothed, raw = alphas
    values = [int(alpha[24, 18]) for alpha in raw]
    assert values[0] < values[1] < values[2]
    assert [int(alpha[24, 18]) for alpha in smoothed] == [values[1]] * 3


@pytest.mark.parametrize("smoothing", [True, False])
def test_each_shot_of_a_clip_is_labelled_by_itself(tmp_path: Path, smoothing: bool) -> None:  # noqa: FBT001 - as above
    """The state of a network, and the median over time, would carry the person before the cut into the next shot."""
    room = cv2.resize(np.random.default_rng(1).integers(0, 255, (6, 8, 1), np.uint8).repeat(3, axis=2), SIZE)
    room[..., 2] = 0
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    for image in [person()] * 3 + [room] * 3:
        writer.write(image)
    writer.release()
    network = Fixed()
    labeller = label.Labeller(consensus.Voters([network], mirrored=False), tmp_path, smoothing=smoothing)
    labeller.label_file(tmp_path / "clip.avi")
    assert network.states == [None, (1,), (2,), None, (1,), (2,)]
    alphas = list(pack.read_grey_video(tmp_path / "clip_alpha.mkv"))
    assert [int(alpha[24, 18]) > 128 for alpha in alphas] == [True] * 3 + [False] * 3


def test_labelled_folder_is_a_pack(labelled: Path, tmp_path: Path) -> None:
    pytest.importorskip("pymatting", reason="pymatting is not installed: pip install --group train")
    write_rows(labelled / "pack.csv", ("image", "alpha", "source", "split", "teacher_iou"), [])
    write_rows(labelled / "clips.csv", ("video", "alpha", "source", "split"), [])
    write_rows(labelled / "nobody.csv", ("image", "split"), [])
    data = pack.read(labelled, split="train", cache=tmp_path / "cache")
    assert (len(data.people), [len(clip) for clip in data.clips]) == (1, [3])
    assert data.people[0].certainty is not None
    assert data.people[0].certainty[30, 18] < 10
    assert data.people[0].certainty[30, 56] == 255


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 80), np.int16), layout="mono")
        sound.sample_rate = 8000
        file.mux(stream.encode(sound))


def test_every_file_that_would_get_the_same_label_is_found(tmp_path: Path) -> None:
    """Also with another name between the two."""
    for name in ("a.jpg", "a.k.jpg", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"a\.jpg and a\.png in .* would get the same label"):
        label.find_files(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("still.jpg", b"", "still.jpg and still.png in {folder} would get the same label; rename one"),
        ("broken.png", b"no image", "cannot read {folder}/broken.png as an image"),
        (
            "broken.mp4",
            b"no video",
            "cannot read {folder}/broken.mp4 as a video: Invalid data found when processing input",
        ),
        ("sound.mkv", None, "cannot read {folder}/sound.mkv as a video: it has no video stream"),
    ],
)
def test_unusable_files_are_reported(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, message: str
) -> None:
    """``content``: None for a file with sound only."""
    if content is None:
        write_sound(folder / name)
    else:
        (folder / name).write_bytes(content)
    spec = networks.unverified(networks.recurrent(folder / "tiny.onnx"))
    assert run(folder, folder / "out", "--network", spec) == 2
    assert capsys.readouterr().err == f"label: {message.format(folder=folder)}\n"


def test_folder_without_images_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, tmp_path / "out", "--network", "small") == 2
    assert capsys.readouterr().err == f"label: no images or videos in the folder {tmp_path}\n"


def test_labels_are_not_written_among_the_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, folder, "--network", "small") == 2
    assert capsys.readouterr().err == "label: --out is the folder of the images; choose another one\n"


def test_unknown_network_is_reported(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, tmp_path / "out", "--network", "gone.onnx") == 2
    assert "gone.onnx" in capsys.readouterr().err


def test_a_scale_is_above_0_and_at_most_1(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(folder, tmp_path / "out", "--network", "small", "--scales", "1.5")
