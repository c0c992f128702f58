"""Tests on real V4L2 devices: in ../shared/vcam-lab/camrun, or on the device that RTMATTE_VCAM names."""

from collections.abc import Iterator

import cv2
import pytest
from vcam_devices import FEED, NOTHING, Node, Vivid, in_lab, virtual_camera
from vcam_reader import ROOM, plain


@pytest.fixture(scope="session")
def vcam() -> Node:
    """The virtual camera, with nobody at either end."""
    node = virtual_camera()
    if node is None:
        pytest.skip(NOTHING)
    assert node.path.is_char_device(), f"{node.path} is no device"
    return node


@pytest.fixture(scope="session")
def lab(vcam: Node) -> None:  # noqa: ARG001 - its skip says more
    """For what may only be done to a machine that belongs to the tests."""
    if not in_lab():
        pytest.skip("needs a machine whose cameras may be pulled out: ../shared/vcam-lab/camrun")


@pytest.fixture
def vivid(lab: None) -> Iterator[Vivid]:  # noqa: ARG001 - only there
    """The fake webcam, back in its place afterwards."""
    webcam = Vivid()
    try:
        yield webcam
    finally:
        webcam.plug()


@pytest.fixture(scope="session")
def feed(lab: None) -> Node:  # noqa: ARG001 - only there
    """A second virtual camera, to be fed here and read by rtmatte."""
    return FEED


@pytest.fixture(scope="session")
def room(vcam: Node, tmp_path_factory: pytest.TempPathFactory) -> str:  # noqa: ARG001 - for its skip
    """A camera that shows a room in one colour, and nobody."""
    if in_lab():
        Vivid().paint()
        return str(Vivid.node.path)
    path = tmp_path_factory.mktemp("room") / "room.png"
    assert cv2.imwrite(str(path), plain(ROOM))
    return str(path)
