"""A spec's word is a module's name: ``camera:0`` is ``realtime_matte.sources.camera.open("0")``.

Modules are imported on use. A spec without a word goes to the one module whose ``claims(spec)`` says yes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Generic, Literal, TypeAlias, TypeVar, cast

from realtime_matte.errors import SpecError
from realtime_matte.interfaces import OpenBackground, OpenSink, OpenSource
from realtime_matte.paths import is_file

Kind: TypeAlias = Literal["sources", "backgrounds", "sinks"]

Opener = TypeVar("Opener")

_WORD = re.compile(r"(?=[:?])")

NOUNS: dict[Kind, str] = {"sources": "source", "backgrounds": "background", "sinks": "output"}


@dataclass(frozen=True, slots=True)
class Plugin(Generic[Opener]):
    """A spec taken apart: the module's name, its ``open``, and the rest of the spec to call it with."""

    name: str
    open: Opener
    rest: str


def names(kind: Kind) -> list[str]:
    """Every plug-in of a kind, in alphabetical order."""
    package = import_module(f"realtime_matte.{kind}")
    return sorted(module.name for module in iter_modules(package.__path__) if not module.name.startswith("_"))


def source(spec: str) -> Plugin[OpenSource]:
    """The source a spec names. Raises SpecError."""
    return cast("Plugin[OpenSource]", _find("sources", spec))


def background(spec: str) -> Plugin[OpenBackground]:
    """The background a spec names. Raises SpecError."""
    return cast("Plugin[OpenBackground]", _find("backgrounds", spec))


def sink(spec: str) -> Plugin[OpenSink]:
    """The output a spec names. Raises SpecError."""
    return cast("Plugin[OpenSink]", _find("sinks", spec))


def without_word(spec: str) -> str:
    """What follows a plug-in's word, of whatever kind; all of it where there is none."""
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
    """The module that claims a spec without a word; empty where none does."""
    for name in names(kind):
        claims = getattr(_module(kind, name), "claims", None)
        if claims is not None and claims(spec):
            return name
    return ""


def _unknown(kind: Kind, spec: str) -> SpecError:
    """What to tell of a spec that nobody claims."""
    noun = NOUNS[kind]
    name, mark, option = spec.rpartition("?") if not is_file(spec) else (spec, "", "")
    if kind == "sinks" or not is_file(name):
        file = "; or name a video file, such as out.mp4" if kind == "sinks" else ""
        return SpecError(f"no {noun} called {spec!r}", hint=f"there are: {', '.join(names(kind))}{file}")
    if mark and _claiming(kind, name):
        return SpecError(f"no option {option!r} for the file {name!r} as {noun}", hint="leave it out")
    return SpecError(f"no {noun} can be made of the file {name!r}", hint="save a picture as JPEG or PNG, a film as MP4")


def _split(spec: str) -> tuple[str, str]:
    """The word and what follows it: behind ``:``, or options alone (``window?mirror=no``)."""
    word, rest = _WORD.split(spec, 1) if _WORD.search(spec) else (spec, "")
    return word, rest.removeprefix(":")


def _module(kind: Kind, name: str) -> ModuleType:
    return import_module(f"realtime_matte.{kind}.{name}")
