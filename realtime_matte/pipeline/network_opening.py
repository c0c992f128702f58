"""Opens networks: the first one beside other parts, another one while the first still runs."""

from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

import numpy as np

from realtime_matte.frame import Frame, Size
from realtime_matte.interfaces import Network, RecurrentState
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.pipeline.kernels import KernelCompiler, load_kernels
from realtime_matte.pipeline.loading import Load, close_result, load_now, start_thread
from realtime_matte.pipeline.recovery import OpenNetwork


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


class EarlyNetwork:
    """Opens a network; one of a spec at once, in a thread, beside other parts. Loads the kernels too. Close it.

    Where frames are shown before the kernels are ready, the network is not slowed down by them: they come after it.
    """

    def __init__(
        self, model: str | OpenNetwork, *, provider: str | None, threads: int | None, kernels: KernelCompiler
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
    from realtime_matte import models  # noqa: PLC0415  # ONNX Runtime loads

    return (models.AUTO, *models.LIGHTER) if model == models.AUTO else ()
