"""What a user or a file's metadata may say about a network that its graph cannot: ``net.onnx?mean=127.5``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from realtime_matte.config.specs import parse
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size

Order: TypeAlias = Literal["rgb", "bgr"]

QUALITIES = {"low": 0.64, "normal": 1.0, "high": 1.8, "best": 3.2}
"""How many times the pixels of its usual grid a network gets; its time grows with them. Ours runs on the usual one too,
where it gets more (anchored.py)."""

PerChannel: TypeAlias = tuple[float, float, float]
"""In 0..255 units, in the network's channel order."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was said; None is "as its family does".

    ``size``: the network's grid. ``quality``: how many times as many pixels as usual it gets.
    """

    mean: PerChannel | None = None
    std: PerChannel | None = None
    order: Order | None = None
    size: Size | None = None
    quality: float | None = None


def split(spec: str) -> tuple[str, dict[str, object]]:
    """A model's spec without its options, and the options. Raises SpecError."""
    return parse(spec, _READERS)


def settings(
    family: str, allowed: Collection[str], *, metadata: Mapping[str, str], given: Mapping[str, object]
) -> Settings:
    """What was given, else what the file's metadata (``rtmatte.mean`` and so on) says, of what its family takes.

    Raises:
        SpecError: something given that the family does not take, or metadata without sense.
    """
    for word in given:
        if word not in allowed:
            raise SpecError(
                f"a model of the family {family} takes no option {word!r}", hint=f"there are: {_listed(allowed)}"
            )
    words = [f"{word}={metadata[key]}" for word in sorted(allowed) if (key := f"rtmatte.{word}") in metadata]
    _, told = parse(f"metadata?{'&'.join(words)}", _READERS) if words else ("", {})
    values = {**told, **given}
    return Settings(
        mean=cast("PerChannel | None", values.get("mean")),
        std=cast("PerChannel | None", values.get("std")),
        order=cast("Order | None", values.get("order")),
        size=cast("Size | None", values.get("size")),
        quality=cast("float | None", values.get("quality")),
    )


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words)) or "none"


def _per_channel(text: str) -> PerChannel:
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3 or not all(abs(number) < 1e9 for number in numbers):  # noqa: PLR2004 -- channels; no inf, nan
        raise ValueError("one number or three, such as 127.5 or 123.7,116.3,103.5")
    return numbers


def _deviation(text: str) -> PerChannel:
    numbers = _per_channel(text)
    if min(numbers) <= 0:
        raise ValueError("above 0")
    return numbers


def _order(text: str) -> Order:
    if text not in {"rgb", "bgr"}:
        raise ValueError("rgb or bgr")
    return cast("Order", text)


def _size(text: str) -> Size:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width) <= 4096 and 0 < int(height) <= 4096):  # noqa: PLR2004
        raise ValueError("a size such as 512x288")
    return int(width), int(height)


def _quality(text: str) -> float:
    if text not in QUALITIES:
        raise ValueError("one of " + ", ".join(QUALITIES))
    return QUALITIES[text]


_READERS = {"mean": _per_channel, "std": _deviation, "order": _order, "size": _size, "quality": _quality}
