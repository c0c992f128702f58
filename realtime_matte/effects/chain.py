"""Effects: those that are on, in the order in which they act.

An effect is a module of this package with ``STAGE``, ``OPTIONS`` (the fields of Config that it reads), ``ORDER`` where
several of a stage may be on, and ``open(config, *, size)``, which returns it, or None if it is off. What is off is not
called and holds no buffer. The stages:

- ``view``: before the network, an ``interfaces.View``;
- ``framing``: which part of the matted frame is shown, an ``auto_frame.AutoFrame``;
- ``person``: on the person's colours, an ``interfaces.PersonEffect``;
- ``output``: after compositing, an ``interfaces.OutputEffect``.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal, TypeAlias

from realtime_matte import effects
from realtime_matte.config.config import Config
from realtime_matte.effects._samples import FrameSamples
from realtime_matte.effects.auto_frame import AutoFrame
from realtime_matte.errors import MatteError
from realtime_matte.frame import Alpha, Pixels, Size
from realtime_matte.interfaces import Area, DrawsOnPlanes, OutputEffect, PersonEffect, View
from realtime_matte.look import Look

Stage: TypeAlias = Literal["view", "framing", "person", "output"]


@cache
def modules() -> Sequence[ModuleType]:
    """The modules of all effects, in the order in which they act."""
    names = [found.name for found in iter_modules(effects.__path__) if not found.name.startswith("_")]
    found = [import_module(f"{effects.__name__}.{name}") for name in names]
    return sorted((module for module in found if hasattr(module, "STAGE")), key=lambda one: getattr(one, "ORDER", 0))


@cache
def option_names() -> frozenset[str]:
    """The fields of Config that effects read."""
    return frozenset(name for module in modules() for name in module.OPTIONS)


class Effects:
    """The effects of one pipeline. The pipeline's thread only.

    Raises:
        SpecError, MissingFile, BadFile: an overlay cannot be opened.
    """

    def __init__(self, config: Config, *, size: Size) -> None:
        self._config = config
        self._size = size
        self._open: dict[ModuleType, Any] = {}
        self.view: View | None = None
        self.framing: AutoFrame | None = None
        self.person: Sequence[PersonEffect] = ()
        self.outputs: Sequence[OutputEffect] = ()
        self.failures: Sequence[str] = ()
        self._look = Look()
        self._reopen(modules())

    @property
    def values(self) -> Mapping[str, object]:
        """The present value of each option of an effect."""
        return {name: getattr(self._config, name) for name in sorted(option_names())}

    @property
    def rotate(self) -> int:
        """By how many degrees the camera's image is turned."""
        return int(self._config.rotate)

    @property
    def area(self) -> Area | None:
        """The part of the output that may show the camera; None: all of it."""
        return self.view.area if self.view else None

    @property
    def needs_bgr(self) -> bool:
        """True if composites have to be BGR images, since effects change them; overlays are drawn on planes too."""
        drawn = any(not isinstance(effect, DrawsOnPlanes) for effect in self.outputs)
        return bool(self.person or self.view or self.framing or drawn)

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user about the effects that are on."""
        return [*(notice for effect in self.outputs for notice in effect.notices), *self.failures]

    def change(self, name: str, value: object) -> bool:
        """Change an option of effects. Returns whether the frames look different to the network: a new shot begins.

        Raises:
            SpecError, MissingFile, BadFile: the value cannot be used; nothing changed.
        """
        before = self._config
        self._config = before.replace(**{name: value})
        changed = [module for module in modules() if name in module.OPTIONS]
        try:
            self._reopen(changed)
        except BaseException:
            self._config = before
            raise
        return any(module.STAGE == "view" for module in changed)

    def set_size(self, size: Size) -> None:
        """Open every effect for another size of the output frames.

        Raises:
            SpecError, MissingFile, BadFile: an overlay cannot be opened; nothing changed.
        """
        before, self._size = self._size, size
        try:
            self._reopen(modules())
        except BaseException:
            self._size = before
            raise

    def look(self, time: float, pixels: Pixels, alpha: Alpha, background: Pixels | None) -> Look:
        """What all effects on the person's colours change of a frame; overwritten by the next call.

        Args:
            time: Of the frame.
            pixels: Its colours, of any size.
            alpha: Its alpha, of any size.
            background: What will be behind the person; None: the output has alpha, or the camera's own is shown.
        """
        samples = FrameSamples(time, pixels, alpha, background)
        self._look.clear()
        for effect in self.person:
            effect.apply(samples, self._look)
        return self._look

    def draw(self, image: Pixels, time: float) -> None:
        """Draw the effects on a composite. One that fails is off from then on: the notices say so."""
        for effect in self.outputs:
            try:
                if image.ndim == 2 and isinstance(effect, DrawsOnPlanes):  # noqa: PLR2004 - planes
                    effect.draw_planes(image, time)
                else:
                    effect.draw(image, time)
            except MatteError as error:
                self.outputs = [other for other in self.outputs if other is not effect]
                self.failures = (*self.failures, f"an overlay is switched off: {error}")

    def reset(self) -> None:
        """The next frame starts a new shot."""
        for effect in self.person:
            effect.reset()
        if self.framing:
            self.framing.reset()

    def _reopen(self, changed: Sequence[ModuleType]) -> None:
        """Open these effects; those that were open are replaced only when all of them can be opened."""
        opened = {module: module.open(self._config, size=self._size) for module in changed}
        self._open |= opened
        self.view = next(iter(self._of_stage("view")), None)
        self.framing = next(iter(self._of_stage("framing")), None)
        self.person = self._of_stage("person")
        self.outputs = self._of_stage("output")
        self.failures = ()

    def _of_stage(self, stage: Stage) -> Sequence[Any]:
        found = [self._open[module] for module in modules() if stage == module.STAGE and self._open[module]]
        return [effect for one in found for effect in (one if isinstance(one, list) else [one])]
