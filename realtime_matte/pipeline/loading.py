"""Opens slow parts in a thread, while the standby card is sent; and makes the openers of network and renderer."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import numpy as np

from realtime_matte.effects.chain import Effects
from realtime_matte.errors import refused_by_system
from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Background, Network, RecurrentState, Renderer
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.pipeline.recovery import MakeRenderer, OpenNetwork

if TYPE_CHECKING:
    from realtime_matte.models.network import NetworkFile  # it imports ONNX Runtime
    from realtime_matte.render.renderer import CpuRenderer  # it imports Numba

Result = TypeVar("Result")


class Load(Protocol):
    """Calls a slow function; may send the standby card until it returns."""

    def __call__(self, make: Callable[[], Result], /) -> Result:
        """The result of ``make``; raises what it raises."""


class Kernels(Protocol):
    """The kernels of a pipeline: see KernelCompiler, whose names these are."""

    @property
    def live(self) -> bool: ...  # noqa: D102
    @property
    def compiling(self) -> bool: ...  # noqa: D102
    def begin(self) -> Future[bool]: ...  # noqa: D102
    def start(self) -> Future[str] | None: ...  # noqa: D102


def load_now(make: Callable[[], Result], /) -> Result:
    """The result of ``make``, called in this thread, while nothing else has to be done."""
    return make()


def load_in_background(make: Callable[[], Result], /, *, call: Callable[[], None], every_s: float) -> Result:
    """The result of ``make``, called in a thread that ends with it; ``call`` is called here every ``every_s`` seconds.

    If ``call`` raises, or Ctrl-C is pressed, the result is closed when it arrives.
    """
    future, thread = start_thread(make, name="loading", daemon=False)
    try:
        while not wait([future], every_s).done:
            call()
    except BaseException:
        future.add_done_callback(close_result)
        raise
    thread.join()
    return future.result()


class LoadThread(threading.Thread):
    """A thread whose result only the running program needs: the command line ends without waiting for it.

    It is no daemon, as Python's own end may crash in a library that such a thread is in.
    """


def start_thread(
    make: Callable[[], Result], *, name: str, daemon: bool, writes: bool = False
) -> tuple[Future[Result], threading.Thread]:
    """The future result of ``make``, and the thread that it runs in. An OSError arrives as a MatteError.

    ``writes``: ``make`` writes a file, for which the end of the program waits.
    """
    future = Future[Result]()
    kind = threading.Thread if daemon or writes else LoadThread
    thread = kind(target=_run, args=(make, future), name=name, daemon=daemon)
    thread.start()
    return future, thread


def close_result(future: Future[Result]) -> None:
    """Close the result of a thread that is no longer waited for."""
    with suppress(BaseException):
        close = getattr(future.result(), "close", None)
        if close:
            close()


def network_opener(
    model: str | OpenNetwork, *, provider: str | None, threads: int | None, load: Load = load_now
) -> OpenNetwork:
    """A callable that opens the network, by ``load``, each time it is called, and loads the kernels beside it."""
    return partial(load, partial(_beside_kernels, model_opener(model, provider=provider, threads=threads)))


def model_opener(model: str | OpenNetwork, *, provider: str | None, threads: int | None) -> OpenNetwork:
    """A callable that opens the network each time it is called."""

    def open_network() -> Network:
        from realtime_matte import models  # noqa: PLC0415  # ONNX Runtime loads while the standby card is already sent

        assert isinstance(model, str)  # noqa: S101
        return models.open(model, provider=provider, threads=threads)

    return open_network if isinstance(model, str) else model


def _beside_kernels(open_network: OpenNetwork) -> Network:
    """The network, opened while the kernels that the disk cache has are loaded in a thread, which ends here.

    Nothing is compiled beside it: then a network that cannot be opened would be reported seconds later.
    """
    _, thread = start_thread(load_kernels, name="kernels", daemon=False)
    try:
        network = open_network()
    except Exception:
        thread.join()
        raise  # not after Ctrl-C, which must not wait for it
    thread.join()
    return network


def load_kernels() -> bool:
    """Load the compiled kernels. False if they have to be compiled first."""
    from realtime_matte.render import renderer  # noqa: PLC0415  # Numba loads

    return renderer.load_kernels()


class EarlyNetwork:
    """Opens a network; one of a spec at once, in a thread, beside other parts. Loads the kernels too. Close it.

    Where frames are shown before the kernels are ready, the network is not slowed down by them: they come after it.
    """

    def __init__(
        self, model: str | OpenNetwork, *, provider: str | None, threads: int | None, kernels: Kernels
    ) -> None:
        self._open = model_opener(model, provider=provider, threads=threads)
        self._kernels = kernels
        self._future: Future[Network] | None = None
        if isinstance(model, str):
            self._future, _ = start_thread(self._open, name="network", daemon=False)
            self._future.add_done_callback(lambda future: None if future.exception() else kernels.begin())

    def __call__(self) -> Network:
        """The network; at the first call the one that is opened already, or soon. Raises what opening it raises."""
        if not self._kernels.live:
            self._kernels.begin()
        network = self._future.result() if self._future else self._open()  # after Ctrl-C here, ``close`` closes it
        self._future = None
        self._kernels.begin()
        return network

    def close(self) -> None:
        """Close the network if it was never taken. Idempotent."""
        future, self._future = self._future, None
        if future:
            future.add_done_callback(close_result)


def open_and_try(open_network: OpenNetwork, size: Size) -> CheckedNetwork:
    """The network, open, after a trial on two black frames: then its first real frame takes no longer than others.

    Raises:
        MatteError: It cannot be opened, or the trial failed.
    """
    network = CheckedNetwork(open_network())
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    try:
        state: RecurrentState | None = None
        for index in range(2):
            _, state = network.process(Frame(pixels, float(index), index), state)
    except BaseException:
        network.close()
        raise
    return network


def governed_models(model: str | OpenNetwork) -> Sequence[str]:
    """The models between which the governor may choose, heaviest first; none if the user chose one."""
    from realtime_matte import models  # noqa: PLC0415  # as above

    return (models.AUTO, *models.LIGHTER) if model == models.AUTO else ()


def renderer_maker(
    size: Size,
    lap: Callable[[str], None],
    notify: Callable[[str], None],
    *,
    only_me: bool = False,
    load: Load = load_now,
    effects: Effects | None = None,
    kernels: Kernels | None = None,
) -> MakeRenderer:
    """A callable that makes the renderer of a network, ready for its first frame.

    Args:
        size: (width, height) of the output.
        lap: Called with the name of each stage that ended: see Stats.lap.
        notify: Gets one line before Numba has to compile, and one after it.
        only_me: Keep the largest person only.
        load: Calls a slow function.
        effects: The effects of the pipeline.
        kernels: Loads them while first frames are shown; None: the first frame waits until they are ready.
    """

    def make_complete(network: Network, background: Background | None) -> "CpuRenderer":
        from realtime_matte.render.renderer import CpuRenderer  # noqa: PLC0415

        return CpuRenderer(network, size=size, background=background, lap=lap, effects=effects)

    def make_on_gpu(pipeline: "NetworkFile", network: Network, background: Background | None) -> Renderer:
        from realtime_matte.render import gpu_renderer  # noqa: PLC0415  # as above

        cpu = make_complete(network, background)
        return gpu_renderer.open_renderer(pipeline, network, cpu, size=size, notify=notify, lap=lap, effects=effects)

    def make(network: Network, background: Background | None) -> Renderer:
        pipeline = _pipeline_of(network, only_me=only_me, notify=notify)
        if only_me:
            from realtime_matte.render.main_person import MainPerson  # noqa: PLC0415

            network = MainPerson(network)
        ready = load(kernels.start) if kernels and background and not pipeline else None
        if kernels and ready and effects and effects.needs_bgr and load(lambda: kernels.begin().result()):
            ready = None  # no frames could be shown before
        if kernels and ready:
            from realtime_matte.render.first_frames import FirstFrames  # noqa: PLC0415

            first = FirstFrames(
                network,
                size=size,
                ready=ready,
                compiling=lambda: kernels.compiling,
                make=make_complete,
                lap=lap,
                effects=effects,
            )
            first.background = background
            return first
        _prepare_kernels(load, notify)
        if pipeline:
            return load(partial(make_on_gpu, pipeline, network, background))
        return make_complete(network, background)

    return make


def _prepare_kernels(load: Load, notify: Callable[[str], None]) -> None:
    """Load the kernels, or compile them, which is reported before it begins."""
    if not load(load_kernels):
        from realtime_matte.render.jit import COMPILING_NOTICE  # noqa: PLC0415  # as below

        notify(COMPILING_NOTICE)

    def warm_up() -> str:
        from realtime_matte.render import renderer  # noqa: PLC0415  # Numba loads, and compiles if it has to

        return renderer.warm_up()

    if notice := load(warm_up):
        notify(notice)


def _pipeline_of(network: Network, *, only_me: bool, notify: Callable[[str], None]) -> "NetworkFile | None":
    """The network for a graph of the whole pipeline, if that is requested and possible."""
    pipeline = cast("NetworkFile | None", network.pipeline) if isinstance(network, CheckedNetwork) else None
    if pipeline and only_me:
        notify("the pipeline runs on the CPU: only_me is not a part of the graph; leave out only_me, or pipeline")
        return None
    return pipeline


def _run(make: Callable[[], Result], future: Future[Result]) -> None:
    try:
        future.set_result(make())
    except OSError as error:
        future.set_exception(refused_by_system(error))
    except BaseException as error:  # noqa: BLE001 - the top of a thread: raised again in the caller's
        future.set_exception(error)
