"""An ONNX Runtime that plays a provider which is not there, at the lowest line: sessions and bindings.

What the provider computes, the real CPU provider computes. Played is what surrounds it: whether it starts, what it
claims to have run, when it fails, and a device's memory, which sees an input only when that is bound.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime_matte.models.runtime import Native, Runtime, Value, installed_runtime

CPU_KEY = "CPUExecutionProvider"
CPU_TAKES_S = 0.01


@dataclass
class Script:
    """What a played provider does.

    ``refuses``: raises this when started. ``hides``: starts, and leaves itself out of the session's list. ``idle``:
    claims to run, and leaves everything to the CPU; ``left``: that many convolutions. ``instead``: really computes
    this graph. ``fails_on``: from that run on, counted from 1 with the warm-up's three, it raises ``error``; ``fails``:
    so many times. ``trace``: what its trace holds in place of what ran. ``stale``: never sees a second input, as a
    device does that copies once; ``forgets``: never a second memory. ``prints``: what preloading its libraries says.
    ``lacks``: what keeps its library from loading. ``takes_s``: how long a run is, by the played clock; CPU_TAKES_S on
    the CPU, half of that elsewhere. ``plans_s``: how much longer one is whose inputs have other shapes than the
    session's last ones, as cuDNN plans every convolution anew then.
    """

    refuses: str = ""
    hides: bool = False
    idle: bool = False
    left: int = 0
    instead: Path | None = None
    fails_on: int | None = None
    fails: float = math.inf
    trace: str | None = None
    error: Exception | None = None
    stale: bool = False
    forgets: bool = False
    prints: str = ""
    lacks: str = ""
    takes_s: float | None = None
    plans_s: float = 0.0
    runs: int = 0
    options: dict[str, str] = field(default_factory=dict)
    starts: int = 0


@dataclass
class Clock:
    """Goes on only while a played session runs."""

    now: float = 0.0


def played(scripts: dict[str, Script]) -> Runtime:
    """An ONNX Runtime on which the providers of these keys, or sessions of files so called, do as their scripts say."""
    real, clock = installed_runtime(), Clock()

    def native(path: str, options: object, providers: Sequence[tuple[str, dict[str, str]]]) -> Native:
        key = providers[0][0]
        script = scripts.get(Path(path).name) or scripts.setdefault(key, Script())
        script.starts, script.options = script.starts + 1, providers[0][1]
        if script.refuses:
            raise script.error or RuntimeError(script.refuses)
        return _Native(real.native(str(script.instead or path), options, [(CPU_KEY, {})]), key, script, clock)

    def preload() -> None:
        for script in scripts.values():
            print(script.prints)  # noqa: T201 -- as ONNX Runtime does

    return Runtime(
        native=native,
        value=lambda array, _: real.value(array, "cpu"),
        empty=lambda shape, _: real.empty(shape, "cpu"),
        preload=preload,
        library=lambda provider: scripts[provider.key].lacks,
        clock=lambda: clock.now,
    )


class _Native:
    def __init__(self, real: Native, key: str, script: Script, clock: Clock) -> None:
        self._real, self._key, self._script, self._clock = real, key, script, clock
        self._planned: dict[str, list[int]] = {}

    def get_providers(self) -> Sequence[str]:
        return [CPU_KEY] if self._script.hides else [self._key, CPU_KEY]

    def io_binding(self) -> "_Binding":
        return _Binding(self._real.io_binding(), self._script)

    def run_with_iobinding(self, binding: Any) -> None:  # noqa: ANN401 -- only ever our own
        self._script.runs += 1
        usual_s = CPU_TAKES_S if self._key == CPU_KEY else CPU_TAKES_S / 2
        self._clock.now += usual_s if self._script.takes_s is None else self._script.takes_s
        if binding.shapes != self._planned:
            self._clock.now, self._planned = self._clock.now + self._script.plans_s, binding.shapes
        if self._script.fails_on is not None and 0 <= self._script.runs - self._script.fails_on < self._script.fails:
            raise self._script.error or RuntimeError("CUDA failure 700: an illegal memory access was encountered")
        self._real.run_with_iobinding(binding.real)

    def end_profiling(self) -> str:
        path = Path(self._real.end_profiling())
        events = json.loads(path.read_text("utf-8"))
        ran = [event["args"] for event in events if "provider" in event.get("args", {})]
        convolutions = [args for args in ran if args["op_name"] == "Conv"]
        kept = ran if self._script.idle else convolutions[: self._script.left]
        for args in ran:
            args["provider"] = CPU_KEY if any(args is one for one in kept) else self._key
        path.write_text(json.dumps(events) if self._script.trace is None else self._script.trace, "utf-8")
        return str(path)


class _Binding:
    def __init__(self, real: Any, script: Script) -> None:  # noqa: ANN401 -- ONNX Runtime's
        self.real, self._script = real, script
        self._on_device: dict[str, Value] = {}

    @property
    def shapes(self) -> dict[str, list[int]]:
        return {name: value.shape() for name, value in self._on_device.items()}

    def bind_ortvalue_input(self, name: str, value: Value, /) -> None:
        kept = self._script.stale or (self._script.forgets and name.startswith("m"))
        if not (kept and name in self._on_device):
            self._on_device[name] = type(value).ortvalue_from_numpy(value.numpy().copy(), "cpu", 0)
        self.real.bind_ortvalue_input(name, self._on_device[name])

    def bind_ortvalue_output(self, name: str, value: Value, /) -> None:
        self.real.bind_ortvalue_output(name, value)

    def bind_output(self, name: str, device: str, /) -> None:
        assert device in {"cpu", "cuda"}, device
        self.real.bind_output(name, "cpu")

    def get_outputs(self) -> Sequence[Value]:
        return self.real.get_outputs()  # type: ignore[no-any-return]

    def synchronize_inputs(self) -> None:
        self.real.synchronize_inputs()

    def synchronize_outputs(self) -> None:
        self.real.synchronize_outputs()
