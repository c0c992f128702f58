"""Shots made from stills and clips: who stands where, before what, moving how; with the exact alpha of each frame.

Placing follows how webcams frame: heads in the upper half, bodies that run out of the picture at the bottom.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.faults import Grade, Picture, faults, grade
from training.motion import Matrix, Path, path, place, similarity
from training.pack import Pack, Person

RARE = {
    "SubhiH/HandsDataset": 5.0,
    "sakshamsood3/Hands4All": 5.0,
    "vsh2607/presentation-gesture-detection": 5.0,
    "thanakritmos12/Hand_sign_detection": 5.0,
    "sehyunlee217/aps360_project": 3.0,
}
"""Sources drawn more often than the rest, which counts 1: raised hands and dark seats are rare and hard."""


@dataclass(frozen=True, slots=True)
class Shot:
    """``frames`` (T, H, W, 3) BGR and their ``alpha`` (T, H, W), both uint8."""

    frames: Picture
    alpha: Picture


@dataclass(frozen=True, slots=True)
class Layer:
    """One person in a shot: the pictures shown in turn, where they lie, and their colours."""

    stills: Sequence[Person]
    matrix: Matrix
    path: Path
    grade: Grade

    def draw(self, moment: int, *, width: int, height: int) -> tuple[Picture, Picture]:
        """Colours (H, W, 3) and alpha (H, W) at a moment."""
        still = self.stills[moment % len(self.stills)]
        matrix = place(self.matrix, self.path.at(moment), width=width, height=height)
        colours = _warp(still.foreground, matrix, (width, height), cv2.BORDER_REPLICATE)
        alpha = _warp(still.alpha, matrix, (width, height), cv2.BORDER_CONSTANT)
        return self.grade(colours), alpha


@dataclass(frozen=True, slots=True)
class Scenes:
    """Draws shots from a pack."""

    pack: Pack
    random: Generator
    odds: NDArray[np.float64]
    """Running sum of how often each person is drawn."""

    def shot(self, length: int, *, width: int, height: int) -> Shot:
        """A random shot; one in twelve longer ones holds a cut."""
        if length > 1 and self.random.random() < 1 / 12:
            cut = int(self.random.integers(1, length))
            first, second = (self._take(part, width, height) for part in (cut, length - cut))
            return Shot(np.concatenate([first.frames, second.frames]), np.concatenate([first.alpha, second.alpha]))
        return self._take(length, width, height)

    def _take(self, length: int, width: int, height: int) -> Shot:
        kind = self.random.random()
        if kind < 0.38:
            shot = self._photo(length, width, height)
        elif kind < 0.46:
            shot = self._composite([], length, width, height)
        else:
            people = 2 if self.random.random() < 0.15 else 1
            shot = self._composite([self._layer(length, width, height) for _ in range(people)], length, width, height)
        if self.random.random() < 0.04:
            shot = self._with_part(shot, width, height)
        return self._seen_by_a_camera(shot)

    def _photo(self, length: int, width: int, height: int) -> Shot:
        """People in their own room, as photographed."""
        stills = self._stills(length)
        matrix = self._photo_window(stills[0].alpha, width, height)
        way = path(self.random, strength=0.5)
        things = self._things(width, height)
        frames, alphas = [], []
        for moment in range(length):
            still = stills[moment % len(stills)]
            where = place(matrix, way.at(moment), width=width, height=height)
            picture = _warp(still.image, where, (width, height), cv2.BORDER_REFLECT_101)
            alpha = _warp(still.alpha, where, (width, height), cv2.BORDER_REFLECT_101)
            for thing in things:
                colours, own = thing.draw(moment, width=width, height=height)
                picture = over(colours, cv2.subtract(own, alpha), picture)
            frames.append(picture)
            alphas.append(alpha)
        return Shot(np.stack(frames), np.stack(alphas))

    def _composite(self, layers: list[Layer], length: int, width: int, height: int) -> Shot:
        """People cut out and put into another room; nobody when there are no layers."""
        room = self.pack.rooms[self.random.integers(len(self.pack.rooms))]
        matrix = self._window(room, width, height)
        way = path(self.random, strength=0.3 * (self.random.random() < 0.4))
        tone, depth = grade(self.random, strength=0.6), self.random.uniform(0.5, 4) * (self.random.random() < 0.3)
        things = self._things(width, height)
        frames, alphas = [], []
        for moment in range(length):
            where = place(matrix, way.at(moment), width=width, height=height)
            picture = tone(_warp(room, where, (width, height), cv2.BORDER_REFLECT_101))
            if depth:
                picture = cv2.GaussianBlur(picture, (0, 0), depth)
            for thing in things:
                picture = over(*thing.draw(moment, width=width, height=height), picture)
            alpha = np.zeros((height, width), np.uint8)
            for layer in layers:
                colours, own = _motion_blurred(*layer.draw(moment, width=width, height=height), layer.path, moment)
                picture, alpha = over(colours, own, picture), cv2.max(own, alpha)
            frames.append(picture)
            alphas.append(alpha)
        return Shot(np.stack(frames), np.stack(alphas))

    def _with_part(self, shot: Shot, width: int, height: int) -> Shot:
        """An arm, a hand, a shoulder of somebody else, in front."""
        layer = self._layer(1, width, height)
        colours, alpha = layer.draw(0, width=width, height=height)
        x, y = self.random.uniform(0, width), self.random.uniform(0, height)
        blob = np.zeros((height, width), np.uint8)
        axes = (int(width * self.random.uniform(0.06, 0.25)), int(width * self.random.uniform(0.06, 0.25)))
        cv2.ellipse(blob, (int(x), int(y)), axes, self.random.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
        alpha = cv2.min(alpha, blob)
        frames = [over(colours, alpha, frame) for frame in shot.frames]
        return Shot(np.stack(frames), np.stack([cv2.max(alpha, own) for own in shot.alpha]))

    def _seen_by_a_camera(self, shot: Shot) -> Shot:
        camera = faults(self.random)
        frames = np.stack([camera(frame, self.random) for frame in shot.frames])
        if self.random.random() < 0.5:
            return Shot(np.ascontiguousarray(frames[:, :, ::-1]), np.ascontiguousarray(shot.alpha[:, :, ::-1]))
        return Shot(frames, shot.alpha)

    def _stills(self, length: int) -> Sequence[Person]:
        if self.pack.clips and self.random.random() < (0.25 if length > 1 else 0.12):
            clip = self.pack.clips[self.random.integers(len(self.pack.clips))]
            step = int(self.random.integers(1, 3))
            start = int(self.random.integers(0, max(1, len(clip) - length * step)))
            return clip[start : start + length * step : step]
        drawn = int(np.searchsorted(self.odds, self.random.uniform(0, self.odds[-1])))
        return [self.pack.people[drawn]]

    def _layer(self, length: int, width: int, height: int) -> Layer:
        stills = self._stills(length)
        return Layer(
            stills=stills,
            matrix=self._framed(stills[0].alpha, width, height),
            path=path(self.random, strength=1.0),
            grade=grade(self.random, strength=0.4),
        )

    def _things(self, width: int, height: int) -> list[Layer]:
        """Up to three things that stand behind people, in half of the shots."""
        return [self._thing(width, height) for _ in range(self.random.integers(0, 4) * (self.random.random() < 0.5))]

    def _thing(self, width: int, height: int) -> Layer:
        """Something sharp-edged that is nobody: or else every pasted edge, and all cloth, would be a person's."""
        room = self.pack.rooms[self.random.integers(len(self.pack.rooms))]
        texture = self._cloth() if self.random.random() < 0.4 else room
        rows, columns = texture.shape[:2]
        radius = min(rows, columns) * self.random.uniform(0.15, 0.45)
        around = np.sort(self.random.uniform(0, 2 * np.pi, self.random.integers(4, 24)))
        reach = radius * self.random.uniform(0.6, 1.0, (len(around), 1)) * self.random.uniform(0.5, 1.0, 2)
        corners = np.array([columns / 2, rows / 2]) + reach * np.stack([np.cos(around), np.sin(around)], 1)
        shape = np.zeros((rows, columns), np.uint8)
        cv2.fillPoly(shape, [corners.astype(np.int32)], 255, cv2.LINE_AA)
        scale = height * self.random.uniform(0.1, 0.6) / radius
        middle = self.random.uniform(0, 1, 2)
        if self.random.random() < 0.4:  # at a side of the frame, where shoulders are
            middle[0] = round(middle[0]) + self.random.normal(0, 0.08)
        return Layer(
            stills=[Person(texture, texture, shape, "")],
            matrix=similarity(
                scale,
                scale,
                self.random.uniform(-np.pi, np.pi),
                source=np.array([columns / 2, rows / 2]),
                target=middle * np.array([width, height]),
            ),
            path=path(self.random, strength=float(self.random.random() < 0.5)),
            grade=grade(self.random, strength=0.5),
        )

    def _cloth(self) -> Picture:
        """A curtain, a flag: stripes of a few colours in soft folds."""
        across = np.arange(320) / self.random.uniform(8, 80) + self.random.uniform(0, 1)
        colours = self.random.integers(0, 256, (self.random.integers(1, 4), 3))
        stripes = colours[across.astype(int) % len(colours)].astype(np.float32)
        folds = np.sin(np.arange(320) / self.random.uniform(6, 40) + self.random.uniform(0, 6))[:, None, None]
        shade = 0.8 + 0.2 * folds * self.random.random() + np.zeros((320, 320, 1))
        cloth = (stripes[None] * shade).clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.rot90(cloth)) if self.random.random() < 0.5 else cloth

    def _framed(self, alpha: Picture, width: int, height: int) -> Matrix:
        """Where a cut-out person goes: the head above the middle, the body down to the bottom.

        Mostly so that the photo's own edges, where they cut the body off, stay out of the frame.
        """
        left, top, person_width, person_height = cv2.boundingRect((alpha > 127).astype(np.uint8))
        cut_left, cut_right, cut_top = left == 0, left + person_width == alpha.shape[1], top == 0
        hide_cuts = self.random.random() < 0.75
        head = (self.random.uniform(-0.2, 0) if cut_top and hide_cuts else self.random.uniform(-0.1, 0.5)) * height
        scale = (height - head) / max(person_height, 1) * np.exp(self.random.exponential(0.25))
        if hide_cuts and cut_left and cut_right:
            scale = max(scale, 1.05 * width / person_width)
        elif self.random.random() < 0.1:
            scale *= self.random.uniform(0.5, 1.0)
        middle = width / 2 + self.random.normal(0, 0.22) * width
        slack = scale * person_width / 2
        if hide_cuts and (cut_left or cut_right):
            middle = np.clip(middle, width - slack if cut_right else None, slack if cut_left else None)
        stretch = np.exp(self.random.normal(0, 0.06))
        return similarity(
            scale * stretch, scale / stretch, self.random.normal(0, 0.09),
            source=np.array([left + person_width / 2, top]), target=np.array([middle, head]),
        )  # fmt: skip

    def _photo_window(self, alpha: Picture, width: int, height: int) -> Matrix:
        """A window of a photo of people: wider than the photo at times (mirrored at its edges), heads mostly in it."""
        rows, columns = alpha.shape
        whole, filled = sorted((width / columns, height / rows))
        scale = whole * (filled / whole) ** self.random.uniform(0.2, 1.0) * np.exp(self.random.exponential(0.12))
        head = cv2.boundingRect((alpha > 127).astype(np.uint8))[1] * scale
        slack = rows * scale - height
        above = np.clip(head - self.random.uniform(-0.15, 0.4) * height, min(slack, 0), max(slack, 0))
        across = self.random.uniform(-0.5, 0.5) * max(columns * scale - width, 0.3 * width)
        stretch = np.exp(self.random.normal(0, 0.06))
        return similarity(
            scale * stretch, scale / stretch, self.random.normal(0, 0.06),
            source=np.array([columns / 2, 0]), target=np.array([width / 2 + across, -above]),
        )  # fmt: skip

    def _window(self, picture: Picture, width: int, height: int) -> Matrix:
        """A random window of a room, filling the frame."""
        rows, columns = picture.shape[:2]
        scale = max(width / columns, height / rows) * np.exp(self.random.exponential(0.2))
        slack = np.array([columns * scale - width, rows * scale - height]) / 2
        offset = self.random.uniform(-0.9, 0.9, 2) * slack
        stretch = np.exp(self.random.normal(0, 0.06))
        return similarity(
            scale * stretch, scale / stretch, self.random.normal(0, 0.06),
            source=np.array([columns / 2, rows / 2]), target=np.array([width / 2, height / 2]) + offset,
        )  # fmt: skip


def scenes(pack: Pack, *, seed: int) -> Scenes:
    """Shots from a pack, the same ones for the same seed."""
    odds = np.cumsum([RARE.get(person.source, 1.0) for person in pack.people])
    return Scenes(pack, np.random.default_rng(seed), odds)


def over(colours: Picture, alpha: Picture, picture: Picture) -> Picture:
    """The compositing equation in 8 bits."""
    weight = alpha.astype(np.float32) * (1 / 255)
    return cv2.blendLinear(colours, picture, weight, 1 - weight)


def _motion_blurred(colours: Picture, alpha: Picture, way: Path, moment: int) -> tuple[Picture, Picture]:
    """Smeared along the way by half a frame's exposure, where that is visible at all."""
    x, y = way.speed(moment) * colours.shape[1] * 0.5
    length = int(np.hypot(x, y))
    if length < 2:
        return colours, alpha
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.uint8)
    middle = np.array([length, length])
    step = (np.array([x, y]) / 2).astype(int)
    cv2.line(kernel, tuple((middle - step).tolist()), tuple((middle + step).tolist()), 1)
    weights = kernel.astype(np.float32) / kernel.sum()
    return cv2.filter2D(colours, -1, weights), cv2.filter2D(alpha, -1, weights)


def _warp(picture: Picture, matrix: NDArray[np.float64], size: tuple[int, int], border: int) -> Picture:
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
