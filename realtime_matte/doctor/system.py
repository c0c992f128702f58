"""The system around the line: what has to be there before a virtual camera can be."""

import sys
from collections.abc import Iterator

from realtime_matte.doctor.finding import Finding
from realtime_matte.doctor.host import Host


def system(host: Host, *, platform: str = sys.platform) -> Iterator[Finding]:
    """Everything that is known of this kind of system."""
    if platform == "linux":
        yield from linux(host)
    elif platform == "darwin":
        from realtime_matte.doctor.obs import on_macos

        yield on_macos(host)
    elif platform == "win32":
        from realtime_matte.doctor import obs

        yield obs.on_windows(registered=obs.registered)


def linux(host: Host) -> Iterator[Finding]:
    """From the kernel up to who may see the camera."""
    from realtime_matte.doctor.boot import at_boot
    from realtime_matte.doctor.flatpak import flatpak
    from realtime_matte.doctor.kernel_module import kernel_module, loaded
    from realtime_matte.doctor.loopbacks import loopbacks  # needs fcntl, which only Unix has
    from realtime_matte.doctor.modes import modes
    from realtime_matte.doctor.permission import permission
    from realtime_matte.doctor.pipewire import pipewire
    from realtime_matte.doctor.secure_boot import secure_boot

    yield from kernel_module(host)
    if not loaded(host) and not host.container and (found := secure_boot(host)):
        yield found
    for check in (loopbacks, at_boot, permission, modes, pipewire, flatpak):
        yield from check(host)


def nvidia(host: Host) -> Iterator[Finding]:
    """Only where there is such a GPU. Raises ImportError where ONNX Runtime is missing."""
    from realtime_matte.models.providers import nvidia_gpu

    if not nvidia_gpu(host.root / "dev", hidden=host.environment.get("CUDA_VISIBLE_DEVICES", "all")):
        return
    import onnxruntime

    from realtime_matte.doctor import cuda

    wanted = getattr(onnxruntime, "cuda_version", "") or ""
    yield from cuda.cuda(host, wanted=wanted, packages=cuda.installed())
