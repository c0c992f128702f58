"""Shots made from stills and clips: who stands where, before what, moving how; with the exact alpha of each frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.bend import bent
from training.dress import Dress, dress
from training.faults import faults, grade, lamp
from training.framing import person_in_frame, photo_in_frame, room_in_frame
from training.head import Head, head_of
from training.layers import Layer, Shot, motion_blurred
from training.motion import path, place
from training.pack import Pack, Person
from training.pictures import over, warp
from training.things import chair, curtain, thing

RARE = {
    "SubhiH/HandsDataset": 5.0,
    "sakshamsood3/Hands4All": 5.0,
    "vsh2607/presentation-gesture-detection": 5.0,
    "thanakritmos12/Hand_sign_detection": 5.0,
    "sehyunlee217/aps360_project": 3.0,
}
"""Sources drawn more often than the rest, which counts 1: raised hands and dark seats are rare and hard."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Draws shots from a pack."""

    pack: Pack
    random: Generator
    odds: NDArray[np.float64]
    """Running sum of how often each person is drawn."""
    hands: list[Person]
    """Those who raise their hands, or all where nobody does."""

    def shot(self, length: int, *, width: int, height: int) -> Shot:
        """A random shot; one in twelve longer ones holds a cut."""
        if length > 1 and self.random.random() < 1 / 12:
            cut = int(self.random.integers(1, length))
            first, second = (self._take(part, width, height) for part in (cut, length - cut))
            return Shot(np.concatenate([first.frames, second.frames]), np.concatenate([first.alpha, second.alpha]))
        return self._take(length, width, height)

    def _take(self, length: int, width: int, height: int) -> Shot:
        kind = self.random.random()
        if kind < 0.46:
            shot = self._photo(length, width, height)
        elif kind < 0.53:
            shot = self._composite([], length, width, height)
        else:
            people = 2 if self.random.random() < 0.15 else 1
            stills = [self._stills(length) for _ in range(people)]
            shot = self._composite([self._person(each, width, height) for each in stills], length, width, height)
        if self.random.random() < 0.07:
            shot = self._with_part(shot, width, height)
        return self._seen_by_a_camera(shot)

    def _photo(self, length: int, width: int, height: int) -> Shot:
        """People in their own room, as photographed, with things put behind them."""
        stills = self._stills(length)
        matrix = photo_in_frame(self.random, stills[0].alpha, width, height)
        way = path(self.random, strength=0.5)
        clothes = self.random.random() < 0.7 and self._dress(head_of(stills[0].alpha))
        behind = self._things(width, height)
        frames, alphas = [], []
        for moment in range(length):
            still = stills[moment % len(stills)]
            where = place(matrix, way.at(moment), width=width, height=height)
            picture = warp(still.image, where, (width, height), cv2.BORDER_REFLECT_101)
            alpha = warp(still.alpha, where, (width, height), cv2.BORDER_REFLECT_101)
            for layer in behind:
                colours, own = layer.draw(moment, width=width, height=height)
                picture = over(colours, cv2.subtract(own, alpha), picture)
            if clothes:
                dressed, whole = clothes.put_on(picture, alpha, where)
                picture, alpha = over(dressed, whole, picture), whole
            frames.append(picture)
            alphas.append(alpha)
        return Shot(np.stack(frames), np.stack(alphas))

    def _composite(self, people: list[Layer], length: int, width: int, height: int) -> Shot:
        """People cut out and put into another room; nobody when there are no people."""
        room = self.pack.rooms[self.random.integers(len(self.pack.rooms))]
        matrix = room_in_frame(self.random, room, width, height)
        way = path(self.random, strength=0.3 * (self.random.random() < 0.4))
        tone, depth = grade(self.random, strength=0.6), self.random.uniform(0.5, 4) * (self.random.random() < 0.3)
        light = lamp(self.random, width, height) if self.random.random() < 0.3 else None
        behind = self._things(width, height) + self._chairs(people, width, height)
        frames, alphas = [], []
        for moment in range(length):
            where = place(matrix, way.at(moment), width=width, height=height)
            picture = tone(warp(room, where, (width, height), cv2.BORDER_REFLECT_101))
            if depth:
                picture = cv2.GaussianBlur(picture, (0, 0), depth)
            for layer in behind:
                picture = over(*layer.draw(moment, width=width, height=height), picture)
            alpha = np.zeros((height, width), np.uint8)
            for layer in people:
                colours, own = layer.draw(moment, width=width, height=height)
                if light is not None:
                    colours = cv2.multiply(colours, light, dtype=cv2.CV_8U)
                colours, own = motion_blurred(colours, own, layer.path, moment)
                picture, alpha = over(colours, own, picture), cv2.max(own, alpha)
            frames.append(picture)
            alphas.append(alpha)
        return Shot(np.stack(frames), np.stack(alphas))

    def _with_part(self, shot: Shot, width: int, height: int) -> Shot:
        """An arm, a hand, a shoulder of somebody else, in front; not in lower corners, where flags and coats are."""
        raised = self.random.random() < 0.6
        stills = [self.hands[self.random.integers(len(self.hands))]] if raised else self._stills(1)
        colours, alpha = self._person(stills, width, height).draw(0, width=width, height=height)
        x, y = self.random.uniform(0, width), self.random.uniform(0, 0.75) * height
        blob = np.zeros((height, width), np.uint8)
        axes = (int(width * self.random.uniform(0.06, 0.25)), int(width * self.random.uniform(0.06, 0.25)))
        cv2.ellipse(blob, (int(x), int(y)), axes, self.random.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
        alpha = cv2.min(alpha, blob)
        frames = [over(colours, alpha, frame) for frame in shot.frames]
        return Shot(np.stack(frames), np.stack([cv2.max(alpha, own) for own in shot.alpha]))

    def _seen_by_a_camera(self, shot: Shot) -> Shot:
        if self.random.random() < 0.35:
            shot = bent(self.random, shot)
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

    def _person(self, stills: Sequence[Person], width: int, height: int) -> Layer:
        head = head_of(stills[0].alpha)
        return Layer(
            stills=stills,
            matrix=person_in_frame(self.random, stills[0].alpha, head, width, height),
            path=path(self.random, strength=1.0),
            grade=grade(self.random, strength=0.4),
            dress=self._dress(head),
            head=head,
        )

    def _dress(self, head: Head | None) -> Dress | None:
        return dress(self.random, head, self.pack.people, self.pack.rooms)

    def _things(self, width: int, height: int) -> list[Layer]:
        """Up to three things that stand behind people, in half of the shots; in one of eight a curtain beside them."""
        rooms = self.pack.rooms
        count = self.random.integers(0, 4) * (self.random.random() < 0.5)
        curtained = self.random.random() < 1 / 8
        things = [thing(self.random, rooms, width, height) for _ in range(count)]
        if curtained:
            things.append(curtain(self.random, rooms, width, height))
        return things

    def _chairs(self, people: list[Layer], width: int, height: int) -> list[Layer]:
        """The chairs that one in six sits on; one in six empty rooms has one too."""
        seated = [each for each in people if self.random.random() < 1 / 6]
        if not people and self.random.random() < 1 / 6:
            seated = [self._person(self._stills(1), width, height)]
        return [
            chair(self.random, each.head, each.matrix, each.stills[0].alpha.shape[::-1]) for each in seated if each.head
        ]


def scenes(pack: Pack, *, seed: int) -> Scenes:
    """Shots from a pack, the same ones for the same seed."""
    odds = np.cumsum([RARE.get(person.source, 1.0) for person in pack.people])
    hands = [person for person in pack.people if person.source in RARE] or pack.people
    return Scenes(pack, np.random.default_rng(seed), odds, hands)
