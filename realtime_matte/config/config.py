"""Config: every option of rtmatte, declared once.

The command line (``arguments``), the TOML file (``toml_file``), ``Pipeline.open``, the control panel's forms and the
table of options in the documentation are derived from the fields of Config. A new option is a new field here, and the
code that reads it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Literal, Self, get_args

from realtime_matte.config import parsers
from realtime_matte.config.effect_options import EffectOptions
from realtime_matte.config.option import Group, Option, option
from realtime_matte.config.parsers import Choice, Number
from realtime_matte.errors import SpecError, suggest

if TYPE_CHECKING:  # both import NumPy, which `rtmatte --help` does without
    from realtime_matte.frame import Size
    from realtime_matte.interfaces import Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(EffectOptions):
    """What the user sets. Every value is parsed when a Config is made, so that an invalid Config does not exist.

    A spec may be a PathLike, ``bg`` and ``output`` a single spec, ``camera`` an int, ``size`` the text ``"1280x720"``.

    Raises:
        SpecError: A value is of the wrong type or out of range; the message names the option and what it should be.

    Example:
        >>> config = Config(size=(1280, 720)).replace(camera=0, bg="beach.jpg")
        >>> config.size, config.camera, config.bg
        ((1280, 720), '0', ('beach.jpg',))
        >>> config.replace(threads=0)
        Traceback (most recent call last):
            ...
        realtime_matte.errors.SpecError: threads: 0 is not a whole number from 1 to 256
    """

    camera: str = field(
        default="camera",
        metadata=option(
            "Camera",
            "0, /dev/video2 or part of a camera's name; a URL: http://, rtsp://; a file: clip.mp4, me.jpg; or demo",
            parse=parsers.camera,
            applies="live",
            default_text="the first camera",
            metavar="SPEC",
        ),
    )
    size: "Size | None" = field(
        default=None,
        metadata=option(
            "Camera",
            "output size in pixels, also requested from the camera, such as 1280x720",
            parse=parsers.size,
            applies="live",
            default_text="the camera's",
            metavar="WxH",
            unit="px",
        ),
    )
    fps: float | None = field(
        default=None,
        metadata=option(
            "Camera",
            "frame rate requested from the camera; frames above it are dropped",
            parse=Number(1, 240),
            applies="live",
            default_text="the camera's",
            metavar="N",
            unit="frames/s",
        ),
    )
    mirror: bool = field(
        default=False,
        metadata=option(
            "Camera",
            "swap left and right of the output",
            parse=parsers.switch,
            applies="live",
        ),
    )
    on_demand: bool = field(
        default=False,
        metadata=option(
            "Camera",
            "open the camera only while a program reads the virtual camera, else show the standby card (Linux)",
            parse=parsers.switch,
            applies="live",
        ),
    )
    bg: tuple[str, ...] = field(
        default=("studio",),
        metadata=option(
            "Background",
            "beach.jpg, a video, a folder, blur, a colour such as green or #336699, none, studio;"
            " may be repeated: key b switches to the next one",
            parse=parsers.specs,
            applies="live",
            default_text="studio",
            metavar="SPEC",
        ),
    )
    fit: "Fit" = field(
        default="cover",
        metadata=option(
            "Background",
            "how an image or video is scaled to the output size: cover, contain, stretch or tile",
            parse=Choice(parsers.FITS),
            applies="live",
            default_text="cover",
            metavar="HOW",
        ),
    )
    only_me: bool = field(
        default=False,
        metadata=option(
            "Background",
            "if several people are visible, keep the largest one only; people who touch in the image count as one",
            parse=parsers.switch,
            applies="live",
        ),
    )
    output: tuple[str, ...] = field(
        default=("virtualcam",),
        metadata=option(
            "Output",
            "virtualcam, virtualcam:DEVICE, window, a file (.mp4, .webm, .mov, .mkv), frames:FOLDER, null,"
            " pipewire; may be repeated",
            parse=parsers.specs,
            applies="live",
            default_text="virtualcam",
            metavar="SPEC",
        ),
    )
    model: str = field(
        default="auto",
        metadata=option(
            "Model",
            "a name listed by `rtmatte models`, or an ONNX file; small?quality=low costs less",
            parse=parsers.local,
            applies="live",
            default_text="auto: small, or large on a GPU that is fast enough",
            metavar="NAME",
        ),
    )
    provider: str | None = field(
        default=None,
        metadata=option(
            "Model",
            "run the network only on this ONNX Runtime provider: cpu, cuda, cuda?pipeline, openvino?device=NPU, ...",
            parse=parsers.text,
            applies="live",
            default_text="the fastest that works",
            metavar="NAME",
        ),
    )
    threads: int | None = field(
        default=None,
        metadata=option(
            "Model",
            "CPU threads of the network",
            parse=Number(1, parsers.MAX_THREADS, integer=True),
            applies="live",
            default_text="1",
            metavar="N",
            unit="threads",
        ),
    )
    power_saver: Literal["auto", "on", "off"] = field(
        default="auto",
        metadata=option(
            "Model",
            "use the lightest model of --model auto: on, off, or auto, which is on a laptop's battery (Linux)",
            parse=Choice(parsers.POWER_SAVERS),
            applies="live",
            default_text="auto",
            metavar="WHEN",
        ),
    )
    card: str | None = field(
        default=None,
        metadata=option(
            "Standby card",
            "image of the standby card, which is shown whenever there is no matte",
            parse=parsers.local,
            applies="live",
            default_text="a drawn figure",
            metavar="IMAGE",
        ),
    )
    card_text: str | None = field(
        default=None,
        metadata=option(
            "Standby card",
            "text on the standby card, for every reason",
            parse=parsers.text,
            applies="live",
            default_text="the reason",
            metavar="TEXT",
        ),
    )
    calibrate: bool = field(
        default=False,
        metadata=option(
            "Run",
            "at the start count down, and learn the empty room while you are out of the camera's view for two seconds",
            parse=parsers.switch,
            applies="start",
        ),
    )
    plate: str | None = field(
        default=None,
        metadata=option(
            "Run",
            "file with the empty room of this camera: read at the start, or written by --calibrate",
            parse=parsers.local,
            applies="start",
            default_text="none, it is kept in memory only",
            metavar="FILE",
        ),
    )
    card_on_doubt: bool = field(
        default=False,
        metadata=option(
            "Standby card",
            "show the standby card while the matte covers nearly the whole image, or shows background as foreground",
            parse=parsers.switch,
            applies="live",
        ),
    )
    panel: bool = field(
        default=False,
        metadata=option(
            "Control panel",
            "serve the control panel, whose address is printed; `rtmatte panel` also opens it in the browser",
            parse=parsers.switch,
            applies="start",
        ),
    )
    panel_port: int | None = field(
        default=None,
        metadata=option(
            "Control panel",
            "port of the control panel",
            parse=Number(1, 65535, integer=True),
            applies="start",
            default_text="a free one",
            metavar="N",
        ),
    )
    panel_host: str = field(
        default="127.0.0.1",
        metadata=option(
            "Control panel",
            "address that the control panel listens on; one that other machines reach, such as 192.168.1.5, needs the"
            " three options below",
            parse=parsers.text,
            applies="start",
            default_text="127.0.0.1: this machine only",
            metavar="ADDRESS",
        ),
    )
    panel_password_file: str | None = field(
        default=None,
        metadata=option(
            "Control panel",
            "file whose first line is the password for other machines",
            parse=parsers.local,
            applies="start",
            default_text="none",
            metavar="FILE",
        ),
    )
    panel_cert: str | None = field(
        default=None,
        metadata=option(
            "Control panel",
            "file of the TLS certificate, PEM",
            parse=parsers.local,
            applies="start",
            default_text="none",
            metavar="FILE",
        ),
    )
    panel_key: str | None = field(
        default=None,
        metadata=option(
            "Control panel",
            "file of the certificate's private key, PEM",
            parse=parsers.local,
            applies="start",
            default_text="none",
            metavar="FILE",
        ),
    )
    seconds: float | None = field(
        default=None,
        metadata=option(
            "Run",
            "stop after this time",
            parse=Number(0.1, 1e7),
            applies="start",
            default_text="no limit",
            metavar="N",
            unit="s",
        ),
    )
    frames: int | None = field(
        default=None,
        metadata=option(
            "Run",
            "stop after this many composites; standby cards do not count",
            parse=Number(1, 1e9, integer=True),
            applies="start",
            default_text="no limit",
            metavar="N",
            unit="frames",
        ),
    )
    control: bool = field(
        default=True,
        metadata=option(
            "Run",
            "let `rtmatte ctl` read the status and change settings through a local socket or, on Windows, a pipe",
            parse=parsers.switch,
            applies="start",
            default_text="on",
        ),
    )
    quiet: bool = field(
        default=False,
        metadata=option(
            "Run",
            "no progress line; errors, fall-backs and the modes of devices and files are still printed",
            parse=parsers.switch,
            applies="start",
        ),
    )
    verbose: bool = field(
        default=False,
        metadata=option(
            "Run",
            "more figures: the 95th percentile of each stage, and the libraries' own messages",
            parse=parsers.switch,
            applies="start",
        ),
    )

    def __post_init__(self) -> None:
        values = {option.name: getattr(self, option.name) for option in options()}
        for name, value in parse_values(values).items():
            object.__setattr__(self, name, value)

    def replace(self, **overrides: object) -> Self:
        """A copy with other values.

        Args:
            overrides: Values by field name, unparsed or typed. None stands for the field's default.

        Raises:
            SpecError: An option is unknown, or its value is invalid.

        Example:
            >>> Config().replace(bg="beach.jpg", fps=30).bg
            ('beach.jpg',)
        """
        return dataclasses.replace(self, **parse_values(overrides))  # type: ignore[arg-type]  # parsed by each field


@cache
def options() -> tuple[Option, ...]:
    """All options, group by group, in the order of Config.

    Example:
        >>> [option.flag for option in options() if option.group == "Standby card"]
        ['--card', '--card-text', '--card-on-doubt']
    """
    found = (
        dataclasses.replace(item.metadata["option"], name=item.name, default=item.default) for item in fields(Config)
    )
    return tuple(sorted(found, key=lambda one: get_args(Group).index(one.group)))


def parse_values(values: Mapping[str, object], *, prefix: str | None = None) -> dict[str, object]:
    """The typed values, by field name.

    Args:
        values: Values by field name. None stands for the field's default.
        prefix: What an error message has before the option's key, such as ``--``; None names the field instead.

    Raises:
        SpecError: An option is unknown, or its value is invalid.
    """
    known = {option.name: option for option in options()}
    for name in values:
        if name not in known:
            raise SpecError(f"no option {name!r}", hint=suggest(name, known, f"there are: {', '.join(sorted(known))}"))
    return {name: _parse(known[name], value, prefix) for name, value in values.items()}


def _parse(option: Option, value: object, prefix: str | None) -> object:
    if value is None:
        return option.default
    try:
        return option.parse(value)
    except SpecError:  # an impossible file name, complete as it is
        raise
    except ValueError as error:
        where = option.name if prefix is None else prefix + option.key
        shown = error.value if isinstance(error, parsers.InvalidItem) else value
        is_empty = isinstance(shown, str) and str(error) == "a text"  # others say what they are like
        hint = "give a value, or leave the option out" if is_empty else ""
        raise SpecError(f"{where}: {shown!r} is not {error}", hint=hint) from error
