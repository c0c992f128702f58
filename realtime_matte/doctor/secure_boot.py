"""Secure Boot: with it the kernel loads only modules that are signed with a key it knows."""

from typing import Final

from realtime_matte.doctor.finding import Finding, good
from realtime_matte.doctor.host import Host
from realtime_matte.paths import is_file

PART: Final = "secure boot"
FIRMWARE: Final = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SHIM: Final = "sys/firmware/efi/efivars/MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23"
KEYS: Final = (
    "var/lib/shim-signed/mok/MOK.der",  # Ubuntu
    "var/lib/dkms/mok.pub",  # whatever uses DKMS
    "etc/pki/akmods/certs/public_key.der",  # Fedora
)
"""Where distributions keep the key they sign modules with that were built here."""


def secure_boot(host: Host) -> Finding | None:
    """What it does to a module that does not load; None where it is off, or this machine has none."""
    if not enabled(host):
        return None
    key = next((host.root / key for key in KEYS if is_file(host.root / key)), None)
    if key and _enrolled(host, str(key)):
        return good(PART, f"on, and knows the key {key}")
    why = "it refuses modules that were built here ('Key was rejected by service') until their key is enrolled"
    steps = "restart, choose 'Enroll MOK' in the blue menu, and type the password that you gave"
    mend = f"sudo mokutil --import {key}, then {steps}" if key else f"after installing the module: {_anywhere()}{steps}"
    return Finding(PART, "warning", "on", f"{mend}; or switch Secure Boot off in the firmware's settings", why)


def enabled(host: Host) -> bool:
    """By the firmware's own variable, or by mokutil where those are hidden."""
    try:
        if _flag(host, SHIM):
            return False  # the loader was told not to look at signatures
        return _flag(host, FIRMWARE)
    except OSError:
        answer = host.ask(["mokutil", "--sb-state"])
        return answer is not None and "SecureBoot enabled" in answer.text and "disabled in shim" not in answer.text


def _flag(host: Host, variable: str) -> bool:
    """Four bytes of attributes, and the value. Raises OSError where the firmware's variables cannot be read."""
    path = host.root / variable
    if variable == SHIM and not path.exists():
        return False
    return path.read_bytes()[4:5] == b"\1"


def _enrolled(host: Host, key: str) -> bool:
    answer = host.ask(["mokutil", "--test-key", key])
    return answer is not None and "already enrolled" in answer.text


def _anywhere() -> str:
    return "sudo mokutil --import the key it was signed with (docs/linux.md says where it lies), then "
