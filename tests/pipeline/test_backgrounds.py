import threading
from concurrent.futures import Future
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.scripted import SolidBackground, wait_until

from realtime_matte.errors import BadFile, MatteError, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte, Size
from realtime_matte.interfaces import Fit, OpenBackground
from realtime_matte.pipeline.backgrounds import NO_OTHER, BackgroundSwitcher

NO_PERSON = Matte(np.zeros((4, 8), np.float32))


def missing(_rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
    raise MissingFile(f"no image for {size} {fit}")


def transparent(_rest: str, /, *, size: Size, fit: Fit) -> None:
    assert (size, fit) == ((8, 4), "cover")


def opened(*choices: str | OpenBackground, reported: list[str] | None = None) -> BackgroundSwitcher:
    return BackgroundSwitcher(
        choices, size=(8, 4), fit="cover", notify=(reported if reported is not None else []).append
    )


def next_shown(backgrounds: BackgroundSwitcher) -> bool:
    backgrounds.next()
    return backgrounds.update(wait=True)


class SlowBackground(SolidBackground):
    """Opens when ``may_open`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.requested, self.may_open = threading.Event(), threading.Event()

    def __call__(self, rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        self.requested.set()
        assert self.may_open.wait(30)
        return super().__call__(rest, size=size, fit=fit)


def test_a_background_that_was_left_while_the_size_changed_is_not_shown_again() -> None:
    """Such as the user's own room; the drawn default is shown until the other one is open in the new size."""
    room, other = SolidBackground(), SolidBackground()
    backgrounds = opened(room, other)
    larger = backgrounds.open_for((16, 8))
    next_shown(backgrounds)
    assert backgrounds.current is other
    backgrounds.use_size(larger)
    assert (backgrounds.shown, larger.background) == ("studio", room)
    assert backgrounds.current is not None
    assert backgrounds.current.image(Frame(np.zeros((8, 16, 3), np.uint8), 0.0, 0), NO_PERSON).shape == (8, 16, 3)
    assert backgrounds.update(wait=True)
    assert backgrounds.current is other


def test_the_newest_choice_counts_while_the_size_changes() -> None:
    first, second, third = SolidBackground(), SolidBackground(), SlowBackground()
    backgrounds = opened(first, second)
    larger = backgrounds.open_for((16, 8))
    next_shown(backgrounds)
    replies = [Future[object](), Future[object]()]
    backgrounds.use(third, replies[0])
    backgrounds.update(wait=False)
    assert third.requested.wait(30)
    backgrounds.use_size(larger)
    third.may_open.set()
    backgrounds.update(wait=True)
    assert backgrounds.current is third


def test_the_first_choice_is_shown_first() -> None:
    first, second = SolidBackground(), SolidBackground()
    backgrounds = opened(first, second)
    assert backgrounds.current is first
    assert not backgrounds.alpha


def test_next_cycles_and_closes_the_previous_one() -> None:
    first, second = SolidBackground(), SolidBackground()
    backgrounds = opened(first, second)
    next_shown(backgrounds)
    assert backgrounds.current is second
    assert first.closed == 1
    next_shown(backgrounds)
    assert backgrounds.current is first


def test_next_skips_and_reports_what_cannot_be_opened() -> None:
    reported: list[str] = []
    first, third = SolidBackground(), SolidBackground()
    backgrounds = opened(first, missing, third, reported=reported)
    next_shown(backgrounds)
    assert backgrounds.current is third
    assert reported == ["the background is unchanged: no image for (8, 4) cover"]


def test_a_single_background_stays() -> None:
    reported: list[str] = []
    only = SolidBackground()
    backgrounds = opened(only, reported=reported)
    next_shown(backgrounds)
    assert (backgrounds.current, only.closed) == (only, 0)
    assert reported == ["there is no other background to switch to"]


def test_next_advances_a_single_series() -> None:
    class Slides(SolidBackground):
        steps = 0

        def next(self) -> None:
            self.steps += 1

    slides = Slides()
    backgrounds = opened(slides)
    next_shown(backgrounds)
    assert (slides.steps, slides.closed) == (1, 0)


def test_next_advances_a_folder(tmp_path: Path) -> None:
    for name, value in (("a.png", 10), ("b.png", 20), ("c.png", 30)):
        cv2.imwrite(str(tmp_path / name), np.full((4, 8, 3), value, np.uint8))
    backgrounds = opened(f"folder:{tmp_path}?seconds=9&fade=0")
    slides = backgrounds.current
    assert slides is not None

    def shown(time: float) -> int:
        return int(slides.image(Frame(np.zeros((4, 8, 3), np.uint8), time, 0), NO_PERSON)[0, 0, 0])

    assert shown(100.0) == 10
    next_shown(backgrounds)
    wait_until(lambda: shown(101.0) == 20)
    assert [shown(109.9), shown(110.1)] == [20, 30]
    backgrounds.close()


def test_a_series_among_others_is_one_choice() -> None:
    class Slides(SolidBackground):
        def next(self) -> None:
            raise AssertionError

    background = SolidBackground()
    backgrounds = opened(Slides(), background)
    next_shown(backgrounds)
    assert backgrounds.current is background


def test_an_unknown_spec_is_an_error() -> None:
    with pytest.raises(SpecError, match=r"no background called 'beech'; did you mean beach[?] there are: "):
        opened("beech")


def test_no_choice_is_an_error() -> None:
    with pytest.raises(SpecError, match="no background given; give one, such as 'blur' or 'none'"):
        opened()


def test_a_first_choice_that_cannot_be_opened_is_an_error() -> None:
    with pytest.raises(MissingFile):
        opened(missing)


def test_every_spec_is_checked_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not an image")
    with pytest.raises(BadFile, match="is a text or web page, not an image"):
        opened("blur", str(tmp_path / "text.jpg"))
    with pytest.raises(SpecError, match=r"cannot switch to 'blur' while running: .*; leave it out"):
        opened("none", "blur")


def test_the_first_choice_is_closed_if_another_cannot_be_opened() -> None:
    first = SolidBackground()
    with pytest.raises(SpecError, match="no background called 'beech'"):
        opened(first, "beech")
    assert first.closed == 1


def test_no_background_means_alpha() -> None:
    backgrounds = opened(transparent)
    assert backgrounds.alpha
    assert backgrounds.current is None
    backgrounds.close()


def test_alpha_cannot_change_while_running() -> None:
    reported: list[str] = []
    background = SolidBackground()
    backgrounds = opened(transparent, background, reported=reported)
    next_shown(backgrounds)
    assert backgrounds.current is None
    assert background.closed == 1
    assert "while running: outputs keep alpha or they do not" in reported[0]


def test_a_failed_background_is_replaced_by_the_default() -> None:
    reported: list[str] = []
    background = SolidBackground()
    backgrounds = opened(background, reported=reported)
    backgrounds.replace_failed(BadFile("the clip ends here"))
    assert background.closed == 1
    assert backgrounds.current not in {None, background}
    assert reported == ["the background failed and is replaced by 'studio': the clip ends here"]


def test_a_failed_default_is_an_error() -> None:
    backgrounds = opened("studio")
    with pytest.raises(BadFile, match="broken"):
        backgrounds.replace_failed(BadFile("broken"))


def test_a_failure_without_a_background_is_an_error() -> None:
    with pytest.raises(BadFile, match="broken"):
        opened(transparent).replace_failed(BadFile("broken"))


def test_close_closes_the_current_background() -> None:
    background = SolidBackground()
    opened(background).close()
    assert background.closed == 1


def test_the_current_background_stays_while_another_is_opened() -> None:
    first, slow = SolidBackground(), SlowBackground()
    backgrounds = opened(first, slow)
    backgrounds.next()
    for _ in range(3):
        assert not backgrounds.update(wait=False)
    assert slow.requested.wait(30)
    assert (backgrounds.current, first.closed) == (first, 0)
    slow.may_open.set()
    assert backgrounds.update(wait=True)
    assert (backgrounds.current, first.closed) == (slow, 1)
    assert not backgrounds.update(wait=False)
    backgrounds.close()


def test_two_requests_advance_by_two() -> None:
    first, slow, third = SolidBackground(), SlowBackground(), SolidBackground()
    backgrounds = opened(first, slow, third)
    backgrounds.next()
    backgrounds.update(wait=False)
    backgrounds.next()
    slow.may_open.set()
    assert backgrounds.update(wait=True)
    assert (backgrounds.current, first.closed, slow.closed, third.closed) == (third, 1, 1, 0)


def test_a_choice_given_twice_does_not_end_the_cycle() -> None:
    first, second, last = SolidBackground(), SolidBackground(), SolidBackground()
    backgrounds = opened(first, second, first, last)
    shown = []
    for _ in range(4):
        next_shown(backgrounds)
        shown.append(backgrounds.current)
    assert shown == [second, first, last, first]


def test_use_does_not_change_which_choice_is_next() -> None:
    first, second, other = SolidBackground(), SolidBackground(), SolidBackground()
    backgrounds = opened(first, second)
    backgrounds.use(other)
    assert backgrounds.update(wait=True)
    assert backgrounds.current is other
    assert next_shown(backgrounds)
    assert backgrounds.current is second


def test_next_returns_from_another_background_to_the_only_choice() -> None:
    reported: list[str] = []
    backgrounds = opened("studio", reported=reported)
    backgrounds.use(SolidBackground())
    assert backgrounds.update(wait=True)
    assert next_shown(backgrounds)
    assert (backgrounds.shown, reported) == ("studio", [])
    assert not next_shown(backgrounds)
    assert reported == [NO_OTHER]


def test_next_after_a_choice_that_was_used_is_the_one_behind_it() -> None:
    backgrounds = opened("studio", "beach", "green")
    backgrounds.use("beach")
    assert backgrounds.update(wait=True)
    assert next_shown(backgrounds)
    assert backgrounds.shown == "green"


def test_an_unexpected_error_while_opening_is_raised() -> None:
    def broken(_rest: str, /, *, size: Size, fit: Fit) -> SolidBackground:
        raise ZeroDivisionError(size, fit)

    backgrounds = opened(SolidBackground(), broken)
    backgrounds.next()
    with pytest.raises(ZeroDivisionError):
        backgrounds.update(wait=True)
    backgrounds.close()


def test_what_the_system_refuses_leaves_the_background() -> None:
    def full(_rest: str, /, **_options: object) -> SolidBackground:
        raise OSError(24, "Too many open files")

    first, reported, reply = SolidBackground(), list[str](), Future[object]()
    switcher = BackgroundSwitcher(
        [lambda *_args, **_options: first], size=(64, 36), fit="cover", notify=reported.append
    )
    switcher.use(full, reply)
    assert not switcher.update(wait=True)
    assert switcher.current is first
    assert isinstance(reply.exception(), MatteError)
    assert "Too many open files" in reported[0]


def test_a_background_that_opens_after_close_is_closed() -> None:
    slow = SlowBackground()
    backgrounds = opened(SolidBackground(), slow)
    backgrounds.next()
    backgrounds.update(wait=False)
    assert slow.requested.wait(30)
    backgrounds.close()  # does not wait for it
    assert slow.closed == 0
    slow.may_open.set()
    wait_until(lambda: slow.closed == 1)
