"""A network started on the best provider that is proven to run it."""

from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha
from realtime_matte.models import providers
from realtime_matte.models.family import Family, understand
from realtime_matte.models.graph import Graph
from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.proof import proven, warm_up
from realtime_matte.models.providers import CPU, CUDA, Machine, Provider, Standing
from realtime_matte.models.session import (
    FAILURES,
    NotStarted,
    Runtime,
    Session,
    installed_runtime,
    reason,
    start_cpu,
    this_machine,
)
from realtime_matte.models.settings import Settings


def start_here(name: str, graph: Graph, settings: Settings, *, provider: str | None, threads: int) -> OnnxNetwork:
    """With the installed ONNX Runtime, on this machine. Raises as ``models.open``."""
    runtime, machine = installed_runtime(), this_machine()
    return start(name, graph, settings, provider=provider, threads=threads, runtime=runtime, machine=machine)


def standings_here() -> list[Standing]:
    """How each provider stands on this machine, best first."""
    return providers.standings(this_machine())


def start(
    name: str,
    graph: Graph,
    settings: Settings,
    *,
    provider: str | None,
    threads: int,
    runtime: Runtime,
    machine: Machine,
) -> OnnxNetwork:
    """A CPU session is always kept: it is what others are proven against, and what takes over. Raises MatteError."""
    wanted = _wanted(provider, machine)
    family = understand(graph, settings)
    cpu = start_cpu(graph.path, runtime, threads=threads)
    expected = _expected(name, cpu, family)
    failed: list[tuple[Provider, NotStarted]] = []
    for candidate in wanted:
        try:
            session = proven(graph, family, candidate, runtime, threads=threads, expected=expected)
        except NotStarted as error:
            failed.append((candidate, error))
        else:
            return OnnxNetwork(name, family, [session, cpu], _notes(failed, session))
    if provider is not None and failed:
        raise _refused(*failed[0])
    return OnnxNetwork(name, family, [cpu], [*_notes(failed, cpu), *_overlooked(provider, machine)])


def _wanted(provider: str | None, machine: Machine) -> list[Provider]:
    """What to try before the CPU."""
    if provider is not None:
        found = providers.asked(provider, machine)
        return [] if found is CPU else [found]
    return [found for found in machine.possible() if found is not CPU and not found.only_asked]


def _expected(name: str, cpu: Session, family: Family) -> list[Alpha]:
    try:
        return warm_up(cpu, family)
    except FAILURES as error:
        raise ModelError(f"model {name!r} fails on its first frames: {reason(error)}; take another --model") from error


def _notes(failed: list[tuple[Provider, NotStarted]], session: Session) -> list[str]:
    return [f"{told(provider, error)}; running on {session.provider.title}" for provider, error in failed]


def told(provider: Provider, error: NotStarted) -> str:
    """What failed, why, and the mend."""
    return f"{provider.title} did not start: {error}" + (f"; {provider.mend}" if provider.mend else "")


def _refused(provider: Provider, error: NotStarted) -> ModelError:
    return ModelError(f"{told(provider, error)}; or leave out --provider {provider.name}")


def _overlooked(provider: str | None, machine: Machine) -> list[str]:
    """An NVIDIA GPU that the installed ONNX Runtime cannot use."""
    if provider is not None or not machine.nvidia or CUDA.key in machine.listed:
        return []
    return [f"an NVIDIA GPU is here, but {machine.lacks(CUDA)}; running on CPU"]
