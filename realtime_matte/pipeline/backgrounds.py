"""Background switcher: the user's choices and the current one."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final

from realtime_matte import plugins
from realtime_matte.errors import MatteError, SpecError, masked
from realtime_matte.frame import Size
from realtime_matte.interfaces import Background, Fit, HasNotices, ImageSeries, OpenBackground, RealTimeBackground
from realtime_matte.pipeline.commands import ENDED, Reply, refuse
from realtime_matte.pipeline.loading import close_result, start_thread

DEFAULT = "studio"
"""Drawn by the program, so it is always available."""

NO_OTHER: Final = "there is no other background to switch to"


@dataclass(frozen=True, slots=True)
class OpenChoice:
    """A choice that is open.

    Attributes:
        choice: The choice.
        position: Among all choices.
        background: None if output frames carry alpha.
        size: (width, height) for which it was opened.
        fit: How it fills that.
    """

    choice: str | OpenBackground
    position: int
    background: Background | None
    size: Size
    fit: Fit

    def close(self) -> None:
        """Close the background, which is no longer needed."""
        if self.background:
            self.background.close()


@dataclass(frozen=True, slots=True)
class OpenResult:
    """The background that the thread opened, or ``error``, and the messages to report."""

    opened: OpenChoice | None
    notices: Sequence[str]
    error: MatteError | None = None

    def close(self) -> None:
        """Close the background, which is no longer needed."""
        if self.opened:
            self.opened.close()


@dataclass(frozen=True, slots=True)
class Request:
    """A switch that waits. ``replaceable``: a later one replaces it."""

    open: Callable[[], OpenResult]
    reply: Reply
    replaceable: bool


class BackgroundSwitcher:
    """Shows one of ``choices`` (specs, or ``open`` callables) at a time, beginning with the first.

    Opening an image takes longer than a frame may take, so later choices are opened in a separate thread.
    Closing does not wait for it: a disconnected drive may block it forever.

    Raises:
        SpecError, MissingFile, BadFile: a choice cannot be opened, or there is none.
    """

    def __init__(
        self, choices: Sequence[str | OpenBackground], *, size: Size, fit: Fit, notify: Callable[[str], None]
    ) -> None:
        if not choices:
            raise SpecError("no background given", hint="give one, such as 'blur' or 'none'")
        self._choices = list(choices)
        self._position = 0
        self._size = size
        self._fit = fit
        self._notify = notify
        self._requests: deque[Request] = deque()
        self._opening: Future[OpenResult] | None = None
        self._real_time = False
        self._request: Request  # whose background is being opened
        self._shown = self._choices[0]
        self.current = self._open(self._shown, size, fit)
        self._alpha = self.current is None
        try:
            self._check_others()
        except BaseException:
            self.close()
            raise

    @property
    def alpha(self) -> bool:
        """True if output frames carry alpha instead of a background; constant for the whole run."""
        return self._alpha

    @property
    def notices(self) -> Sequence[str]:
        """Messages to the user about the current background's file."""
        return self.current.notices if isinstance(self.current, HasNotices) else ()

    def set_real_time(self, *, real_time: bool) -> None:
        """Set whether outputs are watched live, for this background and later ones. Called before the first frame."""
        self._real_time = real_time
        if isinstance(self.current, RealTimeBackground):
            self.current.set_real_time(real_time=real_time)

    @property
    def choices(self) -> Sequence[str]:
        """Names of all choices."""
        return [_name(choice) for choice in self._choices]

    @property
    def shown(self) -> str:
        """Name of the current choice."""
        return _name(self._shown)

    def next(self, reply: Reply | None = None) -> None:
        """Request the next choice that can be opened, and report the others; a single series shows its next image."""
        reply = reply or Future()
        if len(self._choices) == 1 and isinstance(self.current, ImageSeries):
            self.current.next()
            reply.set_result(None)
        else:
            self._requests.append(Request(self._open_next, reply, replaceable=False))

    def use(self, choice: str | OpenBackground, reply: Reply | None = None) -> None:
        """Request ``choice``; replaces earlier requests that wait.

        If it cannot be opened, that is reported and the error of ``reply``, and the current one stays.
        """
        for request in [request for request in self._requests if request.replaceable]:
            self._requests.remove(request)
            request.reply.set_result(None)
        position = self._choices.index(choice) if choice in self._choices else self._position
        open_choice = partial(self._open_first, [(position, choice)])
        self._requests.append(Request(open_choice, reply or Future(), replaceable=True))

    def set_fit(self, fit: Fit, reply: Reply) -> None:
        """Request that the current choice, and later ones, fill the output in another way."""
        self._requests.append(Request(partial(self._open_fit, fit), reply, replaceable=False))

    @property
    def fit(self) -> Fit:
        """How images of another aspect ratio fill the output."""
        return self._fit

    def open_for(self, size: Size) -> OpenChoice:
        """The current choice, opened for another size of the output. Called in another thread. Raises MatteError."""
        choice, fit = self._shown, self._fit
        return OpenChoice(choice, self._position, self._open(choice, size, fit), size, fit)

    def use_size(self, opened: OpenChoice) -> None:
        """Show what ``open_for`` opened, and open all later choices for that size.

        If another one was switched to in between, what the user has left is not shown again, such as their own room:
        the drawn default is, until the other one is open in that size.
        """
        newest = self._shown
        if newest == opened.choice or self.alpha:
            self._size = opened.size
            self._show(opened)
            return
        default = self._open_compatible(DEFAULT, opened.size, self._fit)
        opened.close()
        self._size = opened.size
        self._show(OpenChoice(DEFAULT, self._position, default, opened.size, self._fit))
        requests = [*self._requests, *([self._request] if self._opening else [])]
        if not any(request.replaceable for request in requests):  # else the user has chosen again
            open_newest = partial(self._open_first, [(self._position, newest)])
            self._requests.appendleft(Request(open_newest, Future(), replaceable=True))

    @property
    def specs(self) -> Sequence[str]:
        """The specs of all choices and of the current one."""
        return [choice for choice in [*self._choices, self._shown] if isinstance(choice, str)]

    def update(self, *, wait: bool) -> bool:
        """Switch to the requested background if it is open; True if ``current`` changed. ``wait``: block until then.

        Raises:
            Exception: an error of the thread, except an invalid choice.
        """
        changed = False
        while self._opening or self._requests:
            if not self._opening:
                self._request = self._requests.popleft()
                self._opening, _ = start_thread(self._request.open, name="background", daemon=True)
            if not wait and not self._opening.done():
                break
            future, self._opening = self._opening, None
            result, reply = _result(future), self._request.reply
            if result.opened and result.opened.size != self._size:  # the output has changed since
                result.close()
                self._requests.appendleft(self._request)
                continue
            for notice in result.notices:
                self._notify(notice)
            if result.opened:
                self._show(result.opened)
                changed = True
            if result.error:
                refuse(reply, result.error)
            elif not reply.done():
                reply.set_result(None)
        return changed

    def replace_failed(self, error: MatteError) -> None:
        """Replace a background that failed with the drawn default.

        Raises:
            MatteError: ``error``, if it is the default that failed, or there is no background.
        """
        if self.current is None or self._shown == DEFAULT:
            raise error
        background = self._open_compatible(DEFAULT, self._size, self._fit)
        self._show(OpenChoice(DEFAULT, self._position, background, self._size, self._fit))
        self._notify(f"the background failed and is replaced by {DEFAULT!r}: {error}")

    def close(self) -> None:
        """Close the current background, and one that is still being opened as soon as it is open."""
        if self._opening:
            self._opening.add_done_callback(close_result)
            refuse(self._request.reply, MatteError(ENDED))
        for request in self._requests:
            refuse(request.reply, MatteError(ENDED))
        if self.current:
            self.current.close()

    def _check_others(self) -> None:
        """Open and close the other specs: errors are reported at the start, not in the middle of a call."""
        for choice in self._choices[1:]:
            if isinstance(choice, str) and (background := self._open_compatible(choice, self._size, self._fit)):
                background.close()

    def _show(self, opened: OpenChoice) -> None:
        if self.current:
            self.current.close()
        self.current, self._shown, self._position = opened.background, opened.choice, opened.position
        self._fit = opened.fit

    def _open_next(self) -> OpenResult:
        positions = [*range(self._position + 1, len(self._choices)), *range(self._position)]
        if self._shown != self._choices[self._position]:  # after ``use``: the choice it replaced is another one too
            positions.append(self._position)
        result = self._open_first([(position, self._choices[position]) for position in positions])
        if result.opened:
            return result
        return OpenResult(None, [*result.notices, NO_OTHER], SpecError(NO_OTHER, hint="give several with --bg"))

    def _open_fit(self, fit: Fit) -> OpenResult:
        return self._open_first([(self._position, self._shown)], fit)

    def _open_first(
        self, choices: Sequence[tuple[int, str | OpenBackground]], new_fit: Fit | None = None
    ) -> OpenResult:
        """The first choice that can be opened, and notices of those before it."""
        size, fit = self._size, new_fit or self._fit
        notices: list[str] = []
        last_error: MatteError | None = None
        for position, choice in choices:
            try:
                background = self._open_compatible(choice, size, fit)
                return OpenResult(OpenChoice(choice, position, background, size, fit), notices)
            except MatteError as error:
                last_error = error
                notices.append(f"the background is unchanged: {error}")
        return OpenResult(None, notices, last_error)

    def _open_compatible(self, choice: str | OpenBackground, size: Size, fit: Fit) -> Background | None:
        """The choice, open. Raises SpecError if it would turn alpha on or off."""
        background = self._open(choice, size, fit)
        if (background is None) != self._alpha:
            if background:
                background.close()
            raise SpecError(
                f"cannot switch to {choice!r} while running: outputs keep alpha or they do not", hint="leave it out"
            )
        return background

    def _open(self, choice: str | OpenBackground, size: Size, fit: Fit) -> Background | None:
        if isinstance(choice, str):
            plugin = plugins.background(choice)
            background = plugin.open(plugin.rest, size=size, fit=fit)
        else:
            background = choice("", size=size, fit=fit)
        if isinstance(background, RealTimeBackground):
            background.set_real_time(real_time=self._real_time)
        return background


def _result(future: Future[OpenResult]) -> OpenResult:
    try:
        return future.result()
    except MatteError as error:  # of the system
        return OpenResult(None, [f"the background is unchanged: {error}"], error)


def _name(choice: str | OpenBackground) -> str:
    return masked(choice) if isinstance(choice, str) else str(getattr(choice, "__name__", "custom"))
