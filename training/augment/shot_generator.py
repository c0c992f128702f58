"""Random shots from a pack: people in their own photographs or on other backgrounds, with exact alpha in each frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.augment.appearance import Appearance, random_appearance
from training.augment.background_objects import random_chair, random_curtain, random_object
from training.augment.camera_degradation import random_degradation, random_grade, side_light
from training.augment.clean_plate import PHOTO_SHARE, add_plate_errors, plate_around
from training.augment.head import find_head
from training.augment.image_ops import composite, warp
from training.augment.layer import Layer, motion_blur
from training.augment.motion import moved, random_path
from training.augment.occluders import add_body_part, add_desk, add_held_object
from training.augment.placement import place_background, place_person, place_photo
from training.augment.plain_backgrounds import mean_colour, random_plain_background
from training.augment.shot import Shot, concatenate, elastic_distortion, mirror
from training.pack import PEOPLE2, Image, Pack, Still

SOURCE_WEIGHTS = {
    "SubhiH/HandsDataset": 4.0,
    "sakshamsood3/Hands4All": 4.0,
    "vsh2607/presentation-gesture-detection": 4.0,
    "thanakritmos12/Hand_sign_detection": 4.0,
    "sehyunlee217/aps360_project": 3.0,
}
"""Sources drawn more often than others, whose weight is 1: raised hands and dark seats are rare and hard."""

KIND_WEIGHTS = {"hands": 3.0, "arms": 3.0, "group": 2.5, "figure": 2.5, "standing": 2.5, "stripes": 2.5, "object": 2.5}
"""The same for the kinds of images in people2.csv; the largest of an image's kinds counts, at least 1.5."""

HARD_NEGATIVE_COPIES = 3
"""How often each hard negative is listed among the backgrounds. Two in five shots without a person show one, too."""


@dataclass(frozen=True, slots=True)
class ShotGenerator:
    """Draws shots from a pack.

    ``cumulative_weights``: of how often each person is drawn. ``raised_hands``: people who raise their hands, or all
    people if there are none. ``backgrounds``: images without a person. ``empty_share``: of shots of a background alone.
    ``plates``: whether shots have a clean plate.
    """

    pack: Pack
    random: Generator
    cumulative_weights: NDArray[np.float64]
    raised_hands: list[Still]
    backgrounds: list[Image]
    empty_share: float = 0.2
    plates: bool = False

    def shot(self, length: int, *, width: int, height: int) -> Shot:
        """A random shot of ``length`` frames; one in twelve of several frames has a cut."""
        if length > 1 and self.random.random() < 1 / 12:
            cut = int(self.random.integers(1, length))
            return concatenate([self._take(part, width, height) for part in (cut, length - cut)])
        return self._take(length, width, height)

    def _take(self, length: int, width: int, height: int) -> Shot:
        """A shot without a cut: a background alone, a photograph (half of the others), people on a background."""
        kind = self.random.random()
        if kind < (1 - self.empty_share) / 2:
            shot = self._photo(length, width, height)
        elif kind < (1 + self.empty_share) / 2:
            shot = self._composite([], length, width, height)
        else:
            people = 2 if self.random.random() < 0.15 else 1
            layers = [self._person(self._stills(length), width, height) for _ in range(people)]
            shot = self._composite([layer for layer in layers if layer], length, width, height)
        return self._record(self._occlude(shot))

    def _occlude(self, shot: Shot) -> Shot:
        """A body part in front of one shot in 14 with people; a held object or a desk in one of 16 each."""
        if self.random.random() < 1 / 16:
            shot = add_held_object(self.random, shot, self.backgrounds)
        if self.random.random() < 1 / 14 * bool(shot.alpha.any()):
            raised = self.random.random() < 0.6
            shot = add_body_part(self.random, shot, self.raised_hands if raised else self.pack.people)
        if self.random.random() < 1 / 16:
            shot = add_desk(self.random, shot, self.backgrounds)
        return shot

    def _photo(self, length: int, width: int, height: int) -> Shot:
        """People in their own photographs, with objects added behind them."""
        stills = self._stills(length)
        matrix = place_photo(self.random, stills[0].alpha, width, height)
        path = random_path(self.random, strength=0.5)
        appearance = self._photo_appearance(stills[0])
        objects = self._objects(width, height)
        frames, alphas, certainties = [], [], []
        for index in range(length):
            still = stills[index % len(stills)]
            mapped = moved(matrix, path.at(index), width=width, height=height)
            frame, alpha = (
                warp(part, mapped, (width, height), cv2.BORDER_REFLECT_101) for part in (still.image, still.alpha)
            )
            for layer in objects:
                image, own = layer.draw(index, width=width, height=height)
                frame = composite(image, cv2.subtract(own, alpha), frame)
            if appearance:
                image, alpha = appearance.draw(frame, alpha, mapped)
                frame = composite(image, alpha, frame)
            known = np.full(still.alpha.shape, 255, np.uint8) if still.certainty is None else still.certainty
            frames.append(frame)
            alphas.append(alpha)
            certainties.append(warp(known, mapped, (width, height), cv2.BORDER_REFLECT_101))
        shot = Shot(np.stack(frames), np.stack(alphas), np.stack(certainties))
        if not self.plates:
            return shot
        known = self.random.random() < PHOTO_SHARE
        return replace(shot, plate=plate_around(shot) if known else np.zeros((1, height, width, 4), np.uint8))

    def _photo_appearance(self, still: Still) -> Appearance | None:
        """For 70 % of the photographs; one in ten of these has clothes of the background's colour."""
        if self.random.random() >= 0.7:
            return None
        appearance = self._appearance(still.alpha)
        if appearance and self.random.random() < 1 / 10:
            colour = mean_colour(still.image, still.alpha) + self.random.normal(0, 6, 3)
            appearance = replace(appearance, clothes=colour.astype(np.float32))
        return appearance

    def _composite(self, people: list[Layer], length: int, width: int, height: int) -> Shot:
        """People on another background; without people the background alone."""
        background = self._background(empty=not people)
        if self.random.random() < 1 / 10:  # clothes of the background's colour
            people = [
                layer.with_clothes_colour(mean_colour(background) + self.random.normal(0, 6, 3)) for layer in people
            ]
        matrix = place_background(self.random, background, width, height)
        path = random_path(self.random, strength=0.3 * (self.random.random() < 0.4))
        grade = random_grade(self.random, strength=0.6)
        defocus = self.random.uniform(0.5, 4) * (self.random.random() < 0.3)
        light = side_light(self.random, width, height) if self.random.random() < 0.3 else None
        objects = self._objects(width, height) + self._chairs(people, width, height)
        frames, alphas, certainties, empty = [], [], [], []
        for index in range(length):
            mapped = moved(matrix, path.at(index), width=width, height=height)
            frame = grade(warp(background, mapped, (width, height), cv2.BORDER_REFLECT_101))
            if defocus:
                frame = cv2.GaussianBlur(frame, (0, 0), defocus)
            for layer in objects:
                frame = composite(*layer.draw(index, width=width, height=height), frame)
            empty.append(frame)
            frame, alpha, certainty = _add_people(frame, people, index, light)
            frames.append(frame)
            alphas.append(alpha)
            certainties.append(certainty)
        shot = Shot(np.stack(frames), np.stack(alphas), np.stack(certainties))
        if not self.plates:
            return shot
        return replace(shot, plate=np.dstack([empty[0], np.full((height, width), 255, np.uint8)])[None])

    def _record(self, shot: Shot) -> Shot:
        """The shot as a random webcam records it; 35 % distorted, half mirrored."""
        if self.random.random() < 0.35:
            shot = elastic_distortion(self.random, shot)
        camera = random_degradation(self.random)
        frames = np.stack([camera(frame, self.random) for frame in shot.frames])
        shot = replace(shot, frames=frames, alpha=np.stack([camera.expose(alpha) for alpha in shot.alpha]))
        if shot.plate is not None:
            shot = add_plate_errors(self.random, shot, camera, self.pack.people, self.backgrounds)
        return mirror(shot) if self.random.random() < 0.5 else shot

    def _stills(self, length: int) -> Sequence[Still]:
        """The frames of a part of a clip, or one still."""
        if self.pack.clips and self.random.random() < (0.25 if length > 1 else 0.12):
            clip = self.pack.clips[self.random.integers(len(self.pack.clips))]
            step = int(self.random.integers(1, 3))
            start = int(self.random.integers(0, max(1, len(clip) - length * step)))
            return clip[start : start + length * step : step]
        value = self.random.uniform(0, self.cumulative_weights[-1])
        return [self.pack.people[int(np.searchsorted(self.cumulative_weights, value))]]

    def _person(self, stills: Sequence[Still], width: int, height: int) -> Layer | None:
        """A cut-out person, placed by the first still that shows a person; None if no still does."""
        first = next((still for still in stills if still.alpha.max() > 127), None)
        if first is None:
            return None
        head = find_head(first.alpha)
        return Layer(
            stills=stills,
            matrix=place_person(self.random, first.alpha, head, width, height),
            path=random_path(self.random, strength=1.0),
            grade=random_grade(self.random, strength=0.4),
            appearance=self._appearance(first.alpha),
            head=head,
        )

    def _background(self, *, empty: bool) -> Image:
        """An image without a person, one in eight a plain one; two in five ``empty`` ones are hard negatives."""
        if empty and self.pack.hard_negatives and self.random.random() < 0.4:
            return self.pack.hard_negatives[self.random.integers(len(self.pack.hard_negatives))]
        if self.random.random() < 1 / 8:
            return random_plain_background(self.random, self.backgrounds)
        return self.backgrounds[self.random.integers(len(self.backgrounds))]

    def _appearance(self, alpha: Image) -> Appearance | None:
        return random_appearance(self.random, alpha, self.pack.people, self.backgrounds)

    def _objects(self, width: int, height: int) -> list[Layer]:
        """Up to three objects in half of the shots; a curtain in one of eight."""
        count = self.random.integers(0, 4) * (self.random.random() < 0.5)
        has_curtain = self.random.random() < 1 / 8
        objects = [random_object(self.random, self.backgrounds, width, height) for _ in range(count)]
        if has_curtain:
            objects.append(random_curtain(self.random, self.backgrounds, width, height))
        return objects

    def _chairs(self, people: list[Layer], width: int, height: int) -> list[Layer]:
        """A chair behind one person in six, and in one of six backgrounds without people."""
        seated: list[Layer | None] = [each for each in people if self.random.random() < 1 / 6]
        if not people and self.random.random() < 1 / 6:
            seated = [self._person(self._stills(1), width, height)]
        return [
            random_chair(self.random, each.head, each.matrix, each.stills[0].alpha.shape[::-1])
            for each in seated
            if each and each.head
        ]


def _add_people(
    frame: Image, people: Sequence[Layer], index: int, light: NDArray[np.float32] | None
) -> tuple[Image, Image, Image]:
    """The frame with people, their alpha and its certainty; ``light``: factors of their colours."""
    height, width = frame.shape[:2]
    alpha, certainty = np.zeros((height, width), np.uint8), np.full((height, width), 255, np.uint8)
    for layer in people:
        image, own = layer.draw(index, width=width, height=height)
        if light is not None:
            image = cv2.multiply(image, light, dtype=cv2.CV_8U)
        image, own = motion_blur(image, own, layer.path, index)
        frame, alpha = composite(image, own, frame), cv2.max(own, alpha)
        doubt = layer.doubt(index, own)
        certainty = certainty if doubt is None else cv2.min(certainty, 255 - doubt)
    return frame, alpha, certainty


def shot_generator(pack: Pack, *, seed: int, empty_share: float = 0.2, plates: bool = False) -> ShotGenerator:
    """Draws shots from a pack, the same ones for the same seed."""
    weights = np.cumsum([_weight(person.source) for person in pack.people])
    hands = [person for person in pack.people if _raises_hands(person.source)] or pack.people
    backgrounds = pack.backgrounds + HARD_NEGATIVE_COPIES * pack.hard_negatives
    return ShotGenerator(
        pack, np.random.default_rng(seed), weights, hands, backgrounds, empty_share=empty_share, plates=plates
    )


def _weight(source: str) -> float:
    """How often a source is drawn; the default is 1."""
    if source.startswith(PEOPLE2):
        return max(1.5, *(KIND_WEIGHTS.get(kind, 0.0) for kind in _kinds(source)))
    return SOURCE_WEIGHTS.get(source, 1.0)


def _raises_hands(source: str) -> bool:
    return source in SOURCE_WEIGHTS or not {"hands", "arms"}.isdisjoint(_kinds(source))


def _kinds(source: str) -> list[str]:
    """Of an image of people2.csv; empty for others."""
    return source.removeprefix(f"{PEOPLE2}:").split() if source.startswith(PEOPLE2) else []
