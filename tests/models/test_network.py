import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from fakes import networks as tiny
from fakes.networks import cpu, grey

from realtime_matte.errors import ModelError
from realtime_matte.frame import Size

NAN = "its output is not finite"


def test_network_gives_the_alpha_of_its_frame(ours: str) -> None:
    matte, _ = cpu(ours).process(grey(51), None)
    assert matte.alpha.shape == (144, 256)
    assert matte.alpha.dtype == np.float32
    assert matte.foreground is None
    np.testing.assert_allclose(matte.alpha, 0.2 + 0.01, atol=1e-6)


def test_recurrent_state_is_taken_and_returned(ours: str) -> None:
    network = cpu(ours)
    _, first = network.process(grey(51), None)
    second, _ = network.process(grey(51), first)
    np.testing.assert_allclose(second.alpha, 0.2 + 0.02, atol=1e-6)


def test_earlier_state_stays_valid(ours: str) -> None:
    network = cpu(ours)
    _, first = network.process(grey(51), None)
    state = first
    for _ in range(5):
        _, state = network.process(grey(51), state)
    again, _ = network.process(grey(51), first)
    np.testing.assert_allclose(again.alpha, 0.2 + 0.02, atol=1e-6)


def test_no_state_starts_a_shot(ours: str) -> None:
    network = cpu(ours)
    _, state = network.process(grey(51), None)
    network.process(grey(51), state)
    fresh, _ = network.process(grey(51), None)
    np.testing.assert_allclose(fresh.alpha, 0.2 + 0.01, atol=1e-6)


def test_another_frame_size_starts_a_shot_with_its_own_input_size(ours: str) -> None:
    network = cpu(ours)
    _, state = network.process(grey(51), None)
    matte, _ = network.process(grey(51, (480, 640)), state)
    assert matte.alpha.shape == (224, 160)
    np.testing.assert_allclose(matte.alpha, 0.2 + 0.01, atol=1e-6)
    assert network.notices == ()


@pytest.mark.parametrize("size", [(1, 1), (17, 3), (3, 400), (1281, 721), (3840, 2160), (720, 1280)])
def test_every_frame_size_works(ours: str, size: Size) -> None:
    matte, _ = cpu(ours).process(grey(102, size), None)
    np.testing.assert_allclose(matte.alpha, 0.4 + 0.01, atol=1e-5)


def test_alpha_stays_in_0_to_1(tmp_path: Path) -> None:
    network = cpu(str(tiny.recurrent(tmp_path / "bright.onnx", gain=3)))
    assert network.process(grey(250), None)[0].alpha.max() == 1


@pytest.mark.parametrize("options", ["", "?quality=best"])
def test_frames_after_the_first_allocate_no_image(ours: str, options: str) -> None:
    network, frame = cpu(ours + options), grey(51)
    _, state = network.process(frame, None)
    tracemalloc.start()
    for _ in range(5):
        _, state = network.process(frame, state)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000, "bytes; the smallest image in there has 110 592"


def test_read_only_frame_is_not_changed(ours: str) -> None:
    frame = grey(51)
    frame.pixels.flags.writeable = False
    assert cpu(ours).process(frame, None)[0].alpha.shape == (144, 256)
    assert (frame.pixels == 51).all()


def test_closed_network_raises(ours: str) -> None:
    network = cpu(ours)
    network.close()
    network.close()
    with pytest.raises(ModelError, match=r"is closed; open it again"):
        network.process(grey(1), None)


def test_invalid_state_is_dropped_and_the_frame_matted(tmp_path: Path) -> None:
    network = cpu(str(tiny.recurrent(tmp_path / "net.onnx")))
    _, (engine, value) = network.process(grey(51), None)
    invalid = type(value).ortvalue_from_numpy(np.full(value.shape(), np.nan, np.float32), "cpu", 0)
    network.process(grey(51), (engine, invalid))
    matte, _ = network.process(grey(51), (engine, invalid))
    assert network.notices == (f"model {network.name!r} failed and started a new shot: {NAN}",)
    np.testing.assert_allclose(matte.alpha, 0.21, atol=1e-6)


def test_output_that_is_not_finite_is_never_a_matte(tmp_path: Path) -> None:
    network = cpu(str(tiny.recurrent(tmp_path / "nan.onnx", black_is_nan=True)))
    _, state = network.process(grey(51), None)
    with pytest.raises(ModelError, match=r"failed on the CPU: its output is not finite; choose another --model"):
        network.process(grey(0), state)
    with pytest.raises(ModelError, match=r"failed on the CPU"):
        network.process(grey(0), None)
    assert np.isfinite(network.process(grey(51), None)[0].alpha).all()
