"""Supervisor: the pipeline that runs now, or the reason why there is none; opens it again on request."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from realtime_matte.config.config import Config, options
from realtime_matte.control.status import StatusReader
from realtime_matte.errors import MatteError, SourceError, SpecError, masked
from realtime_matte.interfaces import Action
from realtime_matte.pipeline.commands import TOGGLE, Command, Reply
from realtime_matte.pipeline.pipeline import Pipeline

POLL_S: Final = 0.1
"""How often the terminal's keys are read while there is no pipeline."""

RETRY_S: Final = 5.0
"""How often a camera that could not be opened is tried again; trying switches on no light."""

LOOK_S: Final = 1.0
"""How often it is checked whether a video device appeared."""

DEVICES: Final = Path("/dev")

SOURCE_ENDED: Final = "the source has ended"
STARTING: Final = "the pipeline is being opened"

WORDS: Final = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Current:
    """What runs now. All None: a pipeline is being opened.

    Attributes:
        pipeline: The open pipeline.
        reader: Reads its status.
        fault: Why there is no pipeline.
    """

    pipeline: Pipeline | None = None
    reader: StatusReader | None = None
    fault: MatteError | None = None


class Supervisor:
    """Runs one pipeline after another in the caller's thread, and stays alive while none can be opened.

    ``submit`` and the properties may be used from any thread, ``request`` also in a signal handler.

    Args:
        config: The options of the first pipeline.
        notify: Gets each fault as one line, and what pipelines report.
        open_pipeline: Replaced in tests.
        devices: The folder in which video devices appear.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        config: Config,
        *,
        notify: Callable[[str], None],
        open_pipeline: Callable[..., Pipeline] = Pipeline.open,
        devices: Path = DEVICES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notify = notify
        self._open_pipeline = open_pipeline
        self._devices = devices
        self._clock = clock
        self._config = config  # replaced under the lock: commands succeed in the pipeline's thread
        self._backgrounds = config.bg  # those that the user listed; what a page shows is added to them, one at a time
        self._lock = threading.Lock()
        self._opening = threading.Lock()  # held while devices are opened
        self._current = Current()  # replaced by the caller's thread
        self._wake: SimpleQueue[None] = SimpleQueue()  # put is reentrant, as a signal handler needs
        self._quit = False
        self._restart = False
        self._standby = False
        self._watched = False
        self._reported = ""

    @property
    def current(self) -> Current:
        """The pipeline that runs now, or the fault."""
        return self._current

    @property
    def quitting(self) -> bool:
        """True after a request to quit."""
        return self._quit

    @property
    def config(self) -> Config:
        """The options as they are now, with every change that was accepted."""
        with self._lock:
            config = self._config
        pipeline = self._current.pipeline
        return _with_present(config, pipeline.options) if pipeline else config

    @contextmanager
    def devices_free(self) -> Iterator[bool]:
        """No pipeline is opened until the end of the block. Yields whether there is none, so that devices are free."""
        with self._opening:
            yield self._current.pipeline is None

    def submit(self, command: Command) -> Reply:
        """Run a command of the pipeline, or ``restart`` or ``quit``. Any thread.

        Without a pipeline, options are kept for the next one, which is opened at once.

        Returns:
            As ``Pipeline.submit``.

        Raises:
            SpecError: There is no such command, or its value is invalid.
        """
        if command.key in {"quit", "restart"}:
            return self._end_pipeline(quits=command.key == "quit")
        pipeline = self._current.pipeline
        if pipeline is None:
            return self._submit_without_pipeline(command)
        reply = pipeline.submit(command)
        reply.add_done_callback(partial(self._record, command))
        return reply

    def request(self, action: Action) -> None:
        """Run a user's action; may be called in a signal handler."""
        if action == "quit":
            self._end_pipeline(quits=True)
        elif pipeline := self._current.pipeline:
            pipeline.submit(Command(action))
        elif action == "standby":
            self._standby = not self._standby

    def set_watched(self, *, watched: bool) -> None:
        """Whether somebody looks at the preview, which counts as a reader for ``--on-demand``."""
        self._watched = watched
        pipeline = self._current.pipeline
        if pipeline:
            pipeline.set_watched(watched)

    def keep(self, config: Config) -> None:
        """Keep options that the pipeline has already, for a later one and for what is saved."""
        with self._lock:
            self._config, self._backgrounds = config, config.bg

    def forget_background(self, spec: str) -> None:
        """Leave out a background that was deleted."""
        left = tuple(other for other in self._config.bg if other != spec)
        self.keep(self._config.replace(bg=left or None))

    def configure(self, config: Config) -> None:
        """Use other options, for which the pipeline is opened again."""
        self.keep(config)
        self._end_pipeline(quits=False)

    def run(self, show: Callable[[Pipeline], None], *, wait: Callable[[], None], stay: bool = True) -> None:
        """Run until the user quits. The caller's thread.

        Args:
            show: Runs an open pipeline until it ends.
            wait: Called every POLL_S while there is no pipeline.
            stay: Keep running without a pipeline. If False, its error or its end is that of the run.

        Raises:
            MatteError: A pipeline failed, and not ``stay``.
        """
        while not self._quit:
            self._restart = False
            try:
                self._run_once(show)
            except MatteError as error:
                if not stay:
                    raise
                self._wait(error, wait)
            else:
                if self._quit or self._restart:
                    continue
                if not stay:
                    return
                self._wait(MatteError(SOURCE_ENDED, hint="choose another camera, or start again"), wait)

    def _run_once(self, show: Callable[[Pipeline], None]) -> None:
        """Open a pipeline and run it. Raises MatteError."""
        with self._opening:
            pipeline = self._open_pipeline(config=self._config, notify=self._notify)
            self._reported = ""
        try:
            with pipeline:
                if self._standby:
                    pipeline.submit(Command("standby", value=True))  # runs before the first frame
                pipeline.set_watched(self._watched)
                self._current = Current(pipeline, StatusReader(pipeline))
                if not self._quit and not self._restart:  # requested while it was opened
                    self._show(pipeline, show)
                    self._quit = self._quit or (pipeline.source.phase != "ended" and not self._restart)
        finally:
            present = self.config
            with self._lock:
                self._config = present if not self._restart else self._config
            self._current = Current()

    def _show(self, pipeline: Pipeline, show: Callable[[Pipeline], None]) -> None:
        """Run it. If it fails, a later one is on standby too where this one was."""
        try:
            show(pipeline)
        finally:
            self._standby = pipeline.standby

    def _wait(self, error: MatteError, wait: Callable[[], None]) -> None:
        """Report the fault, and wait until it is worth trying again."""
        self._current = Current(fault=error)
        if str(error) != self._reported:
            self._reported = str(error)
            self._notify(self._reported)
        devices, start = self._video_devices(), self._clock()
        look_at = start + LOOK_S
        while not self._quit and not (isinstance(error, SourceError) and self._clock() >= start + RETRY_S):
            try:
                self._wake.get(timeout=POLL_S)
            except Empty:
                wait()
            else:  # the user wants to try again
                self._current = Current()
                return
            if self._clock() >= look_at:
                look_at = self._clock() + LOOK_S
                if self._video_devices() != devices:
                    return

    def _video_devices(self) -> frozenset[str]:
        return frozenset(path.name for path in self._devices.glob("video*"))

    def _end_pipeline(self, *, quits: bool) -> Reply:
        """End the pipeline that runs, to quit or to open another one, or the wait for one."""
        self._quit = self._quit or quits
        self._restart = not quits
        pipeline = self._current.pipeline
        if pipeline:
            return pipeline.submit(Command("quit"))
        self._wake.put(None)
        return _done()

    def _submit_without_pipeline(self, command: Command) -> Reply:
        key = command.key.replace("-", "_")
        if key == "standby":
            value = WORDS.get(command.value, command.value) if isinstance(command.value, str) else command.value
            self._standby = not self._standby if value in {None, TOGGLE} else bool(value)
        elif key in {option.name for option in options()}:
            with self._lock:
                self._config = self._config.replace(**{key: _switched(key, command.value)})
            self._wake.put(None)
        else:
            fault = self._current.fault
            raise fault or SpecError(STARTING, hint="try again in a moment")
        return _done()

    def _record(self, command: Command, reply: Reply) -> None:
        """Keep an accepted change for a later pipeline, and for what is saved."""
        key = command.key.replace("-", "_")
        if reply.cancelled() or reply.exception() or key not in {option.name for option in options()}:
            return
        with self._lock:
            value = _switched(key, command.value)
            if key == "bg" and isinstance(value, str):
                value = _shown_first(value, self._backgrounds)
            self._config = self._config.replace(**{key: value})


def _switched(key: str, value: object) -> object:
    """The value of an option, with the words of a switch as True or False."""
    kinds = {option.name: option.kind for option in options()}
    return WORDS.get(value, value) if kinds[key] == "switch" and isinstance(value, str) else value


def _with_present(config: Config, present: Mapping[str, object]) -> Config:
    """The options with the present values of a pipeline, which may have been changed by others.

    Passwords in URLs are masked there, so a value that differs only in that stays.
    """
    changes: dict[str, object] = {}
    for name, value in present.items():
        known = getattr(config, name, None)
        if name == "bg" and isinstance(known, tuple) and isinstance(value, str):
            if masked(known[0]) != value:
                changes["bg"] = _shown_first(value, known)
        elif isinstance(known, tuple) and isinstance(value, list | tuple) and name == "output":
            if tuple(map(masked, known)) != tuple(value):
                changes[name] = tuple(value)
        elif known != value and not (isinstance(known, str) and masked(known) == value):
            changes[name] = value
    names = {option.name for option in options()}
    return config.replace(**{name: value for name, value in changes.items() if name in names})


def _shown_first(shown: str, backgrounds: Sequence[str]) -> tuple[str, ...]:
    return (shown, *(other for other in backgrounds if other != shown and masked(other) != shown))


def _done() -> Reply:
    reply: Reply = Future()
    reply.set_result(None)
    return reply
