import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.scripted import Wall, wait_until

from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte, Size
from realtime_matte.interfaces import Fit, OpenBackground
from realtime_matte.pipeline.backgrounds import BackgroundSwitcher

NOBODY = Matte(np.zeros((4, 8), np.float32))


def missing(_rest: str, /, *, size: Size, fit: Fit) -> Wall:
    raise MissingFile(f"no picture for {size} {fit}")


def transparent(_rest: str, /, *, size: Size, fit: Fit) -> None:
    assert (size, fit) == ((8, 4), "cover")


def opened(*choices: str | OpenBackground, told: list[str] | None = None) -> BackgroundSwitcher:
    return BackgroundSwitcher(choices, size=(8, 4), fit="cover", notify=(told if told is not None else []).append)


def turned(backgrounds: BackgroundSwitcher) -> bool:
    backgrounds.next()
    return backgrounds.look(wait=True)


class Slow(Wall):
    """Opens when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_open = threading.Event(), threading.Event()

    def __call__(self, rest: str, /, *, size: Size, fit: Fit) -> Wall:
        self.asked.set()
        assert self.may_open.wait(30)
        return super().__call__(rest, size=size, fit=fit)


def test_the_first_one_is_shown_first() -> None:
    first, second = Wall(), Wall()
    backgrounds = opened(first, second)
    assert backgrounds.current is first
    assert not backgrounds.alpha


def test_next_goes_round_and_closes_the_one_before() -> None:
    first, second = Wall(), Wall()
    backgrounds = opened(first, second)
    turned(backgrounds)
    assert backgrounds.current is second
    assert first.closed == 1
    turned(backgrounds)
    assert backgrounds.current is first


def test_next_passes_over_what_cannot_be_opened_and_tells_it() -> None:
    told: list[str] = []
    first, third = Wall(), Wall()
    backgrounds = opened(first, missing, third, told=told)
    turned(backgrounds)
    assert backgrounds.current is third
    assert told == ["the background stays as it is: no picture for (8, 4) cover"]


def test_one_background_alone_stays() -> None:
    told: list[str] = []
    only = Wall()
    backgrounds = opened(only, told=told)
    turned(backgrounds)
    assert (backgrounds.current, only.closed) == (only, 0)
    assert told == ["there is no other background to go on to"]


def test_one_slideshow_alone_goes_on_by_itself() -> None:
    class Slides(Wall):
        steps = 0

        def next(self) -> None:
            self.steps += 1

    slides = Slides()
    backgrounds = opened(slides)
    turned(backgrounds)
    assert (slides.steps, slides.closed) == (1, 0)


def test_next_turns_the_page_of_a_folder(tmp_path: Path) -> None:
    for name, value in (("a.png", 10), ("b.png", 20), ("c.png", 30)):
        cv2.imwrite(str(tmp_path / name), np.full((4, 8, 3), value, np.uint8))
    backgrounds = opened(f"folder:{tmp_path}?seconds=9&fade=0")
    slides = backgrounds.current
    assert slides is not None

    def shown(time: float) -> int:
        return int(slides.image(Frame(np.zeros((4, 8, 3), np.uint8), time, 0), NOBODY)[0, 0, 0])

    assert shown(100.0) == 10
    turned(backgrounds)
    wait_until(lambda: shown(101.0) == 20)
    assert [shown(109.9), shown(110.1)] == [20, 30]
    backgrounds.close()


def test_a_slideshow_among_others_is_one_choice() -> None:
    class Slides(Wall):
        def next(self) -> None:
            raise AssertionError

    wall = Wall()
    backgrounds = opened(Slides(), wall)
    turned(backgrounds)
    assert backgrounds.current is wall


def test_specs_are_looked_up() -> None:
    with pytest.raises(SpecError, match="no background called 'beech'; there are: "):
        opened("beech")


def test_none_to_choose_is_an_error() -> None:
    with pytest.raises(SpecError, match="no background given; give one, such as 'blur' or 'none'"):
        opened()


def test_the_first_one_has_to_open() -> None:
    with pytest.raises(MissingFile):
        opened(missing)


def test_every_one_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(BadFile, match="is no picture that OpenCV can read"):
        opened("blur", str(tmp_path / "text.jpg"))
    with pytest.raises(SpecError, match=r"'blur' cannot be changed to while running: .*; leave it out"):
        opened("none", "blur")


def test_when_another_cannot_be_opened_the_first_one_is_closed() -> None:
    first = Wall()
    with pytest.raises(SpecError, match="no background called 'beech'"):
        opened(first, "beech")
    assert first.closed == 1


def test_no_background_at_all_means_alpha() -> None:
    backgrounds = opened(transparent)
    assert backgrounds.alpha
    assert backgrounds.current is None
    backgrounds.close()


def test_alpha_cannot_change_while_running() -> None:
    told: list[str] = []
    wall = Wall()
    backgrounds = opened(transparent, wall, told=told)
    turned(backgrounds)
    assert backgrounds.current is None
    assert wall.closed == 1
    assert "cannot be changed to while running: outputs keep alpha or they do not" in told[0]


def test_the_drawn_default_stands_in_for_one_that_failed() -> None:
    told: list[str] = []
    wall = Wall()
    backgrounds = opened(wall, told=told)
    backgrounds.replace_failed(BadFile("the clip ends here"))
    assert wall.closed == 1
    assert backgrounds.current not in {None, wall}
    assert told == ["the background failed, 'studio' stands in for it: the clip ends here"]


def test_when_the_default_itself_fails_there_is_nothing_left() -> None:
    backgrounds = opened("studio")
    with pytest.raises(BadFile, match="broken"):
        backgrounds.replace_failed(BadFile("broken"))


def test_a_failure_without_any_background_is_no_backgrounds_failure() -> None:
    with pytest.raises(BadFile, match="broken"):
        opened(transparent).replace_failed(BadFile("broken"))


def test_close_closes_the_one_that_is_open() -> None:
    wall = Wall()
    opened(wall).close()
    assert wall.closed == 1


def test_while_one_is_opened_the_one_before_stays() -> None:
    first, slow = Wall(), Slow()
    backgrounds = opened(first, slow)
    backgrounds.next()
    for _ in range(3):
        assert not backgrounds.look(wait=False)
    assert slow.asked.wait(30)
    assert (backgrounds.current, first.closed) == (first, 0)
    slow.may_open.set()
    assert backgrounds.look(wait=True)
    assert (backgrounds.current, first.closed) == (slow, 1)
    assert not backgrounds.look(wait=False)
    backgrounds.close()


def test_who_asks_twice_goes_on_two() -> None:
    first, slow, third = Wall(), Slow(), Wall()
    backgrounds = opened(first, slow, third)
    backgrounds.next()
    backgrounds.look(wait=False)
    backgrounds.next()
    slow.may_open.set()
    assert backgrounds.look(wait=True)
    assert (backgrounds.current, first.closed, slow.closed, third.closed) == (third, 1, 1, 0)


def test_one_that_is_given_twice_does_not_end_the_round() -> None:
    first, second, last = Wall(), Wall(), Wall()
    backgrounds = opened(first, second, first, last)
    shown = []
    for _ in range(4):
        turned(backgrounds)
        shown.append(backgrounds.current)
    assert shown == [second, first, last, first]


def test_one_used_in_between_does_not_change_what_comes_next() -> None:
    first, second, other = Wall(), Wall(), Wall()
    backgrounds = opened(first, second)
    backgrounds.use(other)
    assert backgrounds.look(wait=True)
    assert backgrounds.current is other
    assert turned(backgrounds)
    assert backgrounds.current is second


def test_what_breaks_while_one_is_opened_is_not_hidden() -> None:
    def broken(_rest: str, /, *, size: Size, fit: Fit) -> Wall:
        raise ZeroDivisionError(size, fit)

    backgrounds = opened(Wall(), broken)
    backgrounds.next()
    with pytest.raises(ZeroDivisionError):
        backgrounds.look(wait=True)
    backgrounds.close()


def test_one_that_is_open_too_late_is_closed() -> None:
    slow = Slow()
    backgrounds = opened(Wall(), slow)
    backgrounds.next()
    backgrounds.look(wait=False)
    assert slow.asked.wait(30)
    backgrounds.close()  # does not wait for it
    assert slow.closed == 0
    slow.may_open.set()
    wait_until(lambda: slow.closed == 1)
