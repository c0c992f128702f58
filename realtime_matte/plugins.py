"""Finds the plug-in that a spec names: ``camera:0`` is ``realtime_matte.sources.camera.open("0", ...)``.

The word of a spec is the name of a module, which is imported on use. A spec without a word belongs to the first module,
in alphabetical order, whose ``claims(spec)`` is true.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

from realtime_matte.config.specs import SpecOption
from realtime_matte.errors import SpecError, suggest
from realtime_matte.interfaces import OpenBackground, OpenSink, OpenSource
from realtime_matte.paths import is_file

Kind: TypeAlias = Literal["sources", "backgrounds", "sinks"]

Opener = TypeVar("Opener")

_WORD = re.compile(r"(?=[:?])")

NOUNS: dict[Kind, str] = {"sources": "source", "backgrounds": "background", "sinks": "output"}


@dataclass(frozen=True, slots=True)
class Plugin(Generic[Opener]):
    """The plug-in that a spec names: the module's name, its ``open``, and the rest of the spec as its argument."""

    name: str
    open: Opener
    rest: str


def names(kind: Kind) -> list[str]:
    """The names of all plug-ins of a kind, in alphabetical order."""
    package = import_module(f"realtime_matte.{kind}")
    return sorted(module.name for module in iter_modules(package.__path__) if not module.name.startswith("_"))


def source(spec: str) -> Plugin[OpenSource]:
    """The source that a spec names. Raises SpecError."""
    return cast("Plugin[OpenSource]", _find("sources", spec))


def background(spec: str) -> Plugin[OpenBackground]:
    """The background that a spec names. Raises SpecError."""
    return cast("Plugin[OpenBackground]", _find("backgrounds", spec))


def sink(spec: str) -> Plugin[OpenSink]:
    """The output that a spec names. Raises SpecError."""
    return cast("Plugin[OpenSink]", _find("sinks", spec))


def options(kind: Kind, name: str) -> Mapping[str, SpecOption[Any]]:
    """The options behind the specs of a plug-in, its ``OPTIONS``; empty if it declares none."""
    declared: Mapping[str, SpecOption[Any]] = getattr(_module(kind, name), "OPTIONS", {})
    return declared


def without_word(spec: str) -> str:
    """The spec after its plug-in's word, of any kind of plug-in; the whole spec if it has no such word."""
    word, rest = _split(spec)
    return rest if any(word in names(kind) for kind in NOUNS) else spec


def _find(kind: Kind, spec: str) -> Plugin[Callable[..., object]]:
    word, rest = _split(spec)
    if word in names(kind):
        return Plugin(word, _module(kind, word).open, rest)
    if name := _claiming(kind, spec):
        return Plugin(name, _module(kind, name).open, spec)
    raise _unknown(kind, spec)


def _claiming(kind: Kind, spec: str) -> str:
    """The name of the module that claims a spec without a word; empty if none does."""
    for name in names(kind):
        claims = getattr(_module(kind, name), "claims", None)
        if claims is not None and claims(spec):
            return name
    return ""


def _unknown(kind: Kind, spec: str) -> SpecError:
    """The error for a spec that no plug-in claims."""
    noun = NOUNS[kind]
    name, mark, option = spec.rpartition("?") if not is_file(spec) else (spec, "", "")
    if kind == "sinks" or not is_file(name):
        file = "; or give a video file, such as out.mp4" if kind == "sinks" else ""
        known = names(kind)
        hint = suggest(_split(spec)[0], known, f"there are: {', '.join(known)}{file}")
        return SpecError(f"no {noun} called {spec!r}", hint=hint)
    if mark and _claiming(kind, name):
        return SpecError(f"no option {option!r} for the file {name!r} as {noun}", hint="leave it out")
    return SpecError(f"the file {name!r} cannot be a {noun}", hint="save an image as JPEG or PNG, a video as MP4")


def _split(spec: str) -> tuple[str, str]:
    """The word, and what follows it: after ``:``, or options alone (``window?mirror=no``)."""
    word, rest = _WORD.split(spec, 1) if _WORD.search(spec) else (spec, "")
    return word, rest.removeprefix(":")


def _module(kind: Kind, name: str) -> ModuleType:
    return import_module(f"realtime_matte.{kind}.{name}")
