"""Makes the renderer of a network: on the CPU or a GPU, with the kernels ready or while they are loaded."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from realtime_matte.effects.chain import Effects
from realtime_matte.frame import Size
from realtime_matte.interfaces import Background, Network, Renderer
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.pipeline.kernels import KernelCompiler, load_kernels
from realtime_matte.pipeline.loading import Load, load_now

if TYPE_CHECKING:
    from realtime_matte.models.network import NetworkFile  # it imports ONNX Runtime
    from realtime_matte.render.renderer import CpuRenderer  # it imports Numba


@dataclass(frozen=True, slots=True)
class RendererMaker:
    """Makes the renderer of a network, ready for its first frame. A call is a ``MakeRenderer``.

    Attributes:
        size: (width, height) of the output.
        lap: Called with the name of each stage that ended: see Stats.lap.
        notify: Gets one line before Numba has to compile, and one after it.
        only_me: Keep the largest person only.
        load: Calls a slow function.
        effects: The effects of the pipeline.
        kernels: Loads them while first frames are shown; None: the first frame waits until they are ready.
    """

    size: Size
    lap: Callable[[str], None]
    notify: Callable[[str], None]
    only_me: bool = False
    load: Load = load_now
    effects: Effects | None = None
    kernels: KernelCompiler | None = None

    def __call__(self, network: Network, background: Background | None) -> Renderer:
        """The renderer, which closes the network. ``background``: None for alpha."""
        pipeline = _pipeline_of(network, only_me=self.only_me, notify=self.notify)
        if self.only_me:
            from realtime_matte.render.main_person import MainPerson  # noqa: PLC0415  # it imports OpenCV

            network = MainPerson(network)
        if self.kernels and background and not pipeline and (ready := self._awaited(self.kernels)):
            return self._make_first_frames(self.kernels, ready, network, background)
        self._prepare_kernels()
        if pipeline:
            return self.load(lambda: self._make_on_gpu(pipeline, network, background))
        return self._make_complete(network, background)

    def _awaited(self, kernels: KernelCompiler) -> Future[str] | None:
        """Done when the kernels are ready; None if no frames can be shown before."""
        ready = self.load(kernels.start)
        if ready and self.effects and self.effects.needs_bgr and self.load(lambda: kernels.begin().result()):
            return None
        return ready

    def _make_complete(self, network: Network, background: Background | None) -> "CpuRenderer":
        from realtime_matte.render.renderer import CpuRenderer  # noqa: PLC0415  # Numba loads

        return CpuRenderer(network, size=self.size, background=background, lap=self.lap, effects=self.effects)

    def _make_first_frames(
        self, kernels: KernelCompiler, ready: Future[str], network: Network, background: Background
    ) -> Renderer:
        from realtime_matte.render.first_frames import FirstFrames  # noqa: PLC0415  # it imports OpenCV

        first = FirstFrames(
            network,
            size=self.size,
            ready=ready,
            compiling=lambda: kernels.compiling,
            make=self._make_complete,
            lap=self.lap,
            effects=self.effects,
        )
        first.background = background
        return first

    def _make_on_gpu(self, pipeline: "NetworkFile", network: Network, background: Background | None) -> Renderer:
        from realtime_matte.render import gpu_renderer  # noqa: PLC0415  # it imports ONNX Runtime

        cpu = self._make_complete(network, background)
        return gpu_renderer.open_renderer(
            pipeline, network, cpu, size=self.size, notify=self.notify, lap=self.lap, effects=self.effects
        )

    def _prepare_kernels(self) -> None:
        """Load the kernels, or compile them, which is reported before it begins."""
        if not self.load(load_kernels):
            from realtime_matte.render.jit import COMPILING_NOTICE  # noqa: PLC0415  # Numba loads

            self.notify(COMPILING_NOTICE)
        if notice := self.load(_warm_up):
            self.notify(notice)


def _warm_up() -> str:
    from realtime_matte.render import renderer  # noqa: PLC0415  # Numba loads, and compiles if it has to

    return renderer.warm_up()


def _pipeline_of(network: Network, *, only_me: bool, notify: Callable[[str], None]) -> "NetworkFile | None":
    """The network for a graph of the whole pipeline, if that is requested and possible."""
    pipeline = cast("NetworkFile | None", network.pipeline) if isinstance(network, CheckedNetwork) else None
    if pipeline and only_me:
        notify("the pipeline runs on the CPU: only_me is not a part of the graph; leave out only_me, or pipeline")
        return None
    return pipeline
