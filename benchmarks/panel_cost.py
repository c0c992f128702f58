"""Cost of the control panel: processor time and age with a page open and without, memory, time to the first preview.

The pipeline runs in this process, as `rtmatte panel` does it; the page is another process that asks for the next
preview of 640x360 once it has the last one; the server makes 15 a second at most. Rounds with and without it are pairs,
and every other pair begins with the page. The network is fixed, so that the governor does not change it. The panel's
processor time is that of its threads and of what the pipeline's thread does for it, which is exact to the microsecond
on a busy machine too; the difference of the whole process is printed beside it as a check.

    python benchmarks/panel_cost.py [--seconds 10] [--rounds 4] [--camera demo] [--size 640x360] [--model small-int8]
    python benchmarks/panel_cost.py --start
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from websockets.sync.client import connect
from websockets.typing import Origin

WIDTH: Final = 640
SETTLE_S: Final = 3.0
PAGE: Final = "import sys; sys.path[:0] = [{folder!r}]; import panel_cost; panel_cost.page()"


@dataclass(frozen=True, slots=True)
class Round:
    """Shares of one core, the age of composites in ms, rates, and memory in MB."""

    panel: float
    pipeline: float
    process: float
    age_p95: float
    fps: float
    previews: float
    memory: float


def page() -> None:
    """A page that looks: reads the address from standard input, and prints how many previews came each second."""
    url, token = sys.stdin.readline().split()
    with connect(f"{url.replace('http', 'ws', 1)}api/live", origin=Origin(url.rstrip("/")), compression=None) as socket:
        socket.send(json.dumps({"token": token}))
        socket.send(json.dumps({"type": "next", "width": WIDTH}))
        count, size, start = 0, 0, time.monotonic()
        while True:
            message = socket.recv()
            if isinstance(message, bytes):
                count, size = count + 1, size + len(message)
                print(json.dumps([count / (time.monotonic() - start), size / count]), flush=True)
                socket.send(json.dumps({"type": "next", "width": WIDTH}))


class Measurement:
    """A pipeline with its panel in this process, and rounds with a page and without."""

    def __init__(self, camera: str, size: str, model: str) -> None:
        self._memory = [resident()]
        from realtime_matte.cli.console import limit_opencv_threads  # noqa: PLC0415 - the memory of these is measured
        from realtime_matte.config.config import Config  # noqa: PLC0415
        from realtime_matte.panel.server import PanelServer  # noqa: PLC0415
        from realtime_matte.panel.supervisor import Supervisor  # noqa: PLC0415

        limit_opencv_threads()
        self._spent = 0.0  # the pipeline's thread adds to it
        values: dict[str, Any] = {
            "camera": camera,
            "size": size,
            "model": model,
            "output": "null",
        }  # as text: Config parses them
        config = Config(**values)
        self._supervisor = Supervisor(config, notify=print, open_pipeline=self._open)
        self._server = PanelServer(self._supervisor)

    def run(self, seconds: float, rounds: int) -> None:
        """Print the rounds and their medians."""
        driver = threading.Thread(target=self._drive, args=(seconds, rounds), daemon=True)
        driver.start()
        self._supervisor.run(lambda pipeline: pipeline.run(), wait=lambda: None)
        driver.join(10)
        self._server.close()

    def _open(self, **options: Any) -> Any:  # noqa: ANN401 - a pipeline, imported later
        """The pipeline, with the time of what the panel calls in its thread added up."""
        from realtime_matte.pipeline.pipeline import Pipeline  # noqa: PLC0415

        pipeline = Pipeline.open(**options)
        call = pipeline.call

        def timed(function: Callable[[], Any]) -> Callable[[], Any]:
            def run() -> Any:  # noqa: ANN401 - of the panel
                start = time.thread_time()
                try:
                    return function()
                finally:
                    self._spent += time.thread_time() - start

            return run

        def timed_call(function: Callable[[], object], *, when: Callable[[], bool] | None = None) -> object:
            return call(timed(function), when=when and timed(when))

        pipeline.call = timed_call  # type: ignore[method-assign, assignment]
        return pipeline

    def _drive(self, seconds: float, rounds: int) -> None:
        while self._supervisor.current.pipeline is None:
            time.sleep(0.1)
        time.sleep(SETTLE_S)
        self._memory.append(resident())
        report([self._pair(seconds, page_first=number % 2 == 1) for number in range(rounds)], self._memory)
        self._supervisor.request("quit")

    def _pair(self, seconds: float, *, page_first: bool) -> tuple[Round, Round]:
        """A round without a page, and one with it."""
        first, second = (self._round(seconds, watched=watched) for watched in (page_first, not page_first))
        return (second, first) if page_first else (first, second)

    def _round(self, seconds: float, *, watched: bool) -> Round:
        pipeline = self._supervisor.current.pipeline
        if pipeline is None:
            raise RuntimeError("the pipeline has ended")
        viewer = start_page(self._server.url, self._server.token) if watched else None
        time.sleep(SETTLE_S)
        pipeline.call(pipeline.stats.restart).result(SETTLE_S)
        threads, spent, process, start = panel_seconds(), self._spent, time.process_time(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        panel, pipelines = panel_seconds() - threads, self._spent - spent
        whole = time.process_time() - process
        stats: Any = pipeline.call(pipeline.stats.report).result(SETTLE_S)
        used = resident()
        previews = stop_page(viewer) if viewer else 0.0
        return Round(
            panel / took, pipelines / took, whole / took, stats.age.p95 * 1e3, stats.fps, previews=previews, memory=used
        )


def panel_seconds() -> float:
    """Processor time of the panel's threads so far."""
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident and thread.name.startswith("panel")
    )


def start_page(url: str, token: str) -> "subprocess.Popen[str]":
    """A page in another process."""
    code = PAGE.format(folder=str(Path(__file__).parent))
    viewer = subprocess.Popen(  # noqa: S603 - this file
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pipe(viewer.stdin).write(f"{url} {token}\n")
    pipe(viewer.stdin).flush()
    return viewer


def pipe(stream: IO[str] | None) -> IO[str]:
    """The stream, which there is."""
    if stream is None:
        raise RuntimeError("the process has no pipe")
    return stream


def stop_page(viewer: "subprocess.Popen[str]") -> float:
    """End it, and print how many previews it got. Returns their rate."""
    viewer.kill()
    lines = viewer.communicate()[0].split("\n")
    rate, size = json.loads(lines[-2] if len(lines) > 1 else "[0, 0]")
    print(f"  the page got {rate:.1f} previews a second of {size / 1024:.1f} kB", flush=True)
    return float(rate)


def report(pairs: list[tuple[Round, Round]], memory: list[float]) -> None:
    """Print medians."""
    for number, name in enumerate(("no page", "a page with preview")):
        rounds = [pair[number] for pair in pairs]
        panel, pipeline, process, age, fps, previews, used = (
            statistics.median(getattr(one, field) for one in rounds) for field in Round.__slots__
        )
        print(
            f"{name}: panel's threads {panel:.2%} of a core, for it in the pipeline's thread {pipeline:.2%},"
            f" whole process {process:.1%}, age p95 {age:.1f} ms, {fps:.1f} fps,"
            f" {previews:.1f} previews/s, {used:.0f} MB"
        )
    cost = [other.panel + other.pipeline - one.panel - one.pipeline for one, other in pairs]
    ages = [other.age_p95 - one.age_p95 for one, other in pairs]
    more = [other.memory - one.memory for one, other in pairs]
    each = [1e3 * share / other.previews for share, (_, other) in zip(cost, pairs, strict=True) if other.previews]
    print("medians of the differences in pairs, with the page less without:")
    print(f"  processor {statistics.median(cost):.2%} of a core ({', '.join(f'{one:.2%}' for one in cost)})")
    if each:
        print(f"  that is {statistics.median(each):.2f} ms a preview, so {statistics.median(each) * 1.5:.2f}% at 15/s")
    print(f"  age p95 {statistics.median(ages):+.1f} ms ({', '.join(f'{one:+.1f}' for one in ages)})")
    print(f"  memory {statistics.median(more):+.1f} MB ({', '.join(f'{one:+.1f}' for one in more)})")
    print(f"memory: {memory[0]:.0f} MB at the start, {memory[1]:.0f} MB with the pipeline and the panel")


def resident() -> float:
    """Resident memory of this process in MB; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6 if status.exists() else 0.0


def measure_start(camera: str, size: str, model: str) -> None:
    """Print how long `rtmatte panel` takes to its page and to its first preview, of a new process."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        command = [sys.executable, "-m", "realtime_matte", "panel", "--no-open", "--quiet"]
        program = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--camera", camera, "--size", size, "--model", model, "--output", "null"],
            env=os.environ | {"XDG_RUNTIME_DIR": folder},
            stderr=subprocess.DEVNULL,
        )
        found: list[Path] = []
        while not found:
            time.sleep(0.01)
            found = list(Path(folder).rglob("rtmatte-*.html"))
        time.sleep(0.05)  # until it is written
        address = re.search(r'url=([^#]+)#token=([^"]+)"', found[0].read_text("utf-8"))
        url, token = (address[1], address[2]) if address else ("", "")
        print(f"page ready after {time.monotonic() - start:.2f} s")
        viewer = start_page(url, token)
        pipe(viewer.stdout).readline()
        print(f"first preview after {time.monotonic() - start:.2f} s")
        viewer.kill()
        viewer.communicate()
        program.terminate()
        program.wait(30)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--camera", default="demo")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--model", default="small-int8", help="fixed, so that the governor does not change it")
    parser.add_argument("--start", action="store_true", help="measure the start instead")
    arguments = parser.parse_args()
    if arguments.start:
        measure_start(arguments.camera, arguments.size, arguments.model)
    else:
        Measurement(arguments.camera, arguments.size, arguments.model).run(arguments.seconds, arguments.rounds)


if __name__ == "__main__":
    main()
