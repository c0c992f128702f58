"""Draws damaged inputs by kind and number: the same number gives the same input in every run."""

import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fuzz import drawing, images, inputs, onnx_files, option_sets, own_network
from fuzz.mutate import damaged
from fuzz.runner import Case

ROOM = {"room.png": inputs.EMPTY_ROOM}
OUTPUT = ("--output", "null", "--quiet")

CLIP_SEEDS = (
    *(
        "display-turned-90.mp4",
        "display-mirrored-in-stream.ts",
        "edit-list-two-parts.mp4",
        "two-films-second-default.mkv",
    ),
    *("alpha-vp8.webm", "alpha-vp9.webm", "alpha-prores.mov", "alpha-qtrle.mov", "alpha-ffv1.mkv", "alpha.apng"),
    *(
        "title-not-utf8.flv",
        "count-too-small.avi",
        "changes-size.mjpeg",
        "interlaced.mpg",
        "hdr-pq.mp4",
        "cover-first.mp4",
    ),
)

IMAGE_SEEDS = (
    *("turn-turned-90.jpg", "turn-mirrored.png", "turn-transposed.tiff", "turn-turned-180.webp", "turn-mirrored.avif"),
    *("turn-turned-90.heic", "tiles.heic", "tiles.avif", "moves.avif", "moves-apng.png", "moves.gif", "moves.webp"),
    *("alpha.png", "alpha.webp", "cmyk.jpg", "moves-tiff.tif", "sixteen.tiff", "float.tiff"),
)

OTHER_FORMATS = ("BMP", "PPM", "JPEG2000")


@dataclass(frozen=True, slots=True)
class Damaged:
    """The input of this kind and number."""

    kind: str
    number: int

    @property
    def name(self) -> str:
        """Such as ``images-17``, which ``python -m fuzz images-17`` runs again."""
        return f"{self.kind}-{self.number}"

    def case(self) -> Case:
        """The run."""
        return KINDS[self.kind](random.Random(self.name), self.name)  # noqa: S311 -- must be the same in every run


@cache
def clip_seeds() -> dict[str, bytes]:
    """Whole clips by name."""
    return _written("clips", CLIP_SEEDS)


@cache
def image_seeds() -> dict[str, bytes]:
    """Whole images by name."""
    others = {f"quarters.{name.lower()[:3]}": images.saved(drawing.quarters(), name) for name in OTHER_FORMATS}
    return _written("images", IMAGE_SEEDS) | others


def _written(group: str, names: Sequence[str]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: inputs.write(Path(folder), f"{group}/{name}").read_bytes() for name in names}


def _damaged_file(rng: random.Random, seeds: dict[str, bytes]) -> tuple[str, bytes]:
    """A name, now and then with the suffix of another seed, and damaged bytes."""
    name = rng.choice(list(seeds))
    suffix = Path(rng.choice(list(seeds)) if rng.random() < 0.05 else name).suffix
    return f"input{suffix}", damaged(rng, seeds[name], list(seeds.values()))


def clip(rng: random.Random, name: str) -> Case:
    """A damaged clip as camera or background."""
    file, data = _damaged_file(rng, clip_seeds())
    if rng.random() < 0.5:
        words = ["--camera", f"{{scratch}}/{file}", "--bg", "green", "--frames", "40", *OUTPUT]
    else:
        words = ["--camera", "{scratch}/room.png?frames=12", "--bg", f"{{scratch}}/{file}", *OUTPUT]
    return Case(name, words, {**ROOM, file: data})


def image(rng: random.Random, name: str) -> Case:
    """A damaged image as background, camera, standby card, or in a folder."""
    file, data = _damaged_file(rng, image_seeds())
    role = rng.choice(("bg", "bg", "camera", "card", "folder"))
    words = {
        "bg": ["--camera", "{scratch}/room.png?frames=3", "--bg", f"{{scratch}}/{file}"],
        "camera": ["--camera", f"{{scratch}}/{file}", "--frames", "3", "--bg", "green"],
        "card": ["--camera", "{scratch}/room.png?frames=3", "--bg", "green", "--card", f"{{scratch}}/{file}"],
        "folder": ["--camera", "{scratch}/room.png?frames=3", "--bg", "{scratch}/folder"],
    }[role]
    place = f"folder/{file}" if role == "folder" else file
    return Case(name, [*words, *OUTPUT], {**ROOM, place: data})


def network(rng: random.Random, name: str) -> Case:
    """A damaged network."""
    data = onnx_files.draw(rng)
    option = rng.choice(("", "?unverified=yes", "?unverified=yes", "?unverified=yes", "?quality=high"))
    words = ["--camera", "{scratch}/room.png?frames=2", "--bg", "green", "--model", f"{{scratch}}/input.onnx{option}"]
    return Case(name, [*words, *OUTPUT], {**ROOM, "input.onnx": data})


def settings(rng: random.Random, name: str) -> Case:
    """A configuration file with any keys and values, or damaged."""
    words = ["--config", "{scratch}/input.toml", "--camera", "{scratch}/room.png?frames=2", "--frames", "2"]
    data = option_sets.toml(rng)
    return Case(name, [*words, *OUTPUT, "--seconds", "5"], {**ROOM, "input.toml": data})


def options(rng: random.Random, name: str) -> Case:
    """Any set of options on the command line."""
    words, may_print = option_sets.words(rng)
    return Case(name, words, ROOM, outputs=option_sets.OUTPUTS, may_print=may_print)


def matte(rng: random.Random, name: str) -> Case:
    """A caller's network that returns anything."""
    return Case(name, [json.dumps(own_network.draw(rng))], program="own_network")


KINDS: dict[str, Callable[[random.Random, str], Case]] = {
    "clips": clip,
    "images": image,
    "networks": network,
    "settings": settings,
    "options": options,
    "mattes": matte,
}
"""Kinds of inputs, and what draws one."""
