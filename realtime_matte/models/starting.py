"""A network started on the best provider that is proven to run it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import inf
from pathlib import Path
from typing import TypeAlias

from realtime_matte.errors import MatteError, ModelError
from realtime_matte.interfaces import Network
from realtime_matte.models import providers
from realtime_matte.models.family import Family, understand
from realtime_matte.models.network import OnnxNetwork, Running
from realtime_matte.models.onnx_file import Graph, read
from realtime_matte.models.providers import CPU, CUDA, Machine, Provider, Standing
from realtime_matte.models.quantized import EIGHT_BIT, quicker_twin
from realtime_matte.models.runtime import FAILURES, Runtime, installed_runtime, reason, this_machine
from realtime_matte.models.session import Session, Unproven, start_cpu
from realtime_matte.models.verify import WarmUp, proven, warm_up

_PATIENCE = 1.5
"""A provider nobody asked for may take this many times the CPU's time: it still spares the CPU."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A network that may be run: what it is called, its file, and the options it is given."""

    name: str
    path: Path
    given: Mapping[str, object]


def start_here(
    name: str,
    graph: Graph,
    given: Mapping[str, object],
    *,
    provider: str | None,
    threads: int,
    larger: Choice | None = None,
) -> Network:
    """With the installed ONNX Runtime, on this machine. Raises as ``models.open``."""
    runtime, machine = installed_runtime(), this_machine()
    return start(
        name, graph, given, provider=provider, threads=threads, runtime=runtime, machine=machine, larger=larger
    )


def standings_here() -> list[Standing]:
    """How each provider stands on this machine, best first."""
    return providers.standings(this_machine())


def start(
    name: str,
    graph: Graph,
    given: Mapping[str, object],
    *,
    provider: str | None,
    threads: int,
    runtime: Runtime,
    machine: Machine,
    larger: Choice | None = None,
) -> Network:
    """A CPU session is always kept: it is what others are proven against, and what takes over.

    ``larger``: what to run in place of this one where a GPU has the time.

    Raises:
        MatteError
    """
    wanted = _wanted(provider, machine)
    usual = Reference(name, graph, understand(graph, given), runtime, threads)
    prove = partial(_proven, cpu_s=usual.warm_up.seconds, patience=_PATIENCE if provider is None else inf)
    failed: list[tuple[Provider, Unproven]] = []
    for candidate in wanted:
        try:
            running, smaller = _running(candidate, usual, larger, prove)
        except Unproven as error:
            failed.append((candidate, error))
        else:
            return OnnxNetwork([running, usual.running], [*_notes(failed, running.session), *smaller])
    if provider is not None and failed:
        raise _refused(*failed[0])
    sessions, told_of_twin = _with_twin(usual)
    notices = [*_notes(failed, usual.session), *_overlooked(provider, machine), *told_of_twin]
    return OnnxNetwork([Running(name, session, usual.family) for session in sessions], notices)


@dataclass(frozen=True)
class Reference:
    """A network on the CPU, for others to be proven against. Raises BadFile, ModelError where it does not run there."""

    name: str
    graph: Graph
    family: Family
    runtime: Runtime
    threads: int

    @cached_property
    def session(self) -> Session:
        """Started when it is looked at."""
        return start_cpu(self.graph.path, self.runtime, threads=self.threads)

    @cached_property
    def warm_up(self) -> WarmUp:
        """Its first frames."""
        session = self.session
        try:
            return warm_up(session, self.family)
        except FAILURES as error:
            told = f"model {self.name!r} fails on its first frames: {reason(error)}; take another --model"
            raise ModelError(told) from error

    @property
    def running(self) -> Running:
        """On the CPU."""
        return Running(self.name, self.session, self.family)


Prove: TypeAlias = Callable[[Reference, Provider], Running]


def _proven(network: Reference, provider: Provider, *, cpu_s: float, patience: float) -> Running:
    """A network on a provider that runs it as the CPU does, in ``patience`` times ``cpu_s``. Raises Unproven."""
    session = proven(
        network.graph,
        network.family,
        provider,
        network.runtime,
        threads=network.threads,
        on_cpu=lambda: network.warm_up,
        cpu_s=cpu_s,
        patience=patience,
    )
    return Running(network.name, session, network.family)


def _running(candidate: Provider, usual: Reference, larger: Choice | None, prove: Prove) -> tuple[Running, list[str]]:
    """The larger network where the provider is a GPU that has the time, else the usual one, which is told.

    Raises:
        Unproven: of the usual one.
    """
    if larger is None or not candidate.gpu:
        return prove(usual, candidate), []
    try:
        graph = read(larger.path)
        family = understand(graph, larger.given)
        return prove(Reference(larger.name, graph, family, usual.runtime, usual.threads), candidate), []
    except (Unproven, MatteError) as error:
        running = prove(usual, candidate)
        return running, [f"{candidate.title} runs {usual.name!r} in place of {larger.name!r}: {_mended(error)}"]


def _with_twin(usual: Reference) -> tuple[list[Session], list[str]]:
    """The sessions to run on the CPU, in order, and what is to be told of a twin that does not do."""
    cpu = usual.session
    try:
        twin = quicker_twin(usual.graph, usual.family, usual.runtime, threads=usual.threads, on_cpu=usual.warm_up)
    except Unproven as error:
        return [cpu], _notes([(EIGHT_BIT, error)], cpu)
    return ([twin, cpu] if twin else [cpu]), []


def _wanted(provider: str | None, machine: Machine) -> list[Provider]:
    """What to try before the CPU."""
    if provider is not None:
        found = providers.asked(provider, machine)
        return [] if found is CPU else [found]
    return [found for found in machine.possible() if found is not CPU and not found.only_asked]


def _notes(failed: list[tuple[Provider, Unproven]], session: Session) -> list[str]:
    return [f"{told(provider, error)}; running on {session.provider.title}" for provider, error in failed]


def told(provider: Provider, error: Unproven) -> str:
    """What failed, why, and the mend."""
    return f"{provider.title} is not used: {_mended(error, provider.check)}"


def _mended(error: Unproven | MatteError, check: str = "") -> str:
    """With the mend, which one of ours has in its text already; ``check``: what to do where none is known."""
    mend = (error.mend or check) if isinstance(error, Unproven) else ""
    return f"{error}; {mend}" if mend else str(error)


def _refused(provider: Provider, error: Unproven) -> ModelError:
    return ModelError(f"{told(provider, error)}", hint=f"or leave out --provider {provider.name}")


def _overlooked(provider: str | None, machine: Machine) -> list[str]:
    """An NVIDIA GPU that the installed ONNX Runtime cannot use."""
    if provider is not None or not machine.nvidia or CUDA.key in machine.listed:
        return []
    return [f"an NVIDIA GPU is here, but {machine.lacks(CUDA)}; running on CPU"]
