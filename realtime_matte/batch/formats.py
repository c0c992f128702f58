"""File formats of results: what each can hold, its premultiplication and its transfer curve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from realtime_matte.errors import SpecError

Write: TypeAlias = Literal["alpha", "foreground", "composite"]
"""``alpha``: a grey matte. ``foreground``: the person's colours with alpha. ``composite``: over another background."""

WRITES: Final[tuple[Write, ...]] = get_args(Write)

STRAIGHT: Final = "straight alpha, sRGB curve"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format.

    Attributes:
        name: As ``--format`` takes it.
        suffix: Of its files.
        video: One file for a clip; otherwise one file for each frame.
        holds: For each result that it can hold, its pixels: samples, premultiplication, transfer curve.
    """

    name: str
    suffix: str
    video: bool
    holds: Mapping[Write, str]


FORMATS: Final = {
    one.name: one
    for one in (
        FileFormat(
            "png16",
            ".png",
            video=False,
            holds={
                "alpha": "grey, 16 bits, linear: 65535 is opaque",
                "foreground": f"RGBA, 16 bits, {STRAIGHT}",
                "composite": "RGB, 16 bits made of 8, sRGB curve",
            },
        ),
        FileFormat(
            "png8",
            ".png",
            video=False,
            holds={
                "alpha": "grey, 8 bits, linear: 255 is opaque",
                "foreground": f"RGBA, 8 bits, {STRAIGHT}",
                "composite": "RGB, 8 bits, sRGB curve",
            },
        ),
        FileFormat(
            "exr",
            ".exr",
            video=False,
            holds={
                "alpha": "Y, 16-bit float, linear: 1 is opaque",
                "foreground": "RGBA, 16-bit float, premultiplied, linear light (BT.709 primaries)",
                "composite": "RGB, 16-bit float, linear light (BT.709 primaries)",
            },
        ),
        FileFormat(
            "prores",
            ".mov",
            video=True,
            holds={
                "alpha": "ProRes 422 HQ, 10 bits, grey, limited range: 64 is transparent, 940 opaque",
                "foreground": "ProRes 4444, 10 bits, straight alpha, the clip's curve",
                "composite": "ProRes 422 HQ, 10 bits, the clip's curve",
            },
        ),
        FileFormat(
            "webm",
            ".webm",
            video=True,
            holds={
                "alpha": "VP9, 8 bits, grey, limited range: 16 is transparent, 235 opaque",
                "foreground": "VP9 with alpha, 8 bits, straight alpha, the clip's curve",
                "composite": "VP9, 8 bits, the clip's curve",
            },
        ),
        FileFormat(
            "mp4",
            ".mp4",
            video=True,
            holds={
                "alpha": "H.264, 8 bits, grey, limited range: 16 is transparent, 235 opaque",
                "composite": "H.264, 8 bits, the clip's curve",
            },
        ),
    )
}

DEFAULTS: Final[Mapping[Write, str]] = {"alpha": "png16", "foreground": "prores", "composite": "mp4"}

STILL: Final = "png16"
"""Format of still images where a video format was chosen."""


def choose(name: str | None, write: Write) -> FileFormat:
    """The format of that name, or the default one for ``write``. Raises SpecError."""
    name = name or DEFAULTS[write]
    if name not in FORMATS:
        raise SpecError(f"no format called {name!r}", hint=f"there are: {', '.join(FORMATS)}")
    if write not in FORMATS[name].holds:
        able = ", ".join(other.name for other in FORMATS.values() if write in other.holds)
        raise SpecError(f"{name} files carry no alpha, which --write {write} needs", hint=f"use one of: {able}")
    return FORMATS[name]
