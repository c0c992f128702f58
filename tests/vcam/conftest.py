"""Tests on real V4L2 devices: in ../shared/vcam-lab/camrun, or on the device that RTMATTE_VCAM names."""

from collections.abc import Iterator

import cv2
import pytest
from vcam_devices import NO_VCAM, SECOND_VCAM, Node, Vivid, in_lab, virtual_camera
from vcam_reader import MARKER, plain


@pytest.fixture(scope="session")
def vcam() -> Node:
    """The virtual camera, without a writer and readers."""
    node = virtual_camera()
    if node is None:
        pytest.skip(NO_VCAM)
    assert node.path.is_char_device(), f"{node.path} is not a device"
    return node


@pytest.fixture(scope="session")
def lab(vcam: Node) -> None:  # noqa: ARG001 - skips with a better reason
    """Required by what only a machine of the tests may undergo."""
    if not in_lab():
        pytest.skip("needs a machine whose cameras may be unplugged: ../shared/vcam-lab/camrun")


@pytest.fixture
def vivid(lab: None) -> Iterator[Vivid]:  # noqa: ARG001 - in the lab only
    """The fake webcam; plugged in again afterwards."""
    webcam = Vivid()
    try:
        yield webcam
    finally:
        webcam.plug()


@pytest.fixture(scope="session")
def second_vcam(lab: None) -> Node:  # noqa: ARG001 - in the lab only
    """A second virtual camera, which a test sends to and rtmatte reads."""
    return SECOND_VCAM


@pytest.fixture(scope="session")
def marker_camera(vcam: Node, tmp_path_factory: pytest.TempPathFactory) -> str:  # noqa: ARG001 - for its skip
    """A camera that shows MARKER all over, and no person."""
    if in_lab():
        Vivid().paint()
        return str(Vivid.node.path)
    path = tmp_path_factory.mktemp("marker") / "marker.png"
    assert cv2.imwrite(str(path), plain(MARKER))
    return str(path)
