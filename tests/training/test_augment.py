"""Synthetic shots: whatever is added moves with its owner, and alpha stays exact."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from training import pack
from training.augment import (
    appearance,
    background_objects,
    camera_degradation,
    clean_plate,
    clothing_bands,
    head_swap,
    headwear,
    image_ops,
    occluders,
    patterns,
    placement,
    plain_backgrounds,
    shot_generator,
)
from training.augment.head import Head, find_head
from training.augment.shot import Shot, concatenate, elastic_distortion

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])
SHIFTED = IDENTITY + np.array([[0, 0, 10], [0, 0, 5]])

PERFECT_CAMERA = camera_degradation.CameraDegradation(
    grade=camera_degradation.ColourGrade(np.arange(256, dtype=np.uint8)[:, None, None].repeat(3, axis=2), saturation=1),
    noise=0,
    noise_grain=1,
    scale=1,
    blur=0,
    path=None,
    sharpen=0,
    jpeg_quality=0,
)
"""Its image of a scene is the scene."""


def outline_with(head: Head) -> pack.Image:
    """The alpha of a person with this head: an ellipse on a neck on shoulders."""
    alpha = np.zeros((140, 160), np.uint8)
    centre, half_height = (int(head.centre), int(head.top + head.neck) // 2), int(head.height) // 2
    cv2.ellipse(alpha, centre, (int(head.width) // 2, half_height), 0, 0, 360, 255, -1)
    cv2.rectangle(alpha, (centre[0] - 6, int(head.neck) - 3), (centre[0] + 6, int(head.neck) + 8), 255, -1)
    cv2.rectangle(alpha, (centre[0] - 40, int(head.neck) + 8), (centre[0] + 40, 140), 255, -1)
    return alpha


def body_shot() -> Shot:
    """A blue body from the middle of a grey frame to its lower edge."""
    alpha = np.zeros((2, 90, 160), np.uint8)
    alpha[:, 30:, 50:110] = 255
    frames = np.where(alpha[..., None] > 0, np.uint8([200, 40, 20]), np.uint8([128, 128, 128]))
    return Shot(frames, alpha, np.full_like(alpha, 255))


def grey_person() -> tuple[pack.Image, pack.Image]:
    """Grey colours of a person who fills the image, and alpha."""
    return np.full((120, 100, 3), 128, np.uint8), np.full((120, 100), 255, np.uint8)


def test_shots_have_the_requested_size_and_depend_on_the_seed_alone(data: pack.Pack) -> None:
    first, second = (shot_generator.shot_generator(data, seed=3).shot(4, width=64, height=48) for _ in range(2))
    assert first.frames.shape == (4, 48, 64, 3)
    assert first.alpha.shape == (4, 48, 64)
    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.alpha, second.alpha)


@pytest.mark.parametrize("seed", range(6))
def test_plate_of_a_shot_shows_its_background_where_it_is_valid(
    data: pack.Pack, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the errors of a real plate, which are drawn after it: at every place that no person covers."""
    monkeypatch.setattr(shot_generator, "add_plate_errors", lambda _random, shot, *_: shot)
    monkeypatch.setattr(shot_generator, "random_degradation", lambda _: PERFECT_CAMERA)
    shot = shot_generator.shot_generator(data, seed=seed, plates=True).shot(1, width=96, height=64)
    assert shot.plate is not None
    free = (shot.plate[0, ..., 3] == 255) & (shot.alpha[0] == 0) & (shot.certainty[0] == 255)
    difference = np.abs(shot.plate[0, ..., :3].astype(int) - shot.frames[0])[free]
    assert np.percentile(difference, 90) <= 4 if free.any() else not shot.plate[..., 3].any() or shot.alpha.any()


def test_many_plates_are_unknown_and_every_shot_has_one(data: pack.Pack) -> None:
    generator = shot_generator.shot_generator(data, seed=5, plates=True)
    plates = [generator.shot(1, width=48, height=32).plate for _ in range(150)]
    assert {plate.shape for plate in plates if plate is not None} == {(1, 32, 48, 4)}
    unknown = sum(plate is not None and not plate[..., 3].any() for plate in plates)
    assert 60 <= unknown <= 110
    assert shot_generator.shot_generator(data, seed=5).shot(1, width=48, height=32).plate is None


def test_plates_of_empty_rooms_have_holes_too() -> None:
    """Otherwise a hole means a person."""
    empty = Shot(*(part[:1] for part in (np.full((1, 90, 160, 3), 90, np.uint8), *np.zeros((2, 1, 90, 160), np.uint8))))
    full = replace(empty, plate=np.full((1, 90, 160, 4), 255, np.uint8))
    camera = camera_degradation.random_degradation(np.random.default_rng(0))
    still = pack.Still(full.frames[0], full.frames[0], outline_with(Head(centre=80, top=30, neck=60, width=32)), "")
    plates = [
        clean_plate.add_plate_errors(np.random.default_rng(seed), full, camera, [still], [full.frames[0]]).plate
        for seed in range(30)
    ]
    known = [plate for plate in plates if plate is not None and plate[..., 3].any()]
    assert len(known) > 5
    assert all((plate[..., 3] == 0).any() for plate in known)


def test_photograph_s_plate_ends_before_its_people() -> None:
    shot = body_shot()
    plate = clean_plate.plate_around(shot)
    assert not plate[0, 29:, 49:111, 3].any()
    assert (plate[0, :20, :, 3] == 255).all()


def test_cut_ends_the_plate() -> None:
    shot = body_shot()
    known = Shot(shot.frames, shot.alpha, shot.certainty, np.full((1, 90, 160, 4), 200, np.uint8))
    joined = concatenate([known, known]).plate
    assert joined is not None
    assert not joined.any()


def test_desk_stands_in_the_plate_too() -> None:
    shot = body_shot()
    known = Shot(shot.frames, shot.alpha, shot.certainty, np.zeros((1, 90, 160, 4), np.uint8))
    changed = occluders.add_desk(np.random.default_rng(0), known, [np.full((64, 64, 3), 255, np.uint8)])
    assert changed.plate is not None
    desk = changed.plate[0, ..., 3] == 255
    assert desk.any()
    assert np.array_equal(changed.plate[0, desk][:, :3], changed.frames[0][desk])


def test_most_shots_show_a_person_and_some_do_not(data: pack.Pack) -> None:
    generator = shot_generator.shot_generator(data, seed=1)
    people = [bool(generator.shot(1, width=64, height=48).alpha.max() > 127) for _ in range(120)]
    assert 0.6 < np.mean(people) < 0.99


def test_person_who_enters_is_placed_by_the_first_frame_that_shows_them(data: pack.Pack) -> None:
    generator = shot_generator.shot_generator(data, seed=0)
    still = data.people[0]
    absent = pack.Still(still.image, still.foreground, np.zeros_like(still.alpha), "")
    assert generator._person([absent, absent], 64, 48) is None
    layer = generator._person([absent, still], 64, 48)
    assert layer is not None
    assert 0.02 < (layer.draw(1, width=64, height=48)[1] > 127).mean() < 1


def standing_share(alpha: pack.Image) -> float:
    """How often this person is placed with their feet in the frame."""
    shares = []
    for seed in range(120):
        matrix = placement.place_person(np.random.default_rng(seed), alpha, None, 256, 144)
        drawn = image_ops.warp(alpha, matrix, (256, 144), cv2.BORDER_CONSTANT)
        shares.append(drawn.any() and not drawn[-4:].any())
    return float(np.mean(shares))


def test_whole_figures_stand_in_the_frame_more_often_than_people_who_are_cut_off() -> None:
    figure = np.zeros((200, 160), np.uint8)
    figure[20:180, 60:100] = 255
    assert 0.25 < standing_share(figure) < 0.5
    assert standing_share(np.ascontiguousarray(figure[:150])) < 0.15


@pytest.mark.parametrize("seed", range(20))
def test_motion_during_the_exposure_smears_colours_and_alpha_alike(seed: int) -> None:
    random = np.random.default_rng(seed)
    camera = replace(PERFECT_CAMERA, path=camera_degradation.motion_path(random))
    person = np.zeros((40, 60, 3), np.uint8)
    person[15:25, 20:40] = 255
    frame, alpha = camera(person, random), camera.expose(person[..., 0])
    assert cv2.absdiff(frame[..., 1], alpha).max() <= 1
    assert 4 < ((alpha > 0) & (alpha < 255)).sum() < 400
    assert float(alpha.sum()) == pytest.approx(float(person[..., 0].sum()), rel=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_low_light_is_dark_and_flat(seed: int) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    graded = camera_degradation.low_light_grade(np.random.default_rng(seed))(ramp).astype(int)
    assert graded.max() < 240
    assert graded.max() - graded.min() < 200
    assert (np.diff(graded[..., 1], axis=0) >= 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_headwear_is_foreground_and_moves_with_the_head(seed: int) -> None:
    random = np.random.default_rng(seed)
    blue = [np.full((80, 120, 3), (200, 60, 20), np.uint8)]
    worn = headwear.random_headwear(random, Head(centre=50, top=30, neck=70, width=32), blue)
    image, alpha = np.full((120, 100, 3), 128, np.uint8), np.zeros((120, 100), np.uint8)
    drawn, drawn_alpha = worn.draw(image, alpha, IDENTITY)
    cloth = drawn_alpha > 250
    assert cloth.sum() > 100
    assert (drawn[cloth][:, 0].astype(int) - drawn[cloth][:, 2] > 10).all()
    np.testing.assert_array_equal(drawn[drawn_alpha == 0], image[drawn_alpha == 0])
    moved, moved_alpha = worn.draw(image, alpha, SHIFTED)
    np.testing.assert_array_equal(moved_alpha[5:, 10:], drawn_alpha[:-5, :-10])
    np.testing.assert_array_equal(moved[5:, 10:], drawn[:-5, :-10])


@pytest.mark.parametrize("seed", range(20))
def test_pattern_covers_the_clothes_and_moves_with_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, (80, 120, 3), np.uint8)]
    head = Head(centre=50, top=30, neck=60, width=32)
    worn = appearance.Appearance(head, clothes=patterns.random_cloth_pattern(random, head, images))
    image, alpha = grey_person()
    drawn, drawn_alpha = worn.draw(image, alpha, IDENTITY)
    np.testing.assert_array_equal(drawn_alpha, alpha)
    np.testing.assert_array_equal(drawn[:50], image[:50])
    assert drawn[70:].std() > 3
    moved, _ = worn.draw(image, alpha, SHIFTED)
    difference = np.abs(moved[80:, 10:].astype(int) - drawn[75:-5, :-10])
    assert np.mean(difference > 1) < 0.02  # OpenCV rounds positions to 1/32 of a pixel


@pytest.mark.parametrize("seed", range(20))
def test_swapped_head_covers_the_old_one(seed: int) -> None:
    head = Head(centre=50, top=30, neck=70, width=32)
    other_alpha = outline_with(Head(centre=80, top=20, neck=68, width=40))
    blue = np.full((*other_alpha.shape, 3), (200, 40, 20), np.uint8)
    other = pack.Still(blue, blue, other_alpha, "")
    swapped = head_swap.random_head_swap(np.random.default_rng(seed), head, [other])
    assert swapped is not None
    alpha = outline_with(head)
    image = np.full((*alpha.shape, 3), (60, 120, 220), np.uint8)
    drawn, drawn_alpha = swapped.draw(image, alpha, IDENTITY)
    assert (drawn_alpha >= alpha).all()
    is_blue = drawn[..., 0] > drawn[..., 2]
    assert is_blue[36:66, 38:62].mean() > 0.97
    assert not is_blue[80:].any()
    np.testing.assert_array_equal(drawn_alpha[80:], alpha[80:])


@pytest.mark.parametrize("width", [56, 90])
def test_no_head_is_taken_from_a_person_without_a_whole_one(width: int) -> None:
    alpha = outline_with(Head(centre=80, top=20, neck=60, width=width))
    people = [pack.Still(alpha, alpha, alpha, "")]
    assert find_head(alpha) is not None
    head = Head(centre=50, top=30, neck=70, width=32)
    assert head_swap.random_head_swap(np.random.default_rng(0), head, people) is None


def test_complexion_does_not_change_the_clothes() -> None:
    head = Head(centre=50, top=30, neck=60, width=32)
    image, alpha = grey_person()
    pale = camera_degradation.ColourGrade(np.full((256, 1, 3), 250, np.uint8), 1.0)
    drawn, _ = appearance.Appearance(head, complexion=pale).draw(image, alpha, IDENTITY)
    assert (drawn[:50] == 250).all()
    np.testing.assert_array_equal(drawn[70:], image[70:])


@pytest.mark.parametrize("seed", range(20))
def test_curtain_hangs_from_one_side_to_below_the_frame(seed: int) -> None:
    random = np.random.default_rng(seed)
    backgrounds = [random.integers(0, 256, (80, 120, 3), np.uint8)]
    _, alpha = background_objects.random_curtain(random, backgrounds, 160, 90).draw(0, width=160, height=90)
    left, right = alpha[-1, 0] > 127, alpha[-1, -1] > 127
    assert left != right
    assert 0.02 < np.mean(alpha > 127) < 0.8
    assert alpha[-1].max() == 255


@pytest.mark.parametrize("seed", range(20))
def test_distorted_shot_keeps_alpha_on_its_people(seed: int) -> None:
    alpha = body_shot().alpha
    frames = np.repeat(alpha[..., None], 3, axis=3)
    distorted = elastic_distortion(np.random.default_rng(seed), Shot(frames, alpha, alpha))
    np.testing.assert_array_equal(distorted.frames[..., 1], distorted.alpha)
    np.testing.assert_array_equal(distorted.alpha[0], distorted.alpha[1])
    assert (distorted.alpha != alpha).any()
    assert 0.6 < np.mean(distorted.alpha > 127) / np.mean(alpha > 127) < 1.6


@pytest.mark.parametrize("seed", range(20))
def test_bands_cross_the_body_below_the_head_and_move_with_it(seed: int) -> None:
    head = Head(centre=50, top=30, neck=60, width=32)
    bands = clothing_bands.random_bands(np.random.default_rng(seed), head, bottom=120)
    assert 1 <= len(bands.corners) <= 4
    centres = bands.corners.mean(1)[:, 1]
    assert ((centres >= head.top) & (centres <= 150)).all()
    image, _ = grey_person()
    drawn = bands.draw(image, IDENTITY)
    assert (drawn != image).any()
    moved = bands.draw(image, SHIFTED)
    if not bands.shaded:
        assert np.mean(np.abs(moved[5:, 10:].astype(int) - drawn[:-5, :-10]) > 2) < 0.01


def test_people_without_a_whole_head_get_bands_too() -> None:
    alpha = np.zeros((90, 160), np.uint8)
    alpha[:, 50:110] = 255
    assert find_head(alpha) is None
    drawn = [appearance.random_appearance(np.random.default_rng(seed), alpha, [], []) for seed in range(200)]
    assert 0.15 < np.mean([each is not None and each.bands is not None for each in drawn]) < 0.4


@pytest.mark.parametrize("seed", range(20))
def test_body_part_in_front_is_foreground(seed: int) -> None:
    alpha = outline_with(Head(centre=80, top=20, neck=68, width=40))
    green = np.full((*alpha.shape, 3), (20, 200, 40), np.uint8)
    before = body_shot()
    after = occluders.add_body_part(np.random.default_rng(seed), before, [pack.Still(green, green, alpha, "")])
    changed = (after.frames != before.frames).any(3)
    assert (after.alpha[changed] > 0).all()
    assert (after.alpha >= before.alpha).all()
    assert (after.certainty == 255).all()


@pytest.mark.parametrize("seed", range(20))
def test_held_object_is_foreground_on_the_body_and_uncertain_beside_it(seed: int) -> None:
    before = body_shot()
    after = occluders.add_held_object(np.random.default_rng(seed), before, [before.frames[0]])
    np.testing.assert_array_equal(after.alpha, before.alpha)
    beside = (after.frames != before.frames).any(3) & (before.alpha == 0)
    assert (after.certainty[beside] < 255).all()
    assert (after.certainty[before.alpha > 0] == 255).all()


def test_held_objects_cover_faces_too() -> None:
    before = body_shot()
    head = (slice(30, 50), slice(50, 110))  # the upper third of the body
    covered = []
    for seed in range(100):
        after = occluders.add_held_object(np.random.default_rng(seed), before, [before.frames[0]])
        covered.append((after.frames[0] != before.frames[0]).any(2)[head].mean())
    assert 0.25 < np.mean(np.array(covered) > 0.05) < 0.75


@pytest.mark.parametrize("seed", range(20))
def test_desk_hides_the_body(seed: int) -> None:
    before = body_shot()
    after = occluders.add_desk(np.random.default_rng(seed), before, [before.frames[0]])
    assert after.alpha[0, -1].mean() < before.alpha[0, -1].mean()
    np.testing.assert_array_equal(after.alpha[:, :50], before.alpha[:, :50])


@pytest.mark.parametrize("seed", range(20))
def test_plain_background_has_its_size_and_one_mean_colour(seed: int) -> None:
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, (80, 120, 3), np.uint8)]
    image = plain_backgrounds.random_plain_background(random, images)
    assert image.shape == (*plain_backgrounds.SIZE[::-1], 3)
    assert image.max() > 0
    np.testing.assert_allclose(plain_backgrounds.mean_colour(image), image.mean((0, 1)), atol=0.1)


def test_mean_colour_of_the_background_excludes_the_person() -> None:
    image, alpha = np.full((40, 60, 3), 50, np.uint8), np.zeros((40, 60), np.uint8)
    image[:, 30:], alpha[:, 30:] = 200, 255
    assert plain_backgrounds.mean_colour(image, alpha).tolist() == [50, 50, 50]
    assert plain_backgrounds.mean_colour(image, np.full_like(alpha, 255)).tolist() == [125, 125, 125]


def test_composite_is_the_foreground_at_alpha_255_and_the_background_at_0() -> None:
    random = np.random.default_rng(0)
    foreground, background = random.integers(0, 256, (2, 8, 8, 3), np.uint8)
    for alpha, expected in ((255, foreground), (0, background)):
        mixed = image_ops.composite(foreground, np.full((8, 8), alpha, np.uint8), background)
        np.testing.assert_array_equal(mixed, expected)
