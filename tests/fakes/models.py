"""A fake ONNX Runtime that plays a provider which is not installed, at the lowest level: sessions and bindings.

What the provider computes, the real CPU provider computes. Played is what surrounds it: whether it starts, what its
profile says, when it fails, and a device's memory, which gets an input only when that is bound.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime_matte.frame import Frame
from realtime_matte.models import best_provider
from realtime_matte.models.catalog import ModelFile
from realtime_matte.models.network import OnnxNetwork
from realtime_matte.models.providers import CPU, CUDA, TENSORRT, Machine
from realtime_matte.models.runtime import OrtSession, OrtValue, Runtime, installed_runtime

CPU_RUN_S = 0.01

GPU = Machine({CUDA.key, TENSORRT.key, CPU.key}, nvidia=True)
NO_GPU = Machine({CUDA.key, TENSORRT.key, CPU.key}, nvidia=False, system="linux")


@dataclass
class Script:
    """What a played provider does.

    ``start_error``: raised when started. ``unlisted``: starts, but is missing in the session's list of providers.
    ``runs_nothing``: leaves every operator to the CPU; ``convolutions_on_cpu``: that many. ``computes``: this graph
    instead. ``fails_on``: from that run on, counted from 1 with the warm-up's three, it raises ``error``;
    ``failures``: so many times. ``profile``: content of its profile, instead of what ran. ``stale_inputs``: never gets
    a second input, as a device that copies once; ``stale_states``: never a second state. ``prints``: output of loading
    its libraries. ``library_error``: why its library does not load. ``run_s``: how long a run takes by the fake clock;
    CPU_RUN_S on the CPU, half of that elsewhere. ``plan_s``: extra time of a run whose inputs have other shapes than
    in the session's last one, as cuDNN plans every convolution again then. ``cuda_graphs``: the one of each run that
    names one.
    """

    start_error: str = ""
    unlisted: bool = False
    runs_nothing: bool = False
    convolutions_on_cpu: int = 0
    computes: Path | None = None
    fails_on: int | None = None
    failures: float = math.inf
    profile: str | None = None
    error: Exception | None = None
    stale_inputs: bool = False
    stale_states: bool = False
    prints: str = ""
    library_error: str = ""
    run_s: float | None = None
    plan_s: float = 0.0
    runs: int = 0
    options: dict[str, str] = field(default_factory=dict)
    starts: int = 0
    cuda_graphs: list[str] = field(default_factory=list)


@dataclass
class Clock:
    """Advances only while a played session runs."""

    now: float = 0.0


def start_network(
    path: Path,
    scripts: dict[str, Script],
    *,
    machine: Machine = GPU,
    provider: str | None = None,
    gpu_model: ModelFile | None = None,
    options: Mapping[str, object] | None = None,
) -> OnnxNetwork:
    """The network of a file, named "tiny", on a fake ONNX Runtime."""
    return best_provider.start(
        ModelFile("tiny", path, options or {}),
        provider=provider,
        threads=1,
        runtime=fake_runtime(scripts),
        machine=machine,
        gpu_model=gpu_model,
    )


def mean_alphas(network: OnnxNetwork, levels: Sequence[int]) -> list[float]:
    """The mean alpha of each grey frame of one shot."""
    state, means = None, []
    for index, level in enumerate(levels):
        frame = Frame(np.full((72, 128, 3), level, np.uint8), float(index), index)
        matte, state = network.process(frame, state)
        means.append(round(float(matte.alpha.mean()), 3))
    return means


def fake_runtime(scripts: dict[str, Script]) -> Runtime:
    """An ONNX Runtime on which providers of these keys, or sessions of files of these names, follow their scripts."""
    real, clock, resident = installed_runtime(), Clock(), list[OrtValue]()

    def tensor(array: Any, device: str) -> OrtValue:  # noqa: ANN401
        value = real.tensor(array, "cpu")
        if device != "cpu":
            resident.append(value)
        return value

    def start_session(path: str, options: object, providers: Sequence[tuple[str, dict[str, str]]]) -> OrtSession:
        key = providers[0][0]
        script = scripts.get(Path(path).name) or scripts.setdefault(key, Script())
        script.starts, script.options = script.starts + 1, providers[0][1]
        if script.start_error:
            raise script.error or RuntimeError(script.start_error)
        started = real.start_session(str(script.computes or path), options, [(CPU.key, {})])
        return _Session(started, key, script, clock, resident)

    def preload_cuda() -> None:
        for script in scripts.values():
            print(script.prints)  # noqa: T201 -- as ONNX Runtime does

    return Runtime(
        start_session=start_session,
        tensor=tensor,
        empty_tensor=lambda shape, _: real.empty_tensor(shape, "cpu"),
        preload_cuda=preload_cuda,
        library_error=lambda provider: scripts[provider.key].library_error,
        clock=lambda: clock.now,
    )


class _Session:
    def __init__(self, real: OrtSession, key: str, script: Script, clock: Clock, resident: Sequence[OrtValue]) -> None:
        self._real, self._key, self._script, self._clock, self._resident = real, key, script, clock, resident
        self._planned: dict[str, list[int]] = {}

    def get_providers(self) -> Sequence[str]:
        return [CPU.key] if self._script.unlisted else [self._key, CPU.key]

    def io_binding(self) -> "_Binding":
        return _Binding(self._real.io_binding(), self._script, self._resident)

    def run_with_iobinding(self, binding: Any, options: Any = None) -> None:  # noqa: ANN401 -- a _Binding
        self._script.runs += 1
        if options is not None:
            self._script.cuda_graphs.append(options.get_run_config_entry("gpu_graph_id"))
        default_s = CPU_RUN_S if self._key == CPU.key else CPU_RUN_S / 2
        self._clock.now += default_s if self._script.run_s is None else self._script.run_s
        if binding.shapes != self._planned:
            self._clock.now, self._planned = self._clock.now + self._script.plan_s, binding.shapes
        if self._script.fails_on is not None and 0 <= self._script.runs - self._script.fails_on < self._script.failures:
            raise self._script.error or RuntimeError("CUDA failure 700: an illegal memory access was encountered")
        self._real.run_with_iobinding(binding.real, options)

    def end_profiling(self) -> str:
        path = Path(self._real.end_profiling())
        events = json.loads(path.read_text("utf-8"))
        ran = [event["args"] for event in events if "provider" in event.get("args", {})]
        convolutions = [args for args in ran if args["op_name"] == "Conv"]
        on_cpu = ran if self._script.runs_nothing else convolutions[: self._script.convolutions_on_cpu]
        for args in ran:
            args["provider"] = CPU.key if any(args is one for one in on_cpu) else self._key
        path.write_text(json.dumps(events) if self._script.profile is None else self._script.profile, "utf-8")
        return str(path)


class _Binding:
    """``resident``: the tensors that are in the device's memory already."""

    def __init__(self, real: Any, script: Script, resident: Sequence[OrtValue]) -> None:  # noqa: ANN401
        self.real, self._script, self._resident = real, script, resident
        self._on_device: dict[str, OrtValue] = {}

    @property
    def shapes(self) -> dict[str, list[int]]:
        return {name: value.shape() for name, value in self._on_device.items()}

    def bind_ortvalue_input(self, name: str, value: OrtValue, /) -> None:
        stale = self._script.stale_inputs or (self._script.stale_states and name.startswith("m"))
        if not (stale and name in self._on_device):
            there = any(value is one for one in self._resident)
            self._on_device[name] = value if there else type(value).ortvalue_from_numpy(value.numpy().copy(), "cpu", 0)
        self.real.bind_ortvalue_input(name, self._on_device[name])

    def bind_ortvalue_output(self, name: str, value: OrtValue, /) -> None:
        self.real.bind_ortvalue_output(name, value)

    def bind_output(self, name: str, device: str, /) -> None:
        assert device in {"cpu", "cuda"}, device
        self.real.bind_output(name, "cpu")

    def get_outputs(self) -> Sequence[OrtValue]:
        return self.real.get_outputs()  # type: ignore[no-any-return]

    def synchronize_inputs(self) -> None:
        self.real.synchronize_inputs()

    def synchronize_outputs(self) -> None:
        self.real.synchronize_outputs()
