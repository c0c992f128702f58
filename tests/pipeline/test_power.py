"""Whether the machine runs on its battery, from a folder as Linux shows it."""

from pathlib import Path

import pytest

from realtime_matte.pipeline.power import CHECK_EVERY_S, PowerSaver, on_battery

DISCHARGING = {"type": "Battery", "status": "Discharging"}


def make(root: Path, **supplies: dict[str, str]) -> Path:
    """A folder of supplies, each with its values."""
    for name, values in supplies.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for key, value in values.items():
            (root / name / key).write_text(f"{value}\n")
    return root


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ({}, False),
        ({"BAT0": DISCHARGING}, True),
        ({"BAT0": {**DISCHARGING, "scope": "System"}, "AC": {"type": "Mains", "online": "0"}}, True),
        ({"BAT0": DISCHARGING, "AC": {"type": "Mains", "online": "1"}}, False),
        ({"BAT0": DISCHARGING, "ucsi": {"type": "USB", "online": "1"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Charging"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Full"}, "BAT1": DISCHARGING}, True),
        ({"mouse": {**DISCHARGING, "scope": "Device"}}, False),
        ({"mouse": {"type": "USB", "online": "1", "scope": "Device"}, "BAT0": DISCHARGING}, True),
        ({"BAT0": {"type": "Battery"}}, False),
    ],
)
def test_a_machine_is_on_battery_if_one_discharges_and_no_charger_is_connected(
    tmp_path: Path, supplies: dict[str, dict[str, str]], *, expected: bool
) -> None:
    assert on_battery(make(tmp_path, **supplies)) is expected


def test_other_systems_have_no_such_folder(tmp_path: Path) -> None:
    assert not on_battery(tmp_path / "no")


def test_the_system_is_asked_rarely(tmp_path: Path) -> None:
    saver = PowerSaver("auto", supplies=make(tmp_path, AC={"type": "Mains", "online": "1"}, BAT0=DISCHARGING))
    assert not saver.is_saving(5.0)
    make(tmp_path, AC={"online": "0"})
    assert not saver.is_saving(5.0 + CHECK_EVERY_S - 0.1)
    assert saver.is_saving(5.0 + CHECK_EVERY_S)
    make(tmp_path, AC={"online": "1"})
    assert not saver.is_saving(5.0 + 2 * CHECK_EVERY_S)


def test_on_and_off_do_not_ask_the_system(tmp_path: Path) -> None:
    on_battery_folder = make(tmp_path, BAT0=DISCHARGING)
    assert not PowerSaver("off", supplies=on_battery_folder).is_saving(0.0)
    saver = PowerSaver("on", supplies=tmp_path / "no")
    assert saver.is_saving(0.0)
    saver.set_mode("auto")
    assert not saver.is_saving(0.0)
