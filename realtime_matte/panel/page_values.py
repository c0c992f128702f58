"""What a page may set: never the name of a file. A hostile page could otherwise read files, or write over them."""

from collections.abc import Iterable
from typing import Final

from realtime_matte.config import specs
from realtime_matte.config.config import Config, options
from realtime_matte.effects import overlay
from realtime_matte.errors import SpecError, masked
from realtime_matte.models import AUTO
from realtime_matte.models.catalog import shipped_files
from realtime_matte.models.opening import SMALL
from realtime_matte.models.options import QUALITIES
from realtime_matte.pipeline.commands import ACTIONS, Command
from realtime_matte.sources import stream

PLAIN_TEXTS: Final = frozenset({"auto_frame_place", "card_text", "center", "low_light", "provider"})
"""Options with a text that names no file."""

CAMERAS: Final = ("camera", "demo")
OUTPUTS: Final = ("virtualcam", "window", "pipewire", "null")

FILE: Final = "a file cannot be named from the page"


def page_command(key: str, value: object, config: Config, *, devices: Iterable[str] = ()) -> Command:
    """The command that a page requests.

    Args:
        key: An option, or a command of the pipeline or the supervisor.
        value: What the page sent.
        config: The present options: a value that is set already may stay, whatever it is.
        devices: Cameras and virtual cameras of this machine.

    Raises:
        SpecError: The page may not set this.
    """
    name = key.replace("-", "_")
    if name == "record_start" and value is not None:
        raise SpecError("a recording gets a name by itself", hint="send no value")
    if name == "calibrate" and value is not None:
        raise SpecError("the page keeps the empty room in memory only", hint="send no value")
    if name in ACTIONS or name == "restart":
        return Command(name, value)
    known = {option.name: option for option in options()}
    if name not in known:
        return Command(name, value)  # for the pipeline to refuse
    option, present = known[name], getattr(config, name)
    if option.applies == "start":
        raise SpecError(f"{option.key} cannot be set from the page", hint=f"start rtmatte with {option.flag}")
    if name == "bg":
        raise SpecError("backgrounds are chosen by their id", hint="use /api/background")
    if option.kind not in {"text", "list"} or name in PLAIN_TEXTS or value is None:
        return Command(name, value)
    if option.kind == "list":
        values = value if isinstance(value, list) else [value]
        return Command(name, tuple(_checked(name, one, present, devices) for one in values) or None)
    return Command(name, _checked(name, value, (present,), devices))


def model_names() -> list[str]:
    """The shipped networks, with their qualities."""
    shipped = sorted((name for name in shipped_files() if not name.endswith("-int8")), key=lambda name: name != SMALL)
    return [AUTO, *(spec for name in shipped for spec in (name, *(f"{name}?quality={word}" for word in QUALITIES)))]


def _checked(name: str, value: object, present: Iterable[object], devices: Iterable[str]) -> str:
    """The value, if the page may set it; one that is set already with its password. Raises SpecError."""
    for one in present:
        if isinstance(one, str) and value in (one, masked(one)):  # a page may send a list
            return one
    if isinstance(value, str) and _is_allowed(name, value, set(devices)):
        return value
    key = name.replace("_", "-")
    raise SpecError(f"{key}: {FILE}: {value!r}", hint=f"start rtmatte with --{key}, or set it in its file")


def _is_allowed(name: str, value: str, devices: set[str]) -> bool:
    if name == "camera":
        return value in CAMERAS or value in devices or (stream.claims(value) and value.isprintable())
    if name == "output":
        return value in OUTPUTS or (value.startswith("virtualcam:") and value.removeprefix("virtualcam:") in devices)
    if name == "model":
        return value in model_names()
    return name == "overlay" and _is_drawn(value)


def _is_drawn(value: str) -> bool:
    """Whether an overlay is a clock or a text, without a font's file; as the overlay itself reads it."""
    try:
        name, given = specs.parse(value, overlay.SPEC_OPTIONS)
    except SpecError:
        return False
    return (name == "clock" or name.startswith("text:")) and not given["font"]
