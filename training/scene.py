"""Shots made from stills and clips: who stands where, before what, moving how; with the exact alpha of each frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.bend import bent
from training.dress import Dress, dress
from training.faults import Picture, faults, grade, lamp
from training.framing import person_in_frame, photo_in_frame, room_in_frame
from training.front import with_desk, with_object, with_part
from training.head import head_of
from training.layers import Layer, Shot, motion_blurred
from training.motion import path, place
from training.pack import PEOPLE2, Pack, Person
from training.pictures import over, warp
from training.things import chair, curtain, thing
from training.walls import colour_of, wall

RARE = {
    "SubhiH/HandsDataset": 4.0,
    "sakshamsood3/Hands4All": 4.0,
    "vsh2607/presentation-gesture-detection": 4.0,
    "thanakritmos12/Hand_sign_detection": 4.0,
    "sehyunlee217/aps360_project": 3.0,
}
"""Sources drawn more often than the rest, which counts 1: raised hands and dark seats are rare and hard."""

RARE_KINDS = {"hands": 3.0, "arms": 3.0, "group": 2.5, "figure": 2.5, "standing": 2.5, "stripes": 2.5, "object": 2.5}
"""The same for kinds of people2's pictures; the most of a picture's kinds counts, 1.5 at least."""

LOOKALIKES = 3
"""How often each image that is easily mistaken for a person stands among the rooms; half of the rooms without anybody
are such images."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Draws shots from a pack."""

    pack: Pack
    random: Generator
    odds: NDArray[np.float64]
    """Running sum of how often each person is drawn."""
    hands: list[Person]
    """Those who raise their hands, or all where nobody does."""
    rooms: list[Picture]
    """Images without a person."""

    def shot(self, length: int, *, width: int, height: int) -> Shot:
        """A random shot; one in twelve longer ones holds a cut."""
        if length > 1 and self.random.random() < 1 / 12:
            cut = int(self.random.integers(1, length))
            first, second = (self._take(part, width, height) for part in (cut, length - cut))
            return Shot(
                np.concatenate([first.frames, second.frames]),
                np.concatenate([first.alpha, second.alpha]),
                np.concatenate([first.certainty, second.certainty]),
            )
        return self._take(length, width, height)

    def _take(self, length: int, width: int, height: int) -> Shot:
        kind = self.random.random()
        if kind < 0.46:
            shot = self._photo(length, width, height)
        elif kind < 0.56:
            shot = self._composite([], length, width, height)
        else:
            people = 2 if self.random.random() < 0.15 else 1
            layers = [self._person(self._stills(length), width, height) for _ in range(people)]
            shot = self._composite([layer for layer in layers if layer], length, width, height)
        return self._seen_by_a_camera(self._with_front(shot))

    def _with_front(self, shot: Shot) -> Shot:
        """One shot in seven with a part of somebody else in front, one in 16 with an object, one in 16 with a desk."""
        if self.random.random() < 1 / 16:
            shot = with_object(self.random, shot, self.rooms)
        if self.random.random() < 1 / 7:
            raised = self.random.random() < 0.6
            shot = with_part(self.random, shot, self.hands if raised else self.pack.people)
        if self.random.random() < 1 / 16:
            shot = with_desk(self.random, shot, self.rooms)
        return shot

    def _photo(self, length: int, width: int, height: int) -> Shot:
        """People in their own room, as photographed, with things put behind them."""
        stills = self._stills(length)
        matrix = photo_in_frame(self.random, stills[0].alpha, width, height)
        way = path(self.random, strength=0.5)
        clothes = self.random.random() < 0.7 and self._dress(stills[0].alpha)
        if clothes and self.random.random() < 1 / 10:
            behind_them = colour_of(stills[0].image, stills[0].alpha)
            clothes = replace(clothes, clothes=(behind_them + self.random.normal(0, 6, 3)).astype(np.float32))
        behind = self._things(width, height)
        frames, alphas, certainties = [], [], []
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
            certainties.append(
                np.full_like(alpha, 255)
                if still.certainty is None
                else warp(still.certainty, where, (width, height), cv2.BORDER_REFLECT_101)
            )
        return Shot(np.stack(frames), np.stack(alphas), np.stack(certainties))

    def _composite(self, people: list[Layer], length: int, width: int, height: int) -> Shot:
        """People cut out and put into another room; nobody when there are no people."""
        room = self._room(empty=not people)
        if self.random.random() < 1 / 10:
            people = [layer.clothed(colour_of(room) + self.random.normal(0, 6, 3)) for layer in people]
        matrix = room_in_frame(self.random, room, width, height)
        way = path(self.random, strength=0.3 * (self.random.random() < 0.4))
        tone, depth = grade(self.random, strength=0.6), self.random.uniform(0.5, 4) * (self.random.random() < 0.3)
        light = lamp(self.random, width, height) if self.random.random() < 0.3 else None
        behind = self._things(width, height) + self._chairs(people, width, height)
        frames, alphas, certainties = [], [], []
        for moment in range(length):
            where = place(matrix, way.at(moment), width=width, height=height)
            picture = tone(warp(room, where, (width, height), cv2.BORDER_REFLECT_101))
            if depth:
                picture = cv2.GaussianBlur(picture, (0, 0), depth)
            for layer in behind:
                picture = over(*layer.draw(moment, width=width, height=height), picture)
            alpha, certainty = np.zeros((height, width), np.uint8), np.full((height, width), 255, np.uint8)
            for layer in people:
                colours, own = layer.draw(moment, width=width, height=height)
                if light is not None:
                    colours = cv2.multiply(colours, light, dtype=cv2.CV_8U)
                colours, own = motion_blurred(colours, own, layer.path, moment)
                picture, alpha = over(colours, own, picture), cv2.max(own, alpha)
                doubt = layer.unknown(moment, own)
                certainty = certainty if doubt is None else cv2.min(certainty, 255 - doubt)
            frames.append(picture)
            alphas.append(alpha)
            certainties.append(certainty)
        return Shot(np.stack(frames), np.stack(alphas), np.stack(certainties))

    def _seen_by_a_camera(self, shot: Shot) -> Shot:
        if self.random.random() < 0.35:
            shot = bent(self.random, shot)
        camera = faults(self.random)
        frames = np.stack([camera(frame, self.random) for frame in shot.frames])
        if self.random.random() < 0.5:
            parts = (frames, shot.alpha, shot.certainty)
            return Shot(*(np.ascontiguousarray(part[:, :, ::-1]) for part in parts))
        return Shot(frames, shot.alpha, shot.certainty)

    def _stills(self, length: int) -> Sequence[Person]:
        if self.pack.clips and self.random.random() < (0.25 if length > 1 else 0.12):
            clip = self.pack.clips[self.random.integers(len(self.pack.clips))]
            step = int(self.random.integers(1, 3))
            start = int(self.random.integers(0, max(1, len(clip) - length * step)))
            return clip[start : start + length * step : step]
        drawn = int(np.searchsorted(self.odds, self.random.uniform(0, self.odds[-1])))
        return [self.pack.people[drawn]]

    def _person(self, stills: Sequence[Person], width: int, height: int) -> Layer | None:
        """Somebody cut out, placed by the first still in which anybody is; None where nobody ever is."""
        first = next((still for still in stills if still.alpha.max() > 127), None)
        if first is None:
            return None
        head = head_of(first.alpha)
        return Layer(
            stills=stills,
            matrix=person_in_frame(self.random, first.alpha, head, width, height),
            path=path(self.random, strength=1.0),
            grade=grade(self.random, strength=0.4),
            dress=self._dress(first.alpha),
            head=head,
        )

    def _room(self, *, empty: bool) -> Picture:
        """An image without a person: one in eight a wall; where it stays ``empty``, every other one a lookalike."""
        if empty and self.pack.lookalikes and self.random.random() < 0.5:
            return self.pack.lookalikes[self.random.integers(len(self.pack.lookalikes))]
        if self.random.random() < 1 / 8:
            return wall(self.random, self.rooms)
        return self.rooms[self.random.integers(len(self.rooms))]

    def _dress(self, alpha: Picture) -> Dress | None:
        return dress(self.random, alpha, self.pack.people, self.rooms)

    def _things(self, width: int, height: int) -> list[Layer]:
        """Up to three things that stand behind people, in half of the shots; in one of eight a curtain beside them."""
        rooms = self.rooms
        count = self.random.integers(0, 4) * (self.random.random() < 0.5)
        curtained = self.random.random() < 1 / 8
        things = [thing(self.random, rooms, width, height) for _ in range(count)]
        if curtained:
            things.append(curtain(self.random, rooms, width, height))
        return things

    def _chairs(self, people: list[Layer], width: int, height: int) -> list[Layer]:
        """The chairs that one in six sits on; one in six empty rooms has one too."""
        seated: list[Layer | None] = [each for each in people if self.random.random() < 1 / 6]
        if not people and self.random.random() < 1 / 6:
            seated = [self._person(self._stills(1), width, height)]
        return [
            chair(self.random, each.head, each.matrix, each.stills[0].alpha.shape[::-1])
            for each in seated
            if each and each.head
        ]


def scenes(pack: Pack, *, seed: int) -> Scenes:
    """Shots from a pack, the same ones for the same seed."""
    odds = np.cumsum([_odds(person.source) for person in pack.people])
    hands = [person for person in pack.people if _raised(person.source)] or pack.people
    return Scenes(pack, np.random.default_rng(seed), odds, hands, pack.rooms + LOOKALIKES * pack.lookalikes)


def _odds(source: str) -> float:
    """How often a source is drawn, where 1 is usual."""
    if source.startswith(PEOPLE2):
        return max(1.5, *(RARE_KINDS.get(kind, 0.0) for kind in _kinds(source)))
    return RARE.get(source, 1.0)


def _raised(source: str) -> bool:
    return source in RARE or not {"hands", "arms"}.isdisjoint(_kinds(source))


def _kinds(source: str) -> list[str]:
    """Of a picture of people2; empty for others."""
    return source.removeprefix(f"{PEOPLE2}:").split() if source.startswith(PEOPLE2) else []
