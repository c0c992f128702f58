"""The figures of a running line, in words."""

from realtime_matte.pipeline.pipeline import Pipeline
from realtime_matte.stats import Report, Spread

QUIET_S = 0.00005
"""A stage that costs less is left out."""


def live_line(pipeline: Pipeline, *, verbose: bool) -> str:
    """One line: fps, age, time per stage, what runs the network, the source's mode, drops."""
    if pipeline.camera_off_reason:
        return pipeline.camera_off_reason
    report = pipeline.stats.report()
    parts = [f"{report.fps:.1f} fps"]
    if pipeline.live and report.age:
        parts.append(f"age {_ms(report.age)} ms")
    if report.stages:
        parts.append(stages(report, verbose=verbose))
    parts += [pipeline.model, pipeline.mode]
    if pipeline.live:
        parts.append(f"{pipeline.dropped} dropped")
    if report.standby_cards:
        parts.append(f"{report.standby_cards} standby")
    return " | ".join(parts)


def stages(report: Report, *, verbose: bool) -> str:
    """Milliseconds per stage; waiting for the source is no cost."""
    shown = {name: spread for name, spread in report.stages.items() if name != "wait" and spread.p95 > QUIET_S}
    times = [f"{name} {_ms(spread) if verbose else f'{spread.p50 * 1e3:.1f}'}" for name, spread in shown.items()]
    return ", ".join(times) + " ms"


def _ms(spread: Spread) -> str:
    return f"{spread.p50 * 1e3:.1f}/{spread.p95 * 1e3:.1f}"
