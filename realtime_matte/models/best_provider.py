"""Start a network on the best provider that is verified to run it."""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import TypeAlias

from realtime_matte.errors import MatteError, ModelError
from realtime_matte.models.catalog import ModelFile
from realtime_matte.models.first_run import check_first_run
from realtime_matte.models.network import NetworkFile, OnnxNetwork, StartedNetwork
from realtime_matte.models.providers import AUTO_DEVICE, CPU, CUDA, OPENVINO, Machine, Provider, requested_provider
from realtime_matte.models.runtime import Runtime
from realtime_matte.models.session import Session, VerificationError
from realtime_matte.models.verify import (
    QUANTIZED_CPU,
    CpuReference,
    check_person,
    faster_quantized_session,
    verified_session,
    warm_up_frames,
)

_MAX_SLOWDOWN = 1.5
"""A provider that was not requested may take this many times the CPU's time, since it still relieves the CPU."""

Verify: TypeAlias = Callable[[CpuReference, Provider], Session]
"""``verified_session`` with its limits of time."""


def start(
    model: ModelFile,
    *,
    provider: str | None,
    threads: int,
    runtime: Runtime,
    machine: Machine,
    gpu_model: ModelFile | None = None,
    find_person: bool = False,
    limited: bool = False,
) -> OnnxNetwork:
    """Start a network. A session on the CPU is always kept, to compare others with it and to replace one that fails.

    Args:
        model: The network.
        provider: Use this one or fail; None: the best.
        threads: CPU threads.
        runtime: ONNX Runtime.
        machine: Its providers and GPU.
        gpu_model: Run this one instead on a GPU that is fast enough.
        find_person: Refuse a network that does not find the person of the sample portrait, and the background.
        limited: Refuse a network whose first run, in a process of its own, reaches a limit of memory or time.

    Raises:
        SpecError, MissingFile, BadFile, ModelError: as ``models.open``.
    """
    reference = CpuReference.read(model, runtime, threads=threads)
    if limited:
        check_first_run(model, reference.adapter, warm_up_frames()[0])
    if find_person:
        check_person(model.name, reference.warm_up.alphas)
    candidates = _candidates(provider, machine)
    max_slowdown = _MAX_SLOWDOWN if provider is None else inf
    verify = partial(verified_session, cpu_s=reference.warm_up.seconds, max_slowdown=max_slowdown)
    failures: list[ModelError] = []
    for candidate in candidates:
        try:
            running, started, notices = _start_on(candidate, reference, gpu_model, verify)
        except VerificationError as error:
            failures.append(_not_used(candidate, error))
        else:
            on_cpu = _started(reference, reference.session)
            notices = [*_fall_backs(failures, candidate), *notices]
            return OnnxNetwork([started, on_cpu], notices, _for_pipeline(running, candidate))
    if provider is not None and failures:
        hints = [failures[0].hint, f"leave out --provider {candidates[0].name}"]
        raise ModelError(failures[0].message, hint="; or ".join(filter(None, hints)))
    sessions, notices = _cpu_sessions(reference)
    notices = [*_fall_backs(failures, CPU), *_unusable_gpu(provider, machine), *notices]
    pipeline = _for_pipeline(reference, requested_provider(provider, machine)) if provider else None
    return OnnxNetwork([_started(reference, session) for session in sessions], notices, pipeline)


def _candidates(provider: str | None, machine: Machine) -> list[Provider]:
    """The providers to try before the CPU, best first. Raises SpecError."""
    if provider is not None:
        requested = requested_provider(provider, machine)
        if requested.chosen == AUTO_DEVICE:  # ONNX Runtime's own AUTO leaves everything to its CPU provider
            return [OPENVINO.on(device) for device in OPENVINO.devices if device != AUTO_DEVICE]
        return [] if requested.key == CPU.key else [requested]
    return [found for found in machine.available() if found is not CPU and not found.on_request_only]


def _start_on(
    candidate: Provider, reference: CpuReference, gpu_model: ModelFile | None, verify: Verify
) -> tuple[CpuReference, StartedNetwork, list[str]]:
    """The GPU model where the provider is a GPU that runs it well, else the network of ``reference``; and notices.

    Raises:
        VerificationError: of the network of ``reference``.
    """
    if gpu_model is None or not candidate.gpu:
        return reference, _started(reference, verify(reference, candidate)), []
    try:
        large = CpuReference.read(gpu_model, reference.runtime, threads=reference.threads)
        return large, _started(large, verify(large, candidate)), []
    except MatteError as error:
        started = _started(reference, verify(reference, candidate))
        return reference, started, [f"{candidate.title} runs {reference.name!r} instead of {gpu_model.name!r}: {error}"]


def _cpu_sessions(reference: CpuReference) -> tuple[list[Session], list[str]]:
    """The sessions to run on the CPU, in order, and a notice if the quantized model failed verification."""
    try:
        quantized = faster_quantized_session(reference)
    except VerificationError as error:
        return [reference.session], _fall_backs([_not_used(QUANTIZED_CPU, error)], CPU)
    return ([quantized, reference.session] if quantized else [reference.session]), []


def _started(reference: CpuReference, session: Session) -> StartedNetwork:
    return StartedNetwork(reference.name, session, reference.adapter)


def _for_pipeline(reference: CpuReference, provider: Provider) -> NetworkFile | None:
    """What a renderer needs to run this network in a graph of its own; None if the user did not request that."""
    if not provider.pipeline:
        return None
    return NetworkFile(reference.graph, reference.adapter, provider, reference.runtime, reference.threads)


def _not_used(provider: Provider, error: VerificationError) -> ModelError:
    return ModelError(f"{provider.title} is not used: {error.message}", hint=error.hint or provider.run_hint)


def _fall_backs(failures: Sequence[ModelError], actual: Provider) -> list[str]:
    return [f"{failure}; running on {actual.title}" for failure in failures]


def _unusable_gpu(provider: str | None, machine: Machine) -> list[str]:
    """A notice if the installed ONNX Runtime cannot use the NVIDIA GPU of this machine."""
    if provider is not None or not machine.nvidia or CUDA.key in machine.listed:
        return []
    return [f"the NVIDIA GPU is not used: {machine.unavailable(CUDA)}; running on CPU"]
