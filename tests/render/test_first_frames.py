"""While kernels are loaded or compiled, OpenCV composites each frame with its own matte; then the kernels do."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest
from fakes.gated import run
from fakes.privacy import assert_private
from fakes.scripted import ScriptedNetwork, fails, in_i420

from realtime_matte.pipeline.kernels import KernelCompiler
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render import first_frames, jit, renderer
from realtime_matte.render.first_frames import SOFT_EDGES_NOTICE


@pytest.fixture(params=["bgr", "i420"])
def pixel_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both formats."""
    if request.param == "i420":
        in_i420(monkeypatch)


@pytest.fixture(params=["loaded", "compiled"])
def ready_at(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    pixel_format: None,  # noqa: ARG001 - every pipeline runs in both
) -> Callable[[int], Callable[[Pipeline, int], None]]:
    """Lets the kernels be loaded, or compiled, after a step; none may be called before."""
    compiled = Future[str]()
    call = jit.Kernel.__call__

    def guarded(self: jit.Kernel, *arrays: object) -> object:
        assert compiled.done(), "a kernel that is not ready was called"
        return call(self, *arrays)

    def start(compiler: KernelCompiler) -> Future[str] | None:
        compiler.compiling = request.param == "compiled"
        return None if compiled.done() else compiled

    monkeypatch.setattr(jit.Kernel, "__call__", guarded)
    monkeypatch.setattr(jit.Kernel, "ready", property(lambda _kernel: compiled.done()))
    monkeypatch.setattr(renderer, "load_kernels", compiled.done)
    monkeypatch.setattr(KernelCompiler, "start", start)

    def at(last: int) -> Callable[[Pipeline, int], None]:
        return lambda _pipeline, step: compiled.set_result("") if step == last else None

    return at


def test_every_frame_is_shown_by_its_own_matte_before_and_after_compiling(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    ready_at: Callable[[int], Callable[[Pipeline, int], None]],
) -> None:
    """Only what takes seconds is reported."""
    compile_now, noticed = ready_at(5), list[bool]()

    def after(pipeline: Pipeline, step: int) -> None:
        compile_now(pipeline, step)
        noticed.append(SOFT_EDGES_NOTICE in pipeline.notices)

    sink = run(range(12), monkeypatch=monkeypatch, after=after)
    assert assert_private(sink) == [None, *range(12), None]
    assert noticed[0] == ("compiled" in request.node.callspec.id)
    assert not noticed[-1]


def test_the_networks_state_is_kept_when_the_kernels_are_ready(
    monkeypatch: pytest.MonkeyPatch, ready_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    network = ScriptedNetwork()
    run(range(8), monkeypatch=monkeypatch, network=network, after=ready_at(3))
    assert network.states[0] is None
    assert None not in network.states[1:]


def test_a_calibration_waits_for_the_kernels(
    monkeypatch: pytest.MonkeyPatch, ready_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    """First frames have no clean plate, and nothing is known of the network's use of one."""
    ready, refused = ready_at(5), list[bool]()

    def after(pipeline: Pipeline, step: int) -> None:
        refused.append(any("not calibrated: this model" in line for line in pipeline.messages))
        ready(pipeline, step)

    run(range(9), monkeypatch=monkeypatch, after=after, options={"calibrate": True})
    assert refused[:6] == [False] * 6
    assert refused[-1], "the scripted network sees no plate"


def test_a_frame_without_a_matte_shows_the_card_while_compiling(
    monkeypatch: pytest.MonkeyPatch, ready_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    network = ScriptedNetwork({2: fails, 7: fails})
    sink = run(range(9), monkeypatch=monkeypatch, network=network, after=ready_at(4))
    assert assert_private(sink) == [None, 0, 1, None, 3, 4, 5, 6, None, 8, None]


def test_effects_show_the_card_until_the_kernels_are_compiled(
    monkeypatch: pytest.MonkeyPatch, ready_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    monkeypatch.setattr("realtime_matte.effects.chain.Effects.needs_bgr", True)
    shown = assert_private(run(range(6), monkeypatch=monkeypatch, after=ready_at(2)))
    assert shown[0] is None
    assert [index for index in shown if index is not None and index < 3] == []
    assert shown[-2] == 5


def test_the_process_compiles_what_is_missing_once_for_every_network(monkeypatch: pytest.MonkeyPatch) -> None:
    class Compiling:
        closed = False

        def wait(self) -> None:
            waiting.result(30)

        def close(self) -> None:
            self.closed = True
            waiting.set_result(None)

    waiting = Future[None]()
    monkeypatch.setattr(renderer, "kernels_are_ready", lambda: False)
    monkeypatch.setattr(renderer, "load_kernels", lambda: False)
    monkeypatch.setattr(first_frames, "Compilation", Compiling)
    compiler = KernelCompiler(lambda: True)
    first = compiler.start()
    assert first is not None
    assert compiler.start() is first
    compiler.close()
    assert first.result(30) == "", "what was ended is not compiled in this process"


def test_kernels_that_are_loaded_later_are_waited_for_only_where_no_frame_is_shown_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_load = threading.Event()
    monkeypatch.setattr(renderer, "kernels_are_ready", lambda: False)
    monkeypatch.setattr(renderer, "load_kernels", lambda: may_load.wait(30))
    live, to_a_file = KernelCompiler(lambda: True), KernelCompiler(lambda: False)
    ready = live.start()
    assert ready is not None
    assert not ready.done()
    may_load.set()
    assert ready.result(30) == ""
    assert live.start() is None
    assert not live.compiling
    assert to_a_file.start() is None
    assert to_a_file.begin().done()


def test_no_kernel_is_loaded_for_a_pipeline_that_is_closed_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its network is opened in a thread, and may be open later."""
    monkeypatch.setattr(renderer, "kernels_are_ready", lambda: False)
    monkeypatch.setattr(renderer, "load_kernels", pytest.fail)
    compiler = KernelCompiler(lambda: True)
    compiler.close()
    assert not compiler.begin().result(30)


def test_kernels_of_an_earlier_pipeline_are_ready_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "load_kernels", pytest.fail)
    assert KernelCompiler(lambda: True).start() is None


def test_the_process_ends_without_an_error_and_can_be_ended_before() -> None:
    compilation, ended = first_frames.Compilation(), first_frames.Compilation()
    ended.close()
    assert ended.wait() != 0
    assert compilation.wait() == 0
