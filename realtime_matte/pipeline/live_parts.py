"""Changes of camera, size, outputs and standby card while the pipeline runs; no virtual camera is closed for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, cast

from realtime_matte.errors import MatteError, SpecError, masked
from realtime_matte.frame import Size
from realtime_matte.interfaces import Fit, HasReaders, OpenSink, Source
from realtime_matte.media.image import LoadedImage, load
from realtime_matte.paths import named
from realtime_matte.pipeline import standby
from realtime_matte.pipeline.backgrounds import OpenChoice
from realtime_matte.pipeline.builder import Choices, Parts
from realtime_matte.pipeline.commands import Command, CommandQueue, Reply, refuse
from realtime_matte.pipeline.on_demand import open_readers
from realtime_matte.pipeline.output_opening import change_outputs
from realtime_matte.pipeline.slow_changes import SlowChange, SlowChanges
from realtime_matte.pipeline.source_switcher import OpenedSource, SourceChoice

KEYS: Final = ("camera", "size", "fps", "fit", "output", "card", "on_demand")
"""The options that are changed here."""

NOT_A_CAMERA: Final = "on demand needs a camera, and this source is a file"


class Closable(Protocol):
    """What is opened for a change."""

    def close(self) -> None:
        """Close it: it is not needed."""


@dataclass(frozen=True, slots=True)
class OpenedInput:
    """Another source, and the background in its size if that is another one."""

    source: OpenedSource
    size: Size
    background: OpenChoice | None

    def close(self) -> None:
        """Close both, which are no longer needed."""
        self.source.close()
        if self.background:
            self.background.close()


@dataclass(frozen=True, slots=True)
class OpenedCard:
    """Another image of the standby card; None for the drawn one."""

    name: str | None
    image: LoadedImage | None

    def close(self) -> None:
        """Nothing is open."""


class LiveParts:
    """Changes the parts that take time to open. The pipeline's thread only.

    Args:
        parts: The parts.
        choices: The options that they were opened with.
        commands: Other threads pause the camera through it.
        remake: Makes the renderer again, for the present size of the output.
        notify: Gets each refused change.
    """

    def __init__(
        self,
        parts: Parts,
        choices: Choices,
        *,
        commands: CommandQueue,
        remake: Callable[[], None],
        notify: Callable[[str], None],
    ) -> None:
        self._parts = parts
        self._commands = commands
        self._remake = remake
        self._notify = notify
        self._model = choices.model
        self._outputs: Sequence[str | OpenSink] = choices.outputs
        self._card = choices.config.card
        # Not waited for at the end of the program: a camera or a drive may never respond.
        self._inputs = SlowChanges[OpenedInput](daemon=True)
        self._cards = SlowChanges[OpenedCard](daemon=True)

    @property
    def values(self) -> Mapping[str, object]:
        """The present value of each of KEYS."""
        choice = self._parts.capture.choice
        return {
            "camera": _shown(choice.source),
            "size": choice.size,
            "fps": choice.fps,
            "fit": self._parts.backgrounds.fit,
            "output": tuple(_shown(output) for output in self._outputs),
            "card": self._card,
            "on_demand": self._parts.on_demand.enabled,
        }

    @property
    def busy(self) -> bool:
        """True while another camera, or the same one in another mode, is opened."""
        return self._inputs.busy

    def change(self, command: Command, reply: Reply) -> None:
        """Run a parsed command for one of KEYS; sets the reply when it is done or refused."""
        if command.key in {"camera", "size", "fps"}:
            self._change_input(command, reply)
        elif command.key == "fit":
            self._parts.backgrounds.set_fit(cast("Fit", command.value), reply)
        elif command.key == "card":
            self._change_card(cast("str | None", command.value), reply)
        else:
            try:
                if command.key == "output":
                    self._change_outputs(cast("str | OpenSink | Sequence[str | OpenSink]", command.value))
                else:
                    self._set_on_demand(enabled=bool(command.value))
            except MatteError as error:
                self._refuse(command.key, error)
                refuse(reply, error)
            else:
                reply.set_result(None)

    def update(self, *, wait: bool) -> None:
        """Continue what is opened in threads. ``wait``: until all of it is open."""
        self._inputs.update(wait=wait)
        self._cards.update(wait=wait)

    def close(self) -> None:
        """Refuse what is not open yet. Idempotent."""
        self._inputs.close()
        self._cards.close()

    # Camera, size and rate

    def _change_input(self, command: Command, reply: Reply) -> None:
        field = {"camera": "source"}.get(command.key, command.key)

        def begin() -> Callable[[], OpenedInput]:
            choice = replace(self._parts.capture.choice, **{field: command.value})  # type: ignore[arg-type]  # parsed
            return partial(self._open_input, choice, self._parts.capture.prepare(choice, self._commands))

        change = SlowChange(
            key=command.key,
            begin=begin,
            use=self._use_input,
            refused=partial(self._refuse_input, command.key),
            reply=reply,
        )
        self._inputs.put(change)

    def _open_input(self, choice: SourceChoice, open_source: Callable[[], OpenedSource]) -> OpenedInput:
        """In another thread. Raises MatteError."""
        source = open_source()
        try:
            self._require_camera(source.source)
            size = choice.size or source.source.size
            is_other = size != self._parts.outputs.format.size
            return OpenedInput(source, size, self._parts.backgrounds.open_for(size) if is_other else None)
        except BaseException:
            source.close()
            raise

    def _require_camera(self, source: Source) -> None:
        if self._parts.on_demand.enabled and not (source.live and source.frames is None):
            raise SpecError(NOT_A_CAMERA, hint="turn on-demand off first")

    def _use_input(self, opened: OpenedInput) -> None:
        parts = self._parts
        if opened.background:
            try:
                self._use_size(opened.size, opened.background)
            except MatteError:
                opened.close()
                raise
        parts.outputs.set_format(replace(parts.outputs.format, size=opened.size, fps=opened.source.source.fps))
        parts.capture.use(opened.source)
        parts.renderer.reset()
        if parts.orientation:
            parts.orientation.start_shot()

    def _use_size(self, size: Size, background: OpenChoice) -> None:
        """Render and show the card in another size. Raises MatteError of an effect; then nothing has changed."""
        parts = self._parts
        parts.effects.set_size(size)
        parts.fitter.set_size(size)
        parts.backgrounds.use_size(background)
        parts.renderer.background = parts.backgrounds.current
        parts.card.set_size(size)
        parts.outputs.set_format(replace(parts.outputs.format, size=size))
        self._remake()

    def _refuse_input(self, key: str, error: MatteError) -> None:
        self._parts.capture.keep()
        self._refuse(key, error)

    # Standby card

    def _change_card(self, name: str | None, reply: Reply) -> None:
        def open_card() -> OpenedCard:
            return OpenedCard(name, None if name is None else load(named(name)))

        def use(opened: OpenedCard) -> None:
            self._card = opened.name
            self._parts.card.set_image(opened.image)
            for notice in self._parts.card.notices:
                self._notify(notice)

        change = SlowChange(
            key="card", begin=lambda: open_card, use=use, refused=partial(self._refuse, "card"), reply=reply
        )
        self._cards.put(change)

    # Outputs

    def _change_outputs(self, value: str | OpenSink | Sequence[str | OpenSink]) -> None:
        choices = [value] if isinstance(value, str) or callable(value) else list(value)
        parts = self._parts
        if parts.on_demand.enabled:
            self._require_readers(choices)
        inputs = [parts.capture.choice.source, *parts.backgrounds.specs, self._card, self._model]
        card = parts.card.pixels(standby.STOPPED)
        change_outputs(parts.outputs, choices, inputs=inputs, live=parts.live, card=card)
        self._outputs = choices
        if parts.on_demand.enabled:
            parts.on_demand.enable(open_readers(parts.outputs.with_readers()))
        parts.backgrounds.set_real_time(real_time=parts.live)

    def _require_readers(self, choices: Sequence[str | OpenSink]) -> None:
        """Raise SpecError if no output would know its readers, so that the camera would stay off."""
        opened = self._parts.outputs.opened
        kept = [
            sink for sink, opened_as in opened.items() if opened_as.name in choices and isinstance(sink, HasReaders)
        ]
        opens_device = any(isinstance(choice, str) and choice.startswith("virtualcam") for choice in choices)
        if not kept and not opens_device:
            raise SpecError("on demand needs a virtual camera among the outputs", hint="turn on-demand off first")

    def _set_on_demand(self, *, enabled: bool) -> None:
        parts = self._parts
        if not enabled:
            parts.on_demand.disable()
        elif not parts.capture.is_camera:
            raise SpecError(NOT_A_CAMERA, hint="choose a camera first")
        elif not parts.on_demand.enabled:
            parts.on_demand.enable(open_readers(parts.outputs.with_readers()))

    def _refuse(self, key: str, error: MatteError) -> None:
        self._notify(f"{key.replace('_', '-')} is unchanged: {error}")


def _shown(choice: object) -> str:
    return masked(choice) if isinstance(choice, str) else str(getattr(choice, "__name__", "custom"))
