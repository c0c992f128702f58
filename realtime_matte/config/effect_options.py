"""The options of the effects: framing, and what is changed in or drawn over the output. A part of Config."""

from dataclasses import dataclass, field

from realtime_matte.config import parsers
from realtime_matte.config.option import option
from realtime_matte.config.parsers import Choice, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOptions:
    """Fields of Config that effects read; each is off by default and can be changed while running."""

    rotate: str = field(
        default="0",
        metadata=option(
            "Framing",
            "turn the camera's image clockwise, in degrees",
            parse=Choice(("0", "90", "180", "270")),
            applies="live",
            default_text="0",
            metavar="DEGREES",
        ),
    )
    zoom: float = field(
        default=1.0,
        metadata=option(
            "Framing",
            "show a part of the camera's image: 2 is half of its width and height",
            parse=Number(1, 4),
            applies="live",
            default_text="1",
            metavar="N",
        ),
    )
    center: tuple[float, float] = field(
        default=(0.5, 0.5),
        metadata=option(
            "Framing",
            "the centre of what is shown, from 0,0 (upper left) to 1,1, as far as there is image",
            parse=parsers.point,
            applies="live",
            default_text="0.5,0.5",
            metavar="X,Y",
        ),
    )
    camera_fit: str = field(
        default="cover",
        metadata=option(
            "Framing",
            "how a camera image of another shape fills the output: cover cuts it, contain shows all of it over the"
            " background",
            parse=Choice(("cover", "contain")),
            applies="live",
            default_text="cover",
            metavar="HOW",
        ),
    )
    auto_frame: bool = field(
        default=False,
        metadata=option(
            "Framing",
            "keep head and shoulders in view: crop and follow the person, by the matte",
            parse=parsers.switch,
            applies="live",
        ),
    )
    auto_frame_size: float = field(
        default=0.55,
        metadata=option(
            "Framing",
            "height of head and shoulders with --auto-frame, as a share of the output's",
            parse=Number(0.2, 0.9),
            applies="live",
            default_text="0.55",
            metavar="N",
        ),
    )
    auto_frame_place: tuple[float, float] = field(
        default=(0.5, 0.15),
        metadata=option(
            "Framing",
            "where the top of the head is with --auto-frame, from 0,0 (upper left) to 1,1",
            parse=parsers.point,
            applies="live",
            default_text="0.5,0.15",
            metavar="X,Y",
        ),
    )
    low_light: str | float = field(
        default="off",
        metadata=option(
            "Looks",
            "brighten the person where the room is dark: auto, off, or a fixed amount from 0 to 1",
            parse=parsers.amount,
            applies="live",
            default_text="off",
            metavar="AMOUNT",
        ),
    )
    white_balance: str = field(
        default="off",
        metadata=option(
            "Looks",
            "remove a blue or orange tint from the person: auto or off",
            parse=Choice(("off", "auto")),
            applies="live",
            default_text="off",
            metavar="WHEN",
        ),
    )
    harmonize: float = field(
        default=0.0,
        metadata=option(
            "Looks",
            "move the person's light and colours toward those of a replaced background: 0 to 1",
            parse=Number(0, 1),
            applies="live",
            default_text="0",
            metavar="N",
        ),
    )
    overlay: tuple[str, ...] = field(
        default=(),
        metadata=option(
            "Looks",
            "drawn over the output: logo.png?at=top-right&size=0.1, text:Name?at=bottom-left, clock; may be repeated",
            parse=parsers.overlays,
            applies="live",
            default_text="none",
            metavar="SPEC",
        ),
    )
