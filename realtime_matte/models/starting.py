"""A network started on the best provider that is proven to run it."""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf

from realtime_matte.errors import ModelError
from realtime_matte.models import providers
from realtime_matte.models.eight_bit import EIGHT_BIT, quicker_twin
from realtime_matte.models.family import Family, understand
from realtime_matte.models.graph import Graph
from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.proof import WarmUp, proven, warm_up
from realtime_matte.models.providers import CPU, CUDA, Machine, Provider, Standing
from realtime_matte.models.runtime import FAILURES, Runtime, installed_runtime, reason, this_machine
from realtime_matte.models.session import Session, Unproven, start_cpu
from realtime_matte.stages import Network

_PATIENCE = 1.5
"""A provider nobody asked for may take this many times the CPU's time: it still spares the CPU."""


def start_here(name: str, graph: Graph, given: Mapping[str, object], *, provider: str | None, threads: int) -> Network:
    """With the installed ONNX Runtime, on this machine. Raises as ``models.open``."""
    runtime, machine = installed_runtime(), this_machine()
    return start(name, graph, given, provider=provider, threads=threads, runtime=runtime, machine=machine)


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
) -> Network:
    """A CPU session is always kept: it is what others are proven against, and what takes over. Raises MatteError."""
    wanted = _wanted(provider, machine)
    usual = understand(graph, given)
    cpu = start_cpu(graph.path, runtime, threads=threads)
    on_cpu = _on_cpu(name, cpu, usual)
    patience = _PATIENCE if provider is None else inf

    def expected(family: Family) -> WarmUp:
        return on_cpu if family is usual else _on_cpu(name, cpu, family)

    prove = partial(
        proven, graph, runtime=runtime, threads=threads, on_cpu=expected, cpu_s=on_cpu.seconds, patience=patience
    )
    failed: list[tuple[Provider, Unproven]] = []
    for candidate in wanted:
        try:
            session, family, coarser = _on_a_grid(candidate, usual, prove)
        except Unproven as error:
            failed.append((candidate, error))
        else:
            return OnnxNetwork(name, [(session, family), (cpu, usual)], [*_notes(failed, session), *coarser])
    if provider is not None and failed:
        raise _refused(*failed[0])
    sessions, told_of_twin = _with_twin(graph, usual, cpu, on_cpu, threads=threads)
    notes = [*_notes(failed, cpu), *_overlooked(provider, machine), *told_of_twin]
    return OnnxNetwork(name, [(session, usual) for session in sessions], notes)


def _on_a_grid(
    candidate: Provider, usual: Family, prove: Callable[[Family, Provider], Session]
) -> tuple[Session, Family, list[str]]:
    """On the finer grid where the provider is a GPU that has the time, else on the usual one, which is told.

    Raises:
        Unproven: on the usual one.
    """
    if not (usual.finer and candidate.gpu):
        return prove(usual, candidate), usual, []
    try:
        return prove(usual.finer, candidate), usual.finer, []
    except Unproven as error:
        session = prove(usual, candidate)
        told = f"{candidate.title} draws edges as coarsely as a CPU, since on a finer grid {error}"
        return session, usual, [told + (f"; {error.mend}" if error.mend else "")]


def _with_twin(
    graph: Graph, family: Family, cpu: Session, on_cpu: WarmUp, *, threads: int
) -> tuple[list[Session], list[str]]:
    """The sessions to run on the CPU, in order, and what is to be told of a twin that does not do."""
    try:
        twin = quicker_twin(graph, family, cpu.runtime, threads=threads, on_cpu=on_cpu)
    except Unproven as error:
        return [cpu], _notes([(EIGHT_BIT, error)], cpu)
    return ([twin, cpu] if twin else [cpu]), []


def _wanted(provider: str | None, machine: Machine) -> list[Provider]:
    """What to try before the CPU."""
    if provider is not None:
        found = providers.asked(provider, machine)
        return [] if found is CPU else [found]
    return [found for found in machine.possible() if found is not CPU and not found.only_asked]


def _on_cpu(name: str, cpu: Session, family: Family) -> WarmUp:
    try:
        return warm_up(cpu, family)
    except FAILURES as error:
        raise ModelError(f"model {name!r} fails on its first frames: {reason(error)}; take another --model") from error


def _notes(failed: list[tuple[Provider, Unproven]], session: Session) -> list[str]:
    return [f"{told(provider, error)}; running on {session.provider.title}" for provider, error in failed]


def told(provider: Provider, error: Unproven) -> str:
    """What failed, why, and the mend."""
    return f"{provider.title} is not used: {error}" + (f"; {error.mend}" if error.mend else "")


def _refused(provider: Provider, error: Unproven) -> ModelError:
    return ModelError(f"{told(provider, error)}; or leave out --provider {provider.name}")


def _overlooked(provider: str | None, machine: Machine) -> list[str]:
    """An NVIDIA GPU that the installed ONNX Runtime cannot use."""
    if provider is not None or not machine.nvidia or CUDA.key in machine.listed:
        return []
    return [f"an NVIDIA GPU is here, but {machine.lacks(CUDA)}; running on CPU"]
