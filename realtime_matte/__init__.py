"""Real-time webcam background removal: camera, matte, new background, virtual camera."""

import os

TYPE_CHECKING = False  # typing takes long to import, and signals are caught after this module
if TYPE_CHECKING:
    from realtime_matte.batch.matte_clips import ClipResult as ClipResult
    from realtime_matte.batch.matte_clips import matte_clips as matte_clips
    from realtime_matte.batch.settings import BatchSettings as BatchSettings
    from realtime_matte.config.config import Config as Config
    from realtime_matte.errors import BadFile as BadFile
    from realtime_matte.errors import MatteError as MatteError
    from realtime_matte.errors import MissingDependency as MissingDependency
    from realtime_matte.errors import MissingFile as MissingFile
    from realtime_matte.errors import ModelError as ModelError
    from realtime_matte.errors import NoMatte as NoMatte
    from realtime_matte.errors import SinkError as SinkError
    from realtime_matte.errors import SourceError as SourceError
    from realtime_matte.errors import SourceLost as SourceLost
    from realtime_matte.errors import SpecError as SpecError
    from realtime_matte.frame import Frame as Frame
    from realtime_matte.frame import Matte as Matte
    from realtime_matte.frame import PlateImage as PlateImage
    from realtime_matte.frame import RefinedMatte as RefinedMatte
    from realtime_matte.interfaces import AcceptsI420 as AcceptsI420
    from realtime_matte.interfaces import Background as Background
    from realtime_matte.interfaces import CountsDamagedFrames as CountsDamagedFrames
    from realtime_matte.interfaces import DrawsOnPlanes as DrawsOnPlanes
    from realtime_matte.interfaces import FollowsCamera as FollowsCamera
    from realtime_matte.interfaces import HasDevice as HasDevice
    from realtime_matte.interfaces import HasNotices as HasNotices
    from realtime_matte.interfaces import HasPixelFormats as HasPixelFormats
    from realtime_matte.interfaces import HasReaders as HasReaders
    from realtime_matte.interfaces import HasTimeoutImage as HasTimeoutImage
    from realtime_matte.interfaces import ImageSeries as ImageSeries
    from realtime_matte.interfaces import Interactive as Interactive
    from realtime_matte.interfaces import Network as Network
    from realtime_matte.interfaces import OpenBackground as OpenBackground
    from realtime_matte.interfaces import OpenSink as OpenSink
    from realtime_matte.interfaces import OpenSource as OpenSource
    from realtime_matte.interfaces import OutputEffect as OutputEffect
    from realtime_matte.interfaces import PersonEffect as PersonEffect
    from realtime_matte.interfaces import PlateNetwork as PlateNetwork
    from realtime_matte.interfaces import PlateView as PlateView
    from realtime_matte.interfaces import Readers as Readers
    from realtime_matte.interfaces import RealTimeBackground as RealTimeBackground
    from realtime_matte.interfaces import Renderer as Renderer
    from realtime_matte.interfaces import Resizable as Resizable
    from realtime_matte.interfaces import ShowsCard as ShowsCard
    from realtime_matte.interfaces import ShowsStill as ShowsStill
    from realtime_matte.interfaces import Sink as Sink
    from realtime_matte.interfaces import Source as Source
    from realtime_matte.interfaces import View as View
    from realtime_matte.models import list_models as list_models
    from realtime_matte.pipeline.pipeline import Pipeline as Pipeline
    from realtime_matte.remover import BackgroundRemover as BackgroundRemover
    from realtime_matte.remover import Shot as Shot
    from realtime_matte.remover import composite as composite
    from realtime_matte.remover import matte_frames as matte_frames
    from realtime_matte.remover import matte_image as matte_image
    from realtime_matte.sources.camera import list_cameras as list_cameras
    from realtime_matte.v4l2.loopback import list_virtual_cameras as list_virtual_cameras

os.environ.setdefault(
    "ORT_DISABLE_TELEMETRY", "1"
)  # ONNX Runtime reads it when it loads; it sends usage data otherwise

__version__ = "0.1.0"

_MODULES = {
    "batch.matte_clips": ("ClipResult", "matte_clips"),
    "batch.settings": ("BatchSettings",),
    "config.config": ("Config",),
    "errors": (
        "BadFile",
        "MatteError",
        "MissingDependency",
        "MissingFile",
        "ModelError",
        "NoMatte",
        "SinkError",
        "SourceError",
        "SourceLost",
        "SpecError",
    ),
    "frame": ("Frame", "Matte", "PlateImage", "RefinedMatte"),
    "interfaces": (
        "AcceptsI420",
        "Background",
        "CountsDamagedFrames",
        "DrawsOnPlanes",
        "FollowsCamera",
        "HasDevice",
        "HasNotices",
        "HasPixelFormats",
        "HasReaders",
        "HasTimeoutImage",
        "ImageSeries",
        "Interactive",
        "Network",
        "OpenBackground",
        "OpenSink",
        "OpenSource",
        "OutputEffect",
        "PersonEffect",
        "PlateNetwork",
        "PlateView",
        "Readers",
        "RealTimeBackground",
        "Renderer",
        "Resizable",
        "Resizable",
        "ShowsCard",
        "ShowsStill",
        "Sink",
        "Source",
        "View",
    ),
    "models": ("list_models",),
    "pipeline.pipeline": ("Pipeline",),
    "remover": ("BackgroundRemover", "Shot", "composite", "matte_frames", "matte_image"),
    "sources.camera": ("list_cameras",),
    "v4l2.loopback": ("list_virtual_cameras",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
"""Each name is imported on use, so that ``import realtime_matte`` takes no time."""

__all__ = [
    "AcceptsI420",
    "Background",
    "BackgroundRemover",
    "BadFile",
    "BatchSettings",
    "ClipResult",
    "Config",
    "CountsDamagedFrames",
    "DrawsOnPlanes",
    "FollowsCamera",
    "Frame",
    "HasDevice",
    "HasNotices",
    "HasPixelFormats",
    "HasReaders",
    "HasTimeoutImage",
    "ImageSeries",
    "Interactive",
    "Matte",
    "MatteError",
    "MissingDependency",
    "MissingFile",
    "ModelError",
    "Network",
    "NoMatte",
    "OpenBackground",
    "OpenSink",
    "OpenSource",
    "OutputEffect",
    "PersonEffect",
    "Pipeline",
    "PlateImage",
    "PlateNetwork",
    "PlateView",
    "Readers",
    "RealTimeBackground",
    "RefinedMatte",
    "Renderer",
    "Resizable",
    "Shot",
    "ShowsCard",
    "ShowsStill",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "SourceLost",
    "SpecError",
    "View",
    "composite",
    "list_cameras",
    "list_models",
    "list_virtual_cameras",
    "matte_clips",
    "matte_frames",
    "matte_image",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as typing above

    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
