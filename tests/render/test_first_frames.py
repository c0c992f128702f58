"""While the kernels are compiled, frames are composited by OpenCV, each with its own matte; then by the kernels."""

from collections.abc import Callable
from concurrent.futures import Future

import pytest
from fakes.gated import run
from fakes.privacy import assert_private
from fakes.scripted import ScriptedNetwork, fails, in_i420

from realtime_matte.pipeline.kernels import KernelCompiler
from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.render import first_frames, jit, renderer
from realtime_matte.render.first_frames import COMPILING_NOTICE


@pytest.fixture(params=["bgr", "i420"])
def pixel_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both formats."""
    if request.param == "i420":
        in_i420(monkeypatch)


@pytest.fixture
def compile_at(
    monkeypatch: pytest.MonkeyPatch,
    pixel_format: None,  # noqa: ARG001 - every pipeline runs in both
) -> Callable[[int], Callable[[Pipeline, int], None]]:
    """Lets the kernels be compiled after a step; none may be called before."""
    compiled = Future[str]()
    call = jit.Kernel.__call__

    def guarded(self: jit.Kernel, *arrays: object) -> object:
        assert compiled.done(), "a kernel that is not compiled was called"
        return call(self, *arrays)

    monkeypatch.setattr(jit.Kernel, "__call__", guarded)
    monkeypatch.setattr(jit.Kernel, "ready", property(lambda _kernel: compiled.done()))
    monkeypatch.setattr(renderer, "load_kernels", compiled.done)
    monkeypatch.setattr(KernelCompiler, "start", lambda _compiler: None if compiled.done() else compiled)

    def at(last: int) -> Callable[[Pipeline, int], None]:
        return lambda _pipeline, step: compiled.set_result("") if step == last else None

    return at


def test_every_frame_is_shown_by_its_own_matte_before_and_after_compiling(
    monkeypatch: pytest.MonkeyPatch, compile_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    compile_now, noticed = compile_at(5), list[bool]()

    def after(pipeline: Pipeline, step: int) -> None:
        compile_now(pipeline, step)
        noticed.append(COMPILING_NOTICE in pipeline.notices)

    sink = run(range(12), monkeypatch=monkeypatch, after=after)
    assert assert_private(sink) == [None, *range(12), None]
    assert noticed[0]
    assert not noticed[-1]


def test_a_frame_without_a_matte_shows_the_card_while_compiling(
    monkeypatch: pytest.MonkeyPatch, compile_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    network = ScriptedNetwork({2: fails, 7: fails})
    sink = run(range(9), monkeypatch=monkeypatch, network=network, after=compile_at(4))
    assert assert_private(sink) == [None, 0, 1, None, 3, 4, 5, 6, None, 8, None]


def test_effects_show_the_card_until_the_kernels_are_compiled(
    monkeypatch: pytest.MonkeyPatch, compile_at: Callable[[int], Callable[[Pipeline, int], None]]
) -> None:
    monkeypatch.setattr("realtime_matte.effects.chain.Effects.needs_bgr", True)
    shown = assert_private(run(range(6), monkeypatch=monkeypatch, after=compile_at(2)))
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
    monkeypatch.setattr(renderer, "load_kernels", lambda: False)
    monkeypatch.setattr(first_frames, "Compilation", Compiling)
    compiler = KernelCompiler(lambda: True)
    first = compiler.start()
    assert first is not None
    assert compiler.start() is first
    compiler.close()
    assert first.result(30) == "", "what was ended is not compiled in this process"


def test_the_process_ends_without_an_error_and_can_be_ended_before() -> None:
    compilation, ended = first_frames.Compilation(), first_frames.Compilation()
    ended.close()
    assert ended.wait() != 0
    assert compilation.wait() == 0
