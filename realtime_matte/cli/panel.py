"""``rtmatte panel``: runs everything, and opens the control panel in the browser."""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from realtime_matte.cli import running
from realtime_matte.cli.signals import Signals
from realtime_matte.errors import MatteError, SourceError, masked

if TYPE_CHECKING:
    from realtime_matte.cli.console import Screen
    from realtime_matte.cli.keys import Keys
    from realtime_matte.config.config import Config
    from realtime_matte.panel.opening import Opens
    from realtime_matte.panel.panel_run import PanelRun
    from realtime_matte.panel.supervisor import Supervisor
    from realtime_matte.pipeline.pipeline import Pipeline

ABOUT = "Replace the background of a camera, live, with a control panel in the browser."

ANSWER_S: Final = 5.0
"""How long a running rtmatte may take to answer: then it is taken for one without a panel."""

EPILOG = """\
It starts without a camera too: the page then shows what is missing, and a camera that is plugged in is found.
While one runs, the same command again opens the page of that one.

examples:
  rtmatte panel                      your browser shows the panel
  rtmatte panel --app                in a window of its own, where Chrome, Edge or Chromium is found
  rtmatte --panel --bg blur          a normal run with the panel beside it; it ends where that would end
"""


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """Run until the user quits. FAILED if an output failed."""
    parser = running.parser(prog, ABOUT, epilog=EPILOG)
    parser.add_argument("--no-open", action="store_true", help="print the address of the page instead of opening it")
    parser.add_argument("--app", action="store_true", help="open the page as an app window of a Chromium-like browser")
    arguments = vars(parser.parse_args(words))
    no_open, app = arguments.pop("no_open"), arguments.pop("app")
    opens: Opens | None = None if no_open else "app" if app else "page"

    def run_with_panel(config: "Config", signals: Signals, shown: "Screen", config_file: str | None) -> int:
        if config.control and _opened_running(config, shown, opens):
            return 0
        return supervise(config, signals, shown, config_file=config_file, opens=opens, stay=True)

    return running.start(arguments, signals, run_with_panel)


def _opened_running(config: "Config", shown: "Screen", opens: "Opens | None") -> bool:
    """Whether a panel with this camera runs already, of which the page was opened instead, or its address printed."""
    from realtime_matte.control.client import ask, instances
    from realtime_matte.panel.opening import open_browser

    for instance in instances():
        with suppress(MatteError):  # it has no panel, or does not answer
            present = ask(instance, "status", timeout_s=ANSWER_S)["status"]["options"]
            if present.get("camera") != masked(config.camera):
                continue
            page = ask(instance, "panel", timeout_s=ANSWER_S)["page"]
            shown.notify(f"this camera is used by rtmatte (pid {instance.pid}) already, so nothing else is started")
            shown.notify(f"its control panel: {page}")
            if opens and (notice := open_browser(page, opens=opens)):
                shown.notify(notice)
            return True
    return False


def supervise(
    config: "Config",
    signals: Signals,
    shown: "Screen",
    *,
    config_file: str | None,
    opens: "Opens | None",
    stay: bool,
) -> int:
    """Serve the panel, and run a pipeline, or several one after another. The number of outputs that failed.

    Raises:
        MatteError: A value is wrong, so that no pipeline could ever be opened.
    """
    from realtime_matte.cli.blocked_signals import reported
    from realtime_matte.cli.crash_trace import earlier_crash
    from realtime_matte.cli.job_control import job_control
    from realtime_matte.cli.keys import Keys
    from realtime_matte.control.server import serve
    from realtime_matte.panel.opening import page_opened
    from realtime_matte.panel.panel_run import PanelRun
    from realtime_matte.panel.password import panel_address
    from realtime_matte.panel.server import PanelServer
    from realtime_matte.panel.supervisor import Supervisor
    from realtime_matte.pipeline.checks import check_config

    if not stay:
        check_config(config)
    signals.raise_interrupts()
    opening = _Opening(signals)
    supervisor = Supervisor(config, notify=shown.notify, open_pipeline=opening)
    notices = earlier_crash()
    with (
        reported(signals, running.devices(config), keeps_files=lambda: opening.keeps_files),
        closing(PanelServer(supervisor, panel_address(config), config_file=config_file)) as server,
        page_opened(server, opens=opens, notify=shown.notify) as another_page,
        serve(run := PanelRun(supervisor, another_page), enabled=config.control) as control_notices,
        closing(Keys(supervisor.request)) as keys,
        job_control(suspend=(shown.suspend, keys.suspend), resume=shown.resume),
    ):
        signals.forward_to(supervisor.request)
        pipelines = _Pipelines(config, shown, keys, run, [*notices, *control_notices])
        supervisor.run(pipelines.show, wait=partial(pipelines.wait, supervisor), stay=stay)
    fault = supervisor.current.fault
    if fault and not pipelines.opened and not isinstance(fault, SourceError):  # a camera may be plugged in later
        raise fault
    return pipelines.failed_outputs


class _Pipelines:
    """Runs the supervisor's pipelines one after another, with the keys and the progress line of this process.

    Attributes:
        opened: Whether there was one.
        failed_outputs: Of all of them together.
    """

    def __init__(
        self, config: "Config", shown: "Screen", keys: "Keys", run: "PanelRun", notices: Sequence[str]
    ) -> None:
        self.opened = False
        self.failed_outputs = 0
        self._config = config
        self._shown = shown
        self._keys = keys
        self._run = run
        self._notices = notices  # of the first pipeline only
        self._reached = running.limit(config)

    def show(self, pipeline: "Pipeline") -> None:
        """Run one until it ends."""
        self.opened = True
        try:
            with self._run.showing(pipeline):
                notices, self._notices = [*self._notices, *pipeline.notices, *self._keys.notices], ()
                running.show(pipeline, self._config, self._shown, self._keys, notices=notices, reached=self._reached)
        finally:
            self._shown.end(pipeline)
            self.failed_outputs += pipeline.failed_outputs

    def wait(self, supervisor: "Supervisor") -> None:
        """Called at intervals while there is no pipeline."""
        self._keys.poll()
        if self._reached(None):
            supervisor.request("quit")


class _Opening:
    """Opens pipelines, each of which may take many seconds; a signal to quit ends that with KeyboardInterrupt.

    Attributes:
        keeps_files: Whether outputs of the newest one write files.
    """

    def __init__(self, signals: Signals) -> None:
        self.keeps_files = False
        self._signals = signals

    def __call__(self, *, config: "Config", notify: Callable[[str], None]) -> "Pipeline":
        """The pipeline, open. Raises MatteError."""
        from realtime_matte.pipeline.pipeline import Pipeline

        self.keeps_files = running.keeps_files(config)
        self._signals.start_opening()
        try:
            return Pipeline.open(config=config, notify=notify)
        finally:
            self._signals.end_opening()
