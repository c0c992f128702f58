import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from scripted import Wall, wait_until

from realtime_matte.errors import BadFile, MissingFile, SpecError
from realtime_matte.frame import Frame, Matte, Size
from realtime_matte.line.backdrops import Backdrops
from realtime_matte.stages import Fit, OpenBackground

NOBODY = Matte(np.zeros((4, 8), np.float32))


def missing(_rest: str, /, *, size: Size, fit: Fit) -> Wall:
    raise MissingFile(f"no picture for {size} {fit}")


def transparent(_rest: str, /, *, size: Size, fit: Fit) -> None:
    assert (size, fit) == ((8, 4), "cover")


def opened(*choices: str | OpenBackground, told: list[str] | None = None) -> Backdrops:
    return Backdrops(choices, size=(8, 4), fit="cover", tell=(told if told is not None else []).append)


def turned(backdrops: Backdrops) -> bool:
    backdrops.next()
    return backdrops.look(wait=True)


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
    backdrops = opened(first, second)
    assert backdrops.current is first
    assert not backdrops.alpha


def test_next_goes_round_and_closes_the_one_before() -> None:
    first, second = Wall(), Wall()
    backdrops = opened(first, second)
    turned(backdrops)
    assert backdrops.current is second
    assert first.closed == 1
    turned(backdrops)
    assert backdrops.current is first


def test_next_passes_over_what_cannot_be_opened_and_tells_it() -> None:
    told: list[str] = []
    first, third = Wall(), Wall()
    backdrops = opened(first, missing, third, told=told)
    turned(backdrops)
    assert backdrops.current is third
    assert told == ["the background stays as it is: no picture for (8, 4) cover"]


def test_one_background_alone_stays() -> None:
    told: list[str] = []
    only = Wall()
    backdrops = opened(only, told=told)
    turned(backdrops)
    assert (backdrops.current, only.closed) == (only, 0)
    assert told == ["there is no other background to go on to"]


def test_one_slideshow_alone_goes_on_by_itself() -> None:
    class Slides(Wall):
        steps = 0

        def next(self) -> None:
            self.steps += 1

    slides = Slides()
    backdrops = opened(slides)
    turned(backdrops)
    assert (slides.steps, slides.closed) == (1, 0)


def test_next_turns_the_page_of_a_folder(tmp_path: Path) -> None:
    for name, value in (("a.png", 10), ("b.png", 20), ("c.png", 30)):
        cv2.imwrite(str(tmp_path / name), np.full((4, 8, 3), value, np.uint8))
    backdrops = opened(f"folder:{tmp_path}?seconds=9&fade=0")
    slides = backdrops.current
    assert slides is not None

    def shown(time: float) -> int:
        return int(slides.picture(Frame(np.zeros((4, 8, 3), np.uint8), time, 0), NOBODY)[0, 0, 0])

    assert shown(100.0) == 10
    turned(backdrops)
    wait_until(lambda: shown(101.0) == 20)
    assert [shown(109.9), shown(110.1)] == [20, 30]
    backdrops.close()


def test_a_slideshow_among_others_is_one_choice() -> None:
    class Slides(Wall):
        def next(self) -> None:
            raise AssertionError

    wall = Wall()
    backdrops = opened(Slides(), wall)
    turned(backdrops)
    assert backdrops.current is wall


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
    backdrops = opened(transparent)
    assert backdrops.alpha
    assert backdrops.current is None
    backdrops.close()


def test_alpha_cannot_change_while_running() -> None:
    told: list[str] = []
    wall = Wall()
    backdrops = opened(transparent, wall, told=told)
    turned(backdrops)
    assert backdrops.current is None
    assert wall.closed == 1
    assert "cannot be changed to while running: outputs keep alpha or they do not" in told[0]


def test_the_drawn_default_stands_in_for_one_that_failed() -> None:
    told: list[str] = []
    wall = Wall()
    backdrops = opened(wall, told=told)
    backdrops.replace_failed(BadFile("the clip ends here"))
    assert wall.closed == 1
    assert backdrops.current not in {None, wall}
    assert told == ["the background failed, 'studio' stands in for it: the clip ends here"]


def test_when_the_default_itself_fails_there_is_nothing_left() -> None:
    backdrops = opened("studio")
    with pytest.raises(BadFile, match="broken"):
        backdrops.replace_failed(BadFile("broken"))


def test_a_failure_without_any_background_is_no_backgrounds_failure() -> None:
    with pytest.raises(BadFile, match="broken"):
        opened(transparent).replace_failed(BadFile("broken"))


def test_close_closes_the_one_that_is_open() -> None:
    wall = Wall()
    opened(wall).close()
    assert wall.closed == 1


def test_while_one_is_opened_the_one_before_stays() -> None:
    first, slow = Wall(), Slow()
    backdrops = opened(first, slow)
    backdrops.next()
    for _ in range(3):
        assert not backdrops.look(wait=False)
    assert slow.asked.wait(30)
    assert (backdrops.current, first.closed) == (first, 0)
    slow.may_open.set()
    assert backdrops.look(wait=True)
    assert (backdrops.current, first.closed) == (slow, 1)
    assert not backdrops.look(wait=False)
    backdrops.close()


def test_who_asks_twice_goes_on_two() -> None:
    first, slow, third = Wall(), Slow(), Wall()
    backdrops = opened(first, slow, third)
    backdrops.next()
    backdrops.look(wait=False)
    backdrops.next()
    slow.may_open.set()
    assert backdrops.look(wait=True)
    assert (backdrops.current, first.closed, slow.closed, third.closed) == (third, 1, 1, 0)


def test_one_that_is_given_twice_does_not_end_the_round() -> None:
    first, second, last = Wall(), Wall(), Wall()
    backdrops = opened(first, second, first, last)
    shown = []
    for _ in range(4):
        turned(backdrops)
        shown.append(backdrops.current)
    assert shown == [second, first, last, first]


def test_one_used_in_between_does_not_change_what_comes_next() -> None:
    first, second, other = Wall(), Wall(), Wall()
    backdrops = opened(first, second)
    backdrops.use(other)
    assert backdrops.look(wait=True)
    assert backdrops.current is other
    assert turned(backdrops)
    assert backdrops.current is second


def test_what_breaks_while_one_is_opened_is_not_hidden() -> None:
    def broken(_rest: str, /, *, size: Size, fit: Fit) -> Wall:
        raise ZeroDivisionError(size, fit)

    backdrops = opened(Wall(), broken)
    backdrops.next()
    with pytest.raises(ZeroDivisionError):
        backdrops.look(wait=True)
    backdrops.close()


def test_one_that_is_open_too_late_is_closed() -> None:
    slow = Slow()
    backdrops = opened(Wall(), slow)
    backdrops.next()
    backdrops.look(wait=False)
    assert slow.asked.wait(30)
    backdrops.close()  # does not wait for it
    assert slow.closed == 0
    slow.may_open.set()
    wait_until(lambda: slow.closed == 1)
