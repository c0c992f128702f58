"""Parameters of PipeWire as bytes, compared with what its own headers make."""

import struct

import pytest

from realtime_matte.pipewire import pods

SIZE = (640, 480)

EXPECTED_FORMAT = (
    "b00000000f00000003000400030000000100000000000000040000000300000002000000000000000200000000000000"
    "040000000300000001000000000000000100020000000000040000000300000004000000000000000300020000000000"
    "080000000a00000080020000e00100000400020000000000080000000b0000001e000000010000000c00020000000000"
    "040000000300000002000000000000000d0002000000000004000000030000000400000000000000"
)
EXPECTED_BUFFERS = (
    "a80000000f000000040004000500000001000000000000001c0000001300000001000000000000000400000004000000"
    "040000000200000008000000000000000200000000000000040000000400000001000000000000000300000000000000"
    "040000000400000000080700000000000400000000000000040000000400000080020000000000000600000000000000"
    "1400000013000000040000000000000004000000040000000600000000000000"
)
EXPECTED_META = (
    "380000000f00000005000400060000000100000000000000040000000300000001000000000000000200000000000000"
    "04000000040000002000000000000000"
)


def test_the_format_is_what_the_headers_of_pipewire_make() -> None:
    """Printed by a program in C that calls spa_pod_builder_add_object with the same values (PipeWire 0.3.65)."""
    assert pods.enum_format("YUY2", SIZE, 30.0).hex() == EXPECTED_FORMAT


def test_the_buffers_are_what_the_headers_of_pipewire_make() -> None:
    assert pods.buffers("I420", SIZE).hex() == EXPECTED_BUFFERS


def test_the_header_is_what_the_headers_of_pipewire_make() -> None:
    assert pods.header_meta().hex() == EXPECTED_META


@pytest.mark.parametrize("name", ["I420", "YUY2"])
def test_the_chosen_format_is_found(name: pods.VideoFormat) -> None:
    assert pods.chosen_format(pods.enum_format(name, SIZE, 30.0)) == name


def test_a_format_in_a_choice_of_one_is_found() -> None:
    plain = pods.enum_format("YUY2", SIZE, 30.0)
    at = plain.index(struct.pack("=I", pods.VIDEO_FORMAT))
    choice = struct.pack("=IIIIIIII", pods.VIDEO_FORMAT, 0, 20, pods.CHOICE, 0, 0, 4, pods.ID) + struct.pack(
        "=II", 4, 0
    )
    assert pods.chosen_format(plain[:at] + choice + plain[at + 24 :]) == "YUY2"


@pytest.mark.parametrize("pod", [b"", pods.header_meta(), pods.enum_format("YUY2", SIZE, 30.0)[:40]])
def test_another_parameter_has_no_format(pod: bytes) -> None:
    assert pods.chosen_format(pod) is None


def test_rates_are_fractions() -> None:
    assert struct.pack("=II", 30000, 1001) in pods.enum_format("YUY2", SIZE, 29.97003)


@pytest.mark.parametrize(("width", "formats"), [(1280, ["I420", "YUY2"]), (644, ["YUY2"])])
def test_planes_are_offered_only_where_every_reader_knows_their_row_length(width: int, formats: list[str]) -> None:
    assert pods.formats((width, 480)) == formats
