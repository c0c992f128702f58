"""Options of a model that its graph does not contain: after the ``?`` of a spec, or in the file's metadata."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from realtime_matte.config.specs import SpecOption, parse, switch
from realtime_matte.errors import SpecError
from realtime_matte.frame import Size

ChannelOrder: TypeAlias = Literal["rgb", "bgr"]

QUALITIES = {"low": 0.64, "normal": 1.0, "high": 1.8, "best": 3.2}
"""Number of input pixels, as a factor of the base grid's; the time of a frame grows with it. Above 1, our own networks
run on the base grid as well (engine.py)."""

PerChannel: TypeAlias = tuple[float, float, float]
"""Three channel values in units of 0..255, in the network's channel order."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Values from the user or the metadata; None is the default of the network's family.

    ``mean``, ``std``: of the normalisation. ``size``: of the network's input. ``quality``: a value of QUALITIES.
    """

    mean: PerChannel | None = None
    std: PerChannel | None = None
    order: ChannelOrder | None = None
    size: Size | None = None
    quality: float | None = None


def split_spec(spec: str) -> tuple[str, dict[str, object]]:
    """A model's spec without its options, and the parsed options. Raises SpecError."""
    name, values = parse(spec, {**OPTIONS, **CHECKS})
    return name, {key: value for key, value in values.items() if value}


def model_options(
    family: str, allowed: Collection[str], *, metadata: Mapping[str, str], spec_options: Mapping[str, object]
) -> ModelOptions:
    """The options of a spec, else those of the file's metadata (``rtmatte.mean`` etc.), as far as ``allowed``.

    Raises:
        SpecError: the spec has an option the family does not take, or the metadata cannot be parsed.
    """
    for name in spec_options:
        if name not in allowed:
            valid = ", ".join(sorted(allowed)) or "none"
            raise SpecError(f"models of the family {family} have no option {name!r}", hint=f"valid options: {valid}")
    words = [f"{name}={metadata[key]}" for name in sorted(allowed) if (key := f"rtmatte.{name}") in metadata]
    _, defaults = split_spec(f"metadata?{'&'.join(words)}") if words else ("", {})
    values = {**defaults, **spec_options}
    return ModelOptions(
        mean=cast("PerChannel | None", values.get("mean")),
        std=cast("PerChannel | None", values.get("std")),
        order=cast("ChannelOrder | None", values.get("order")),
        size=cast("Size | None", values.get("size")),
        quality=cast("float | None", values.get("quality")),
    )


def _mean(text: str) -> PerChannel:
    try:
        numbers = tuple(float(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3 or not all(abs(number) < 1e9 for number in numbers):  # noqa: PLR2004 -- channels; no inf, nan
        raise ValueError("one number or three, such as 127.5 or 123.7,116.3,103.5")
    return numbers


def _std(text: str) -> PerChannel:
    numbers = _mean(text)
    if min(numbers) <= 0:
        raise ValueError("above 0")
    return numbers


def _order(text: str) -> ChannelOrder:
    if text not in {"rgb", "bgr"}:
        raise ValueError("rgb or bgr")
    return cast("ChannelOrder", text)


def _size(text: str) -> Size:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width) <= 4096 and 0 < int(height) <= 4096):  # noqa: PLR2004
        raise ValueError("a size such as 512x288")
    return int(width), int(height)


def _quality(text: str) -> float:
    if text not in QUALITIES:
        raise ValueError("one of " + ", ".join(QUALITIES))
    return QUALITIES[text]


OPTIONS: Final[Mapping[str, SpecOption[Any]]] = {
    "mean": SpecOption(_mean, "subtracted before the network, of 0..255: one number, or one a channel", default=None),
    "std": SpecOption(_std, "divided by before the network, of 0..255: one number, or one a channel", default=None),
    "order": SpecOption(_order, "channel order of the network: rgb or bgr", default=None),
    "size": SpecOption(_size, "size of the network's input, such as 512x288", default=None),
    "quality": SpecOption(_quality, f"accuracy against time: {', '.join(QUALITIES)}", default=None),
}
"""A family of networks takes some of them; None is the family's default."""

UNVERIFIED: Final = "unverified"
UNLIMITED: Final = "unlimited"

CHECKS: Final[Mapping[str, SpecOption[Any]]] = {
    UNVERIFIED: SpecOption(switch, "run a network that does not find the person of the sample portrait", default=False),
    UNLIMITED: SpecOption(
        switch, "run a network without limits of memory and time for its first frames", default=False
    ),
}
"""Options that switch off a check of networks which are not shipped."""
