"""Whether browsers and call programs from Flatpak may see the devices themselves."""

from collections.abc import Iterator
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Final

from realtime_matte.doctor.finding import Finding, good
from realtime_matte.doctor.host import Host

PART: Final = "flatpak"
PROGRAMS: Final = (
    "com.brave.Browser",
    "com.discordapp.Discord",
    "com.google.Chrome",
    "com.microsoft.Edge",
    "com.slack.Slack",
    "io.github.ungoogled_software.ungoogled_chromium",
    "org.chromium.Chromium",
    "org.mozilla.firefox",
    "org.signal.Signal",
    "us.zoom.Zoom",
)
"""Those that make calls."""


def flatpak(host: Host) -> Iterator[Finding]:
    """One finding for each of them that is installed."""
    homes = host.home / ".local/share/flatpak", host.root / "var/lib/flatpak"
    for program in PROGRAMS:
        home = next((home for home in homes if (home / "app" / program).is_dir()), None)
        if home:
            yield _judged(program, sees_devices(program, home, homes[::-1]))


def sees_devices(program: str, home: Path, overriding: tuple[Path, ...]) -> bool:
    """By what it asks for, and what the administrator and then the user changed."""
    files = [home / f"app/{program}/current/active/metadata"]
    files += [folder / "overrides" / name for folder in overriding for name in ("global", program)]
    sees = False
    for word in (word for file in files for word in _devices(file)):
        sees = word == "all" or (sees and word != "!all")
    return sees


def _devices(path: Path) -> list[str]:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, Error):
        return []  # not there, or of no use to Flatpak either
    return parser.get("Context", "devices", fallback="").split(";")


def _judged(program: str, sees: bool) -> Finding:  # noqa: FBT001 - what was found
    if sees:
        return good(PART, f"{program} may see devices")
    why = "it finds the virtual camera only if PipeWire shows it"
    mend = f"flatpak override --user --device=all {program}, then start it anew, if you want its sandbox that wide"
    return Finding(PART, "warning", f"{program} may not see devices", mend, why)
