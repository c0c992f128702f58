"""The mailbox: newest-wins hand-off of frames between two threads."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_matte.capture.mailbox import Mailbox
from realtime_matte.frame import Frame, Size
from realtime_matte.media import i420

LONG_S = 30.0
"""Longer than any wait of a test that passes."""

SIZE = (8, 6)


def put(mailbox: Mailbox, index: int) -> int:
    """Put a frame whose pixels all have the value ``index``."""
    pixels = mailbox.target(SIZE)
    pixels[:] = index
    return mailbox.put(Frame(pixels, float(index), 0), index)


def value(frame: Frame | None) -> int | None:
    assert frame is None or (frame.pixels == frame.index).all()
    return frame and frame.index


def test_newest_frame_wins() -> None:
    mailbox = Mailbox(SIZE)
    put(mailbox, 1)
    put(mailbox, 2)
    assert value(mailbox.take(LONG_S)) == 2


def test_a_frame_is_taken_once() -> None:
    mailbox = Mailbox(SIZE)
    put(mailbox, 1)
    assert value(mailbox.take(0)) == 1
    assert mailbox.take(0) is None


def test_replaced_frames_count_from_the_first_one_taken() -> None:
    mailbox = Mailbox(SIZE)
    assert [put(mailbox, index) for index in range(3)] == [0, 0, 0]
    mailbox.take(0)
    assert [put(mailbox, index) for index in range(3)] == [0, 1, 2]
    mailbox.take(0)
    assert put(mailbox, 3) == 2


def test_a_waiting_take_gets_the_frame_that_is_put() -> None:
    mailbox = Mailbox(SIZE)
    thread = threading.Thread(target=put, args=(mailbox, 7))
    thread.start()
    assert value(mailbox.take(LONG_S)) == 7
    thread.join()


def test_the_end_comes_after_the_last_frame() -> None:
    mailbox = Mailbox(SIZE)
    put(mailbox, 1)
    mailbox.end()
    assert not mailbox.ended
    assert value(mailbox.take(LONG_S)) == 1
    assert mailbox.ended
    assert mailbox.take(LONG_S) is None


def test_an_interrupt_ends_one_wait() -> None:
    mailbox = Mailbox(SIZE)
    mailbox.interrupt()
    assert mailbox.take(LONG_S) is None
    put(mailbox, 1)
    assert value(mailbox.take(LONG_S)) == 1


def test_an_error_is_raised_by_every_take() -> None:
    mailbox = Mailbox(SIZE)
    put(mailbox, 1)
    mailbox.end(ZeroDivisionError("unexpected"))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="unexpected"):
            mailbox.take(LONG_S)
    assert not mailbox.ended


@given(st.lists(st.sampled_from(["put", "take", "clear"]), max_size=40))
def test_any_order_of_calls_keeps_the_taken_frame_and_all_three_buffers(calls: list[str]) -> None:
    mailbox, taken, unread = Mailbox(SIZE), None, None
    for index, call in enumerate(calls):
        if call == "put":
            put(mailbox, index)
            unread = index
        elif call == "take":
            taken = mailbox.take(0)
            assert value(taken) == unread
            unread = None
        else:
            mailbox.clear()
            unread = None
        value(taken)
    mailbox.take(0)
    mailbox.clear()
    mailbox.take(0)
    buffers = {pixels.ctypes.data for pixels in [mailbox.target(SIZE), *mailbox._spare]}
    assert len(buffers) == 3


def test_a_frame_of_another_size_is_fitted() -> None:
    mailbox = Mailbox(SIZE)
    pixels = mailbox.target((16, 12))
    assert pixels.shape == (12, 16, 3)
    assert mailbox.target((16, 12)) is pixels
    pixels[:] = 5
    mailbox.put(Frame(pixels, 0.0, 0), 5)
    frame = mailbox.take(0)
    assert value(frame) == 5
    assert frame is not None
    assert np.shares_memory(frame.pixels, pixels) is False
    assert frame.size == SIZE


# I420


def test_i420_frames_are_passed_on_without_a_copy() -> None:
    mailbox = Mailbox((8, 6), "i420")
    target = mailbox.target((8, 6), ("i420", "bgr"))
    assert target.shape == (9, 8)
    target[:] = 77
    mailbox.put(Frame(target, 1.0, 0, "i420"), 4)
    frame = mailbox.take(0)
    assert frame is not None
    assert (frame.pixels is target, frame.pixel_format, frame.index, frame.size) == (True, "i420", 4, (8, 6))


@pytest.mark.parametrize("size", [(8, 6), (16, 12)])
def test_a_source_that_comes_back_with_bgr_only_is_converted(size: Size) -> None:
    mailbox = Mailbox((8, 6), "i420")
    target = mailbox.target(size)
    assert target.shape == (size[1], size[0], 3)
    target[:] = (30, 120, 200)
    mailbox.put(Frame(target, 1.0, 0), 0)
    frame = mailbox.take(0)
    assert frame is not None
    assert frame.pixel_format == "i420"
    np.testing.assert_array_equal(frame.pixels, i420.from_bgr(np.full((6, 8, 3), (30, 120, 200), np.uint8)))


def test_a_source_with_planes_of_another_size_writes_bgr() -> None:
    assert Mailbox((8, 6), "i420").target((16, 12), ("i420", "bgr")).shape == (12, 16, 3)
    assert Mailbox((8, 6)).target((8, 6), ("i420", "bgr")).shape == (6, 8, 3)
