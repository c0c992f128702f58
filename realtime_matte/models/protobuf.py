"""Reading protocol buffers without their schema: enough to look into an ONNX file before anything heavy is loaded."""

from collections.abc import Iterator
from typing import TypeAlias

Value: TypeAlias = int | memoryview
"""A number, or the bytes of a string, a message or a packed list."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(data: memoryview) -> Iterator[tuple[int, Value]]:
    """Each field's number and value, in the file's order.

    Raises:
        ValueError: this is no protocol buffer, or it was cut short.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _value(data, at, key & 7)
        yield key >> 3, value


def messages(data: memoryview, field: int) -> Iterator[memoryview]:
    """The bytes of every field of that number. Raises ValueError."""
    return (value for number, value in fields(data) if number == field and isinstance(value, memoryview))


def text(data: memoryview, field: int) -> str:
    """The last string of that number, as the format rules; empty without one. Raises ValueError."""
    found = ""
    for value in messages(data, field):
        found = str(value, "utf-8")
    return found


def number(data: memoryview, field: int) -> int | None:
    """The last number of that number's field; None without one. Raises ValueError."""
    found = None
    for key, value in fields(data):
        if key == field and isinstance(value, int):
            found = value
    return found


def _value(data: memoryview, at: int, wire: int) -> tuple[Value, int]:
    if wire == _VARINT:
        return _varint(data, at)
    if wire == _BYTES:
        length, at = _varint(data, at)
    elif wire in {_FIXED64, _FIXED32}:
        length = 8 if wire == _FIXED64 else 4
    else:
        raise ValueError(f"no field starts at byte {at}")
    if at + length > len(data):
        raise ValueError(f"{length} bytes are missing at the end" if at >= len(data) else "it ends in mid-field")
    return data[at : at + length], at + length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends in mid-number")
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 -- the top bit says that more follows
            return value, at
    raise ValueError(f"no number ends at byte {at}")
