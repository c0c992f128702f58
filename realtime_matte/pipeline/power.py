"""Power: whether the machine runs on its battery, and when a lighter model saves it."""

from pathlib import Path
from typing import Final, Literal, TypeAlias

Mode: TypeAlias = Literal["auto", "on", "off"]

SUPPLIES: Final = Path("/sys/class/power_supply")
"""Where Linux lists batteries and chargers; other systems have no such folder."""

CHECK_EVERY_S: Final = 10.0
"""Some firmware takes milliseconds to answer."""


class PowerSaver:
    """Whether to save power: always, never, or while the machine runs on its battery (Linux).

    Args:
        mode: ``auto`` asks the system.
        supplies: See SUPPLIES.
    """

    def __init__(self, mode: Mode, *, supplies: Path = SUPPLIES) -> None:
        self.mode = mode
        self._supplies = supplies
        self._on_battery = False
        self._check_at = float("-inf")

    def set_mode(self, mode: Mode) -> None:
        """Set when to save power."""
        self.mode = mode
        self._check_at = float("-inf")

    def is_saving(self, now: float) -> bool:
        """Whether to save power now. Asks the system every CHECK_EVERY_S at most."""
        if self.mode != "auto":
            return self.mode == "on"
        if now >= self._check_at:
            self._check_at = now + CHECK_EVERY_S
            self._on_battery = on_battery(self._supplies)
        return self._on_battery


def on_battery(supplies: Path) -> bool:
    """True if a battery of the machine discharges and no charger is connected; batteries of mice do not count."""
    try:
        found = [_Supply(folder) for folder in sorted(supplies.iterdir())]
    except OSError:
        return False
    of_machine = [supply for supply in found if supply.read("scope") != "Device"]
    if any(supply.read("type") != "Battery" and supply.read("online") == "1" for supply in of_machine):
        return False
    return any(supply.read("type") == "Battery" and supply.read("status") == "Discharging" for supply in of_machine)


class _Supply:
    """One battery or charger."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str:
        """A value; empty if this one has none."""
        try:
            return (self._folder / name).read_text("utf-8", "replace").strip()
        except OSError:
            return ""
