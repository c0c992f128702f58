"""The training end to end on made-up data: a pack is read, shots are drawn, a few steps learn, the export runs."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group train")
pytest.importorskip("pymatting", reason="pymatting is not installed: pip install --group train")

from training import (  # noqa: E402 - only where torch is
    bands,
    bend,
    blocks,
    dress,
    evaluate,
    export,
    faces,
    faults,
    front,
    hats,
    head,
    layers,
    loader,
    losses,
    net,
    pack,
    prints,
    quantise,
    scene,
    teacher,
    things,
    train,
    walls,
)
from training.recipe import Stage  # noqa: E402 - likewise
from training.run import SKIPPED, begin  # noqa: E402 - likewise

SIZE = (96, 64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of discs: six stills, one clip, four rooms, each split."""
    root = tmp_path_factory.mktemp("pack")
    random = np.random.default_rng(0)
    stills, clips, rooms = [], [], []
    for split in ("train", "val"):
        for index in range(6):
            image, alpha = disc(random, (48 + index, 40))
            name = f"{split}{index}"
            cv2.imwrite(str(root / f"{name}.jpg"), image)
            cv2.imwrite(str(root / f"{name}.png"), alpha)
            stills.append((f"{name}.jpg", f"{name}.png", "made up", split, "0.99"))
        clips.append((write_clip(root, split, random), f"{split}_alpha.avi", "made up", split))
        for index in range(4):
            cv2.imwrite(str(root / f"room{split}{index}.jpg"), random.integers(0, 256, (*SIZE[::-1], 3), np.uint8))
            rooms.append((f"room{split}{index}.jpg", "background", "made up", split))
    write(root / "pack.csv", ("image", "alpha", "source", "split", "teacher_iou"), stills)
    write(root / "clips.csv", ("video", "alpha", "source", "split"), clips)
    write(root / "nobody.csv", ("image", "kind", "source", "split"), rooms)
    return root


def disc(random: np.random.Generator, centre: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    alpha = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(alpha, centre, 20, 255, -1, cv2.LINE_AA)
    room = random.integers(0, 100, (*SIZE[::-1], 3), np.uint8)
    return np.where(alpha[..., None] > 127, np.uint8([60, 120, 220]), room), alpha


def write_clip(root: Path, split: str, random: np.random.Generator) -> str:
    coder = cv2.VideoWriter_fourcc(*"MJPG")
    colours = cv2.VideoWriter(str(root / f"{split}.avi"), coder, 30, SIZE)
    alphas = cv2.VideoWriter(str(root / f"{split}_alpha.avi"), coder, 30, SIZE)
    for moment in range(8):
        image, alpha = disc(random, (40 + moment, 40))
        colours.write(image)
        alphas.write(cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR))
    colours.release()
    alphas.release()
    return f"{split}.avi"


def write(path: Path, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


@pytest.fixture(scope="module")
def data(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> pack.Pack:
    return pack.read(folder, split="train", cache=tmp_path_factory.mktemp("cache"))


def test_a_pack_is_read_by_its_split(data: pack.Pack) -> None:
    assert (len(data.people), [len(clip) for clip in data.clips], len(data.rooms)) == (6, [8], 4)


def test_a_pack_that_grew_is_read_anew(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    before = pack.read(mine, split="train", cache=tmp_path / "cache")
    image, alpha = disc(np.random.default_rng(1), (40, 40))
    cv2.imwrite(str(mine / "me.jpg"), image)
    cv2.imwrite(str(mine / "me.png"), alpha)
    with (mine / "pack.csv").open("a", newline="") as file:
        csv.writer(file).writerow(("me.jpg", "me.png", "me", "train", ""))
    after = pack.read(mine, split="train", cache=tmp_path / "cache")
    assert len(after.people) == len(before.people) + 1


def test_foregrounds_are_free_of_the_old_room(data: pack.Pack) -> None:
    rim = (data.people[0].alpha > 60) & (data.people[0].alpha < 250)
    assert rim.sum() > 20
    assert np.abs(data.people[0].foreground[rim].astype(int) - [60, 120, 220]).mean() < 25


def test_shots_have_their_size_and_are_the_same_for_a_seed(data: pack.Pack) -> None:
    first, second = (scene.scenes(data, seed=3).shot(4, width=64, height=48) for _ in range(2))
    assert first.frames.shape == (4, 48, 64, 3)
    assert first.alpha.shape == (4, 48, 64)
    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.alpha, second.alpha)


def test_some_shots_hold_nobody_and_most_somebody(data: pack.Pack) -> None:
    source = scene.scenes(data, seed=1)
    people = [bool(source.shot(1, width=64, height=48).alpha.max() > 127) for _ in range(120)]
    assert 0.6 < np.mean(people) < 0.99


@pytest.mark.parametrize(("shape", "size"), [((16, 9), (256, 144)), ((4, 3), (224, 160)), ((1, 1), (192, 192))])
def test_grids_keep_the_frame_s_shape(shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert loader.grid(256 * 144, *shape) == size


def test_batches_come_in_few_sizes_from_the_least_to_the_most() -> None:
    """Each size costs a GPU seconds the first time."""
    drawn = loader.grids(loader.Plan(shots=1, length=1, area=512 * 288, least=0.25), seed=0)
    sizes = {next(drawn) for _ in range(1000)}
    assert len(sizes) == loader.SIZES * len(loader.ASPECTS)
    assert {(512, 288), (256, 144)} <= sizes


def test_a_perfect_alpha_costs_less_than_any_other() -> None:
    truth = torch.zeros(2, 3, 1, 32, 48)
    truth[..., 8:24, 12:36] = 1
    logits, coarse, known = (truth - 0.5) * 30, torch.zeros(2, 3, 1, 4, 6), torch.ones_like(truth)
    perfect = losses.matting_loss(logits, coarse, truth, known)
    assert perfect < losses.matting_loss(logits.roll(2, -1), coarse, truth, known)
    assert perfect < losses.matting_loss(-logits, coarse, truth, known)


def test_flicker_costs_more_than_the_same_error_at_rest() -> None:
    truth = torch.full((1, 4, 1, 32, 32), 0.5)
    error = torch.full((1, 4, 1, 32, 32), 0.4)
    sign = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 4, 1, 1, 1)
    coarse = torch.zeros(1, 4, 1, 4, 4)
    known = torch.ones_like(truth)
    assert losses.matting_loss(error * sign, coarse, truth, known) > losses.matting_loss(error, coarse, truth, known)


def test_mirror_images_disagree_where_alphas_do() -> None:
    alpha = torch.rand(2, 1, 1, 8, 12)
    assert losses.disagreement(alpha, alpha.flip(-1)).item() == 0
    assert losses.disagreement(alpha, 1 - alpha.flip(-1)).item() == pytest.approx((2 * alpha - 1).abs().mean().item())


def test_shots_shown_mirrored_too_are_not_counted_twice(data: pack.Pack, tmp_path: Path) -> None:
    run = begin("tiny", tmp_path / "checkpoint.pt", "cpu")
    batch = next(loader.batches(data, loader.Plan(shots=4, length=1, area=48 * 64), seed=0, workers=0))
    run.step(batch, 1e-3, mirrored=2)
    assert run.frames == 4


def test_somebody_who_enters_is_placed_by_the_first_frame_that_shows_them(data: pack.Pack) -> None:
    source = scene.scenes(data, seed=0)
    still = data.people[0]
    gone = pack.Person(still.image, still.foreground, np.zeros_like(still.alpha), "")
    assert source._person([gone, gone], 64, 48) is None
    layer = source._person([gone, still], 64, 48)
    assert layer is not None
    assert 0.02 < (layer.draw(1, width=64, height=48)[1] > 127).mean() < 1


def test_where_truth_is_unknown_nothing_is_learned() -> None:
    truth = (torch.rand(2, 3, 1, 32, 48) > 0.5).float()
    logits, coarse = torch.randn(2, 3, 1, 32, 48, requires_grad=True), torch.zeros(2, 3, 1, 4, 6)
    known = torch.zeros_like(truth)
    known[..., :16, :] = 1
    losses.matting_loss(logits, coarse, truth, known).backward()
    assert logits.grad is not None
    assert (logits.grad[..., 16:, :] == 0).all()
    assert (logits.grad[..., :16, :] != 0).float().mean() > 0.9


def test_alpha_reaches_both_ends() -> None:
    assert net.to_alpha(torch.tensor([-9.0, 0.0, 9.0])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("seed", range(20))
def test_dusk_is_dark_and_flat(seed: int) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    seen = faults.dusk(np.random.default_rng(seed))(ramp).astype(int)
    assert seen.max() < 240
    assert seen.max() - seen.min() < 200
    assert (np.diff(seen[..., 1], axis=0) >= 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_hat_belongs_to_whoever_wears_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    rooms = [np.full((80, 120, 3), (200, 60, 20), np.uint8)]
    worn = hats.hat(random, head.Head(middle=50, top=30, neck=70, width=32), rooms)
    colours, alpha = np.full((120, 100, 3), 128, np.uint8), np.zeros((120, 100), np.uint8)
    matrix = np.array([[1.0, 0, 0], [0, 1, 0]])
    dressed, whole = worn.put_on(colours, alpha, matrix)
    cloth = whole > 250
    assert cloth.sum() > 100
    assert (dressed[cloth][:, 0].astype(int) - dressed[cloth][:, 2] > 10).all()
    np.testing.assert_array_equal(dressed[whole == 0], colours[whole == 0])
    moved, there = worn.put_on(colours, alpha, matrix + np.array([[0, 0, 10], [0, 0, 5]]))
    np.testing.assert_array_equal(there[5:, 10:], whole[:-5, :-10])
    np.testing.assert_array_equal(moved[5:, 10:], dressed[:-5, :-10])


@pytest.mark.parametrize("seed", range(20))
def test_a_print_is_on_the_clothes_and_moves_with_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    rooms = [random.integers(0, 256, (80, 120, 3), np.uint8)]
    wearer = head.Head(middle=50, top=30, neck=60, width=32)
    worn = dress.Dress(wearer, clothes=prints.printed(random, wearer, rooms))
    colours, alpha = np.full((120, 100, 3), 128, np.uint8), np.full((120, 100), 255, np.uint8)
    matrix = np.array([[1.0, 0, 0], [0, 1, 0]])
    dressed, whole = worn.put_on(colours, alpha, matrix)
    np.testing.assert_array_equal(whole, alpha)
    np.testing.assert_array_equal(dressed[:50], colours[:50])
    assert dressed[70:].std() > 3
    moved, _ = worn.put_on(colours, alpha, matrix + np.array([[0, 0, 10], [0, 0, 5]]))
    away = np.abs(moved[80:, 10:].astype(int) - dressed[75:-5, :-10])
    assert np.mean(away > 1) < 0.02  # warps round where they look in steps of 1/32 of a pixel


@pytest.mark.parametrize("seed", range(20))
def test_a_head_of_somebody_else_covers_the_wearer_s(seed: int) -> None:
    wearer = head.Head(middle=50, top=30, neck=70, width=32)
    alpha = standing(head.Head(middle=80, top=20, neck=68, width=40))
    blue = np.full((*alpha.shape, 3), (200, 40, 20), np.uint8)
    worn = faces.face(np.random.default_rng(seed), wearer, [pack.Person(blue, blue, alpha, "")])
    assert worn is not None
    own = standing(wearer)
    colours, matrix = np.full((*own.shape, 3), (60, 120, 220), np.uint8), np.array([[1.0, 0, 0], [0, 1, 0]])
    dressed, whole = worn.put_on(colours, own, matrix)
    assert (whole >= own).all()
    is_blue = dressed[..., 0] > dressed[..., 2]
    assert is_blue[36:66, 38:62].mean() > 0.97
    assert not is_blue[80:].any()
    np.testing.assert_array_equal(whole[80:], own[80:])


@pytest.mark.parametrize("width", [56, 90])
def test_nobody_gets_a_head_from_one_who_shows_no_whole_one(width: int) -> None:
    shown = standing(head.Head(middle=80, top=20, neck=60, width=width))
    people = [pack.Person(shown, shown, shown, "")]
    assert head.head_of(shown) is not None
    assert faces.face(np.random.default_rng(0), head.Head(middle=50, top=30, neck=70, width=32), people) is None


def test_a_complexion_leaves_the_clothes_alone() -> None:
    wearer = head.Head(middle=50, top=30, neck=60, width=32)
    colours, alpha = np.full((120, 100, 3), 128, np.uint8), np.full((120, 100), 255, np.uint8)
    pale = faults.Grade(np.full((256, 1, 3), 250, np.uint8), 1.0)
    dressed, _ = dress.Dress(wearer, complexion=pale).put_on(colours, alpha, np.array([[1.0, 0, 0], [0, 1, 0]]))
    assert (dressed[:50] == 250).all()
    np.testing.assert_array_equal(dressed[70:], colours[70:])


def standing(owner: head.Head) -> np.ndarray:
    """The outline of somebody with this head: an ellipse on a neck on shoulders."""
    alpha = np.zeros((140, 160), np.uint8)
    middle, tall = (int(owner.middle), int(owner.top + owner.neck) // 2), int(owner.neck - owner.top) // 2
    cv2.ellipse(alpha, middle, (int(owner.width) // 2, tall), 0, 0, 360, 255, -1)
    cv2.rectangle(alpha, (middle[0] - 6, int(owner.neck) - 3), (middle[0] + 6, int(owner.neck) + 8), 255, -1)
    cv2.rectangle(alpha, (middle[0] - 40, int(owner.neck) + 8), (middle[0] + 40, 140), 255, -1)
    return alpha


@pytest.mark.parametrize("seed", range(20))
def test_a_curtain_hangs_from_one_side_to_below_the_frame(seed: int) -> None:
    random = np.random.default_rng(seed)
    rooms = [random.integers(0, 256, (80, 120, 3), np.uint8)]
    _, alpha = things.curtain(random, rooms, 160, 90).draw(0, width=160, height=90)
    left, right = alpha[-1, 0] > 127, alpha[-1, -1] > 127
    assert left != right
    assert 0.02 < np.mean(alpha > 127) < 0.8
    assert alpha[-1].max() == 255


@pytest.mark.parametrize("seed", range(20))
def test_a_bent_shot_keeps_its_alpha_where_its_people_are(seed: int) -> None:
    alpha = np.zeros((2, 90, 160), np.uint8)
    alpha[:, 30:, 50:110] = 255
    frames = np.repeat(alpha[..., None], 3, axis=3)
    seen = bend.bent(np.random.default_rng(seed), layers.Shot(frames, alpha, alpha))
    np.testing.assert_array_equal(seen.frames[..., 1], seen.alpha)
    np.testing.assert_array_equal(seen.alpha[0], seen.alpha[1])
    assert (seen.alpha != alpha).any()
    assert 0.6 < np.mean(seen.alpha > 127) / np.mean(alpha > 127) < 1.6


def shot_of_a_body() -> layers.Shot:
    """Somebody from the middle of a grey frame down to its bottom, in blue."""
    alpha = np.zeros((2, 90, 160), np.uint8)
    alpha[:, 30:, 50:110] = 255
    frames = np.where(alpha[..., None] > 0, np.uint8([200, 40, 20]), np.uint8([128, 128, 128]))
    return layers.Shot(frames, alpha, np.full_like(alpha, 255))


@pytest.mark.parametrize("seed", range(20))
def test_bands_move_with_the_body_and_cross_it_below_the_head(seed: int) -> None:
    wearer = head.Head(middle=50, top=30, neck=60, width=32)
    across = bands.bands(np.random.default_rng(seed), wearer, bottom=120)
    assert 1 <= len(across.corners) <= 4
    middles = across.corners.mean(1)[:, 1]
    assert ((middles >= wearer.top) & (middles <= 150)).all()
    colours, matrix = np.full((120, 100, 3), 128, np.uint8), np.array([[1.0, 0, 0], [0, 1, 0]])
    drawn = across.put_on(colours, matrix)
    assert (drawn != colours).any()
    moved = across.put_on(colours, matrix + np.array([[0, 0, 10], [0, 0, 5]]))
    if not across.folded:
        assert np.mean(np.abs(moved[5:, 10:].astype(int) - drawn[:-5, :-10]) > 2) < 0.01


def test_people_without_a_whole_head_get_bands_too() -> None:
    alpha = np.zeros((90, 160), np.uint8)
    alpha[:, 50:110] = 255
    assert head.head_of(alpha) is None
    worn = [dress.dress(np.random.default_rng(seed), alpha, [], []) for seed in range(200)]
    assert 0.15 < np.mean([each is not None and each.bands is not None for each in worn]) < 0.4


@pytest.mark.parametrize("seed", range(20))
def test_a_part_in_front_is_a_person_s(seed: int) -> None:
    person = standing(head.Head(middle=80, top=20, neck=68, width=40))
    green = np.full((*person.shape, 3), (20, 200, 40), np.uint8)
    before = shot_of_a_body()
    after = front.with_part(np.random.default_rng(seed), before, [pack.Person(green, green, person, "")])
    changed = (after.frames != before.frames).any(3)
    assert (after.alpha[changed] > 0).all()
    assert (after.alpha >= before.alpha).all()
    assert (after.certainty == 255).all()


@pytest.mark.parametrize("seed", range(20))
def test_an_object_is_the_person_s_before_the_body_and_unknown_beside_it(seed: int) -> None:
    before = shot_of_a_body()
    after = front.with_object(np.random.default_rng(seed), before, [before.frames[0]])
    np.testing.assert_array_equal(after.alpha, before.alpha)
    beside = (after.frames != before.frames).any(3) & (before.alpha == 0)
    assert (after.certainty[beside] < 255).all()
    assert (after.certainty[before.alpha > 0] == 255).all()


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_seen_where_a_desk_is(seed: int) -> None:
    before = shot_of_a_body()
    after = front.with_desk(np.random.default_rng(seed), before, [before.frames[0]])
    assert after.alpha[0, -1].mean() < before.alpha[0, -1].mean()
    np.testing.assert_array_equal(after.alpha[:, :50], before.alpha[:, :50])


@pytest.mark.parametrize("seed", range(20))
def test_a_wall_fills_its_image_and_has_one_mean_colour(seed: int) -> None:
    random = np.random.default_rng(seed)
    image = walls.wall(random, [random.integers(0, 256, (80, 120, 3), np.uint8)])
    assert image.shape == (*walls.SIZE[::-1], 3)
    assert image.max() > 0
    np.testing.assert_allclose(walls.colour_of(image), image.mean((0, 1)), atol=0.1)


def test_the_colour_behind_somebody_leaves_them_out() -> None:
    image, alpha = np.full((40, 60, 3), 50, np.uint8), np.zeros((40, 60), np.uint8)
    image[:, 30:], alpha[:, 30:] = 200, 255
    assert walls.colour_of(image, alpha).tolist() == [50, 50, 50]
    assert walls.colour_of(image, np.full_like(alpha, 255)).tolist() == [125, 125, 125]


def test_votes_give_certainty_and_outlines_are_certain() -> None:
    votes = np.full((40, 40), 255, np.uint8)
    votes[10, :] = 140
    votes[20:30, 5:15] = 140
    certainty = pack.certainty_of(votes, (160, 160))
    assert certainty.shape == (160, 160)
    assert certainty[40:44, 60:].min() == 255
    assert certainty[90:110, 30:50].max() < 40
    assert pack.certainty_of(np.zeros((4, 4), np.uint8), (8, 8)).max() == 0


def test_labels_by_votes_are_read_where_a_pack_has_them(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    image, alpha = disc(np.random.default_rng(1), (40, 40))
    for name, pixels in (("me.png", image), ("me_alpha.png", alpha), ("me_sure.png", np.full((16, 24), 128, np.uint8))):
        cv2.imwrite(str(mine / name), pixels)
    row = ("me.png", "me_alpha.png", "me_sure.png", "hands webcam", "train")
    write(mine / "people2.csv", ("image", "alpha", "sure", "kind", "split"), [row, (*row[:4], "gestures")])
    write(mine / "no_person2.csv", ("image", "split"), [("me.png", "train"), ("me.png", "val")])
    read = pack.read(mine, split="train", cache=tmp_path / "cache")
    assert len(read.people) == 7
    assert read.people[-1].certainty is not None
    assert read.people[-1].certainty.max() <= 1
    assert len(read.lookalikes) == 1
    source = scene.scenes(read, seed=0)
    assert source.hands == [read.people[-1]]
    assert len(source.rooms) == 4 + scene.LOOKALIKES


def test_alphas_of_clips_are_read_as_they_are_stored(folder: Path) -> None:
    first = next(pack.grey_frames(folder / "train_alpha.avi"))
    assert first.shape == SIZE[::-1]
    assert first.min() <= 3
    assert first.max() >= 252


def test_a_gradient_that_overflows_spoils_no_weight(tmp_path: Path) -> None:
    run = begin("tiny", tmp_path / "checkpoint.pt", "cpu")
    empty = torch.zeros(1, 1, 32, 48, dtype=torch.uint8)
    batch = loader.Batch(torch.zeros(1, 1, 32, 48, 3, dtype=torch.uint8), empty, empty + 255)
    run.net.head.bias.register_hook(lambda gradient: gradient * torch.inf)
    before = run.net.head.weight.detach().clone()
    run.step(batch, 1e-3)
    assert torch.equal(run.net.head.weight, before)
    assert all(values.isfinite().all() for values in run.average.state_dict().values())
    for _ in range(SKIPPED - 1):
        run.step(batch, 1e-3)
    with pytest.raises(FloatingPointError, match="no gradient of 21 batches in a row is a number"):
        run.step(batch, 1e-3)


def test_memory_makes_frames_depend_on_earlier_ones() -> None:
    model = net.MattingNet(net.SHAPES["tiny"]).eval()
    clip = torch.rand(1, 2, 3, 32, 48)
    with torch.no_grad():
        together = model(clip)[0][:, 1]
        alone = model(clip[:, 1:])[0][:, 0]
        first = model(clip[:, :1])
        stepwise = model(clip[:, 1:], first[2])[0][:, 0]
    assert torch.allclose(together, stepwise, atol=1e-5)
    assert not torch.allclose(together, alone, atol=1e-5)


def test_memory_fades() -> None:
    gru = blocks.ConvGRU(4, 2)
    gru.gates.bias.data[2:] = -1e3  # nothing new is taken up
    memory = torch.ones(1, 2, 8, 8)
    with torch.no_grad():
        for _ in range(30):
            _, memory = gru(torch.rand(1, 4, 8, 8), memory)
    assert torch.allclose(memory, torch.full_like(memory, blocks.KEPT**30))
    assert blocks.KEPT**30 < 0.25  # of what it saw a second ago


def recipe(frames: int, length: int = 1) -> tuple[Stage, ...]:
    return (Stage(frames=frames, plan=loader.Plan(shots=8, length=length, area=48 * 64), rate=(3e-3, 1e-3)),)


def test_training_learns_resumes_and_exports(data: pack.Pack, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    checkpoint = tmp_path / "checkpoint.pt"
    run = begin("tiny", checkpoint, "cpu")
    train.train(run, data, tmp_path, recipe=recipe(400), workers=0, every=10)
    resumed = begin("tiny", checkpoint, "cpu")
    assert resumed.frames == 400
    train.train(resumed, data, tmp_path, recipe=recipe(480, length=2), workers=0, every=10)
    model, frames = export.load(checkpoint)
    assert frames == 480
    losses_told = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses_told[4] < 0.95 * losses_told[0]
    figures = evaluate.evaluate(model, evaluate.shots_of(data, count=3, length=4))
    assert 0 < figures.mad < 1000
    export.export(model, tmp_path / "tiny.onnx", name="tiny", area=48 * 64, frames=frames)
    export.list_sums(tmp_path)
    assert "tiny.onnx" in (tmp_path / "SHA256SUMS").read_text()


def test_a_new_run_can_begin_from_a_checkpoint(tmp_path: Path) -> None:
    known = begin("tiny", tmp_path / "absent.pt", "cpu")
    known.frames = 77
    known.save(tmp_path / "known.pt")
    run = begin("tiny", tmp_path / "checkpoint.pt", "cpu", start=tmp_path / "known.pt")
    assert (run.frames, run.before) == (0, 77)
    run.save(tmp_path / "checkpoint.pt")
    assert export.load(tmp_path / "checkpoint.pt")[1] == 77
    pairs = zip(known.average.parameters(), run.net.parameters(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)


def test_a_run_that_begins_from_a_checkpoint_sees_other_pictures_than_those_before(
    data: pack.Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []
    batches = loader.batches
    monkeypatch.setattr(
        train, "batches", lambda *given, seed, **more: seeds.append(seed) or batches(*given, seed=seed, **more)
    )
    first = begin("tiny", tmp_path / "first.pt", "cpu")
    train.train(first, data, tmp_path, recipe=recipe(16), workers=0, every=1)
    second = begin("tiny", tmp_path / "second.pt", "cpu", start=tmp_path / "checkpoint.pt")
    train.train(second, data, tmp_path, recipe=recipe(16), workers=0, every=1)
    assert seeds == [0, 16]


def without_whole(checkpoint: Path) -> None:
    """As if the network had no stage at 1/32 yet."""
    state = torch.load(checkpoint, weights_only=True)
    state["average"] = {name: value for name, value in state["average"].items() if not name.startswith("whole.")}
    torch.save(state, checkpoint)


def test_a_grown_network_gives_what_the_smaller_one_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = begin("tiny", tmp_path / "absent.pt", "cpu")
    small.save(tmp_path / "small.pt")
    without_whole(tmp_path / "small.pt")
    shape = net.SHAPES["tiny"]
    monkeypatch.setitem(net.SHAPES, "tiny", net.Shape(shape.channels, (1, 1, 2, 4, 2)))
    large = begin("tiny", tmp_path / "checkpoint.pt", "cpu", start=tmp_path / "small.pt")
    clip = torch.rand(1, 2, 3, 32, 48)
    with torch.no_grad():
        assert torch.equal(large.net.eval()(clip)[0], small.average.eval()(clip)[0])
    assert sum(part.numel() for part in large.net.parameters()) > sum(part.numel() for part in small.net.parameters())


def test_a_checkpoint_of_another_shape_is_no_start(tmp_path: Path) -> None:
    begin("tiny", tmp_path / "absent.pt", "cpu").save(tmp_path / "tiny.pt")
    with pytest.raises(RuntimeError, match="size mismatch"):
        begin("small", tmp_path / "checkpoint.pt", "cpu", start=tmp_path / "tiny.pt")


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """A network in which the teacher's encoder is found: the mean red of each block of 16 x 16, in every channel."""
    import onnx  # noqa: PLC0415 - comes with the group
    from onnx import helper  # noqa: PLC0415

    red = np.zeros((teacher.CHANNELS, 3, 16, 16), np.float32)
    red[:, 0] = 1 / 256
    nodes = [
        helper.make_node("Conv", ["src", "red"], ["/n/Mul_output_0"], strides=[16, 16]),
        helper.make_node("Relu", ["/n/Mul_output_0"], ["pha"]),
    ]
    ports = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, "h", "w"])
        for name, channels in (("src", 3), ("pha", teacher.CHANNELS))
    ]
    graph = helper.make_graph(nodes, "t", ports[:1], ports[1:], [onnx.numpy_helper.from_array(red, "red")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "t.onnx")
    return tmp_path / "t.onnx"


def test_the_teacher_sees_frames_as_it_was_taught_to(taught: Path) -> None:
    frames = np.zeros((2, 32, 48, 3), np.uint8)
    frames[1, :16, :16] = (0, 0, 255)  # red, in BGR
    features = teacher.Teacher(taught).features(frames)
    assert features.shape == (2, teacher.CHANNELS, 2, 3)
    assert features[1, :, 0, 0].tolist() == [1.0] * teacher.CHANNELS
    assert features.sum() == teacher.CHANNELS


def test_a_lesson_is_what_is_not_explained() -> None:
    lesson = teacher.Lesson(teacher.CHANNELS)
    torch.nn.init.dirac_(lesson.translate.weight)
    torch.nn.init.zeros_(lesson.translate.bias)
    features = torch.rand(3, teacher.CHANNELS, 4, 5)
    mean = features.mean((0, 2, 3), keepdim=True).expand_as(features)
    assert lesson(features, features).item() == pytest.approx(0, abs=1e-6)
    assert lesson(mean, features).item() == pytest.approx(1, abs=1e-5)


def test_training_learns_what_a_teacher_sees(data: pack.Pack, taught: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    plan = loader.Plan(shots=8, length=2, area=48 * 64, taught=4)
    stages = (Stage(frames=1600, plan=plan, rate=(3e-3, 1e-3)),)
    run = begin("tiny", tmp_path / "checkpoint.pt", "cpu")
    train.train(run, data, tmp_path, recipe=stages, workers=0, every=10, teacher=taught)
    lessons = [json.loads(line)["lesson"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lessons[-1] < 0.8 * lessons[0]
    assert export.load(tmp_path / "checkpoint.pt")[1] == 1600


def test_a_batch_is_made_in_parts_and_what_is_taught_comes_first(data: pack.Pack, taught: Path) -> None:
    plan = loader.Plan(shots=5, length=2, area=48 * 64, least=0.3, taught=3)
    source = loader.batches(data, plan, seed=3, workers=2, teacher=taught)
    sees = teacher.Teacher(taught)
    for _ in range(4):
        batch = next(source)
        assert batch.frames.shape[:2] == batch.alpha.shape[:2] == (5, 2)
        assert batch.frames.shape[2:4] == batch.alpha.shape[2:]
        assert batch.taught is not None
        assert np.array_equal(batch.taught.numpy(), sees.features(batch.frames[:3, 0].numpy()))


def test_more_hands_than_shots_make_whole_batches_too(data: pack.Pack) -> None:
    batch = next(loader.batches(data, loader.Plan(shots=1, length=1, area=48 * 64), seed=0, workers=2))
    assert len(batch.frames) == 1
    assert batch.taught is None


def test_several_checkpoints_are_exported_as_their_mean(tmp_path: Path) -> None:
    files = [tmp_path / f"{value}.pt" for value in (1, 4)]
    for value, file in zip((1, 4), files, strict=True):
        run = begin("tiny", tmp_path / "none.pt", "cpu")
        torch.nn.init.constant_(run.average.head.bias, value)
        run.frames = 100 * value
        run.save(file)
    mean, frames = export.load(*files)
    assert (mean.head.bias == 2.5).all()
    assert frames == 400
    one, two = (export.load(file)[0].state_dict() for file in files)
    for name, value in mean.state_dict().items():
        assert torch.allclose(value.float(), (one[name].float() + two[name].float()) / 2, atol=1e-6), name


def test_a_mean_may_hold_a_network_before_it_grew(tmp_path: Path) -> None:
    small, large = tmp_path / "small.pt", tmp_path / "large.pt"
    begin("small", tmp_path / "none.pt", "cpu").save(small)
    run = begin("large", tmp_path / "none.pt", "cpu", start=small)
    run.save(large)
    clip = torch.rand(1, 2, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        mean, before = (export.load(*files)[0](clip)[0] for files in ([small, large], [small]))
        torch.nn.init.constant_(run.average.to4[3].second[1].weight, 3)
    assert torch.allclose(mean, before, atol=1e-5)
    run.save(large)
    mixed = export.load(large, small)[0]
    assert mixed.shape == net.SHAPES["large"]
    assert (mixed.to4[3].second[1].weight == 1.5).all()


def test_there_is_no_mean_of_different_networks(tmp_path: Path) -> None:
    for shape in ("tiny", "small"):
        begin(shape, tmp_path / "none.pt", "cpu").save(tmp_path / f"{shape}.pt")
    with pytest.raises(ValueError, match="several shapes"):
        export.load(tmp_path / "tiny.pt", tmp_path / "small.pt")


def test_a_wrong_export_is_refused(tmp_path: Path) -> None:
    right, wrong = (net.MattingNet(net.SHAPES["tiny"]).eval() for _ in range(2))
    torch.nn.init.constant_(wrong.head.bias, 5)
    export.export(right, tmp_path / "right.onnx", name="right", area=48 * 64, frames=0)
    with pytest.raises(ValueError, match="differ"):
        export.check(wrong, tmp_path / "right.onnx")


def test_the_program_runs_what_the_training_exports(tmp_path: Path) -> None:
    from realtime_matte import models  # noqa: PLC0415 - needs the program's own packages
    from realtime_matte.frame import Frame  # noqa: PLC0415

    model = net.MattingNet(net.SHAPES["tiny"]).eval()
    export.export(model, tmp_path / "own.onnx", name="own", area=96 * 64, frames=0)
    network = models.open(str(tmp_path / "own.onnx"), provider="cpu", threads=1)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    matte, _ = network.process(Frame(pixels, 0.0, 0), None)
    frames = torch.from_numpy(pixels).permute(2, 0, 1).float()[None, None] / 127.5 - 1
    with torch.no_grad():
        expected = net.to_alpha(model(frames)[0])[0, 0, 0].numpy()
    network.close()
    assert matte.alpha.shape == expected.shape
    assert np.abs(matte.alpha - expected).max() < 5e-3


def test_an_export_gets_its_twin_in_8_bits(data: pack.Pack, tmp_path: Path) -> None:
    import onnx  # noqa: PLC0415 - comes with the group

    torch.manual_seed(0)
    model = net.MattingNet(net.SHAPES["tiny"]).eval()
    path = tmp_path / "own.onnx"
    export.export(model, path, name="own", area=96 * 64, frames=0)
    shots = quantise.shots_of(data, area=96 * 64, count=4, length=3)
    twin = quantise.quantise(path, shots)
    assert twin.name == "own-int8.onnx"
    assert quantise._told(onnx.load(path))["rtmatte.eight_bit"] == twin.name
    assert "rtmatte.eight_bit" not in quantise._told(onnx.load(twin))
    operators = [node.op_type for node in onnx.load(twin).graph.node]
    assert operators.count("DequantizeLinear") > 20
    assert operators.count("Relu") == 2  # of the stem and the context, in floats; the others cost nothing
    other = net.MattingNet(net.SHAPES["tiny"]).eval()
    torch.nn.init.constant_(other.head.bias, 5)
    export.export(other, tmp_path / "other.onnx", name="other", area=96 * 64, frames=0)
    with pytest.raises(ValueError, match="differs"):
        quantise.check(tmp_path / "other.onnx", twin, shots)
