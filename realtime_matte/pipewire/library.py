"""libpipewire through ctypes: the functions and structures of a stream that is a camera (pipewire/stream.h).

Every desktop with PipeWire has the library, version 0.3 or 1; its interface is stable. It is found at run time.
"""

import ctypes
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int32, c_int64, c_uint32, c_uint64, c_void_p
from functools import cache
from typing import Final

from realtime_matte.errors import MissingDependency

NAME: Final = "libpipewire-0.3.so.0"
HINT: Final = (
    "sudo apt install libpipewire-0.3-0 (Fedora: pipewire-libs, Arch: libpipewire), or use --output virtualcam"
)

OUTPUT: Final = 1
ANY_ID: Final = 0xFFFF_FFFF
MAP_BUFFERS: Final = 1 << 2
DRIVER: Final = 1 << 3
"""The node sets the pace of the programs that read it, as a camera does."""

ERROR: Final = -1
UNCONNECTED: Final = 0
CONNECTING: Final = 1
PAUSED: Final = 2
STREAMING: Final = 3
"""States of a stream."""

StateChanged: Final = CFUNCTYPE(None, c_void_p, c_int, c_int, c_char_p)
ParamChanged: Final = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)
Process: Final = CFUNCTYPE(None, c_void_p)


class Events(Structure):
    """struct pw_stream_events."""

    _fields_ = (
        ("version", c_uint32),
        ("destroy", c_void_p),
        ("state_changed", StateChanged),
        ("control_info", c_void_p),
        ("io_changed", c_void_p),
        ("param_changed", ParamChanged),
        ("add_buffer", c_void_p),
        ("remove_buffer", c_void_p),
        ("process", Process),
        ("drained", c_void_p),
        ("command", c_void_p),
        ("trigger_done", c_void_p),
    )


class Chunk(Structure):
    """struct spa_chunk: which part of a block is the frame."""

    _fields_ = (("offset", c_uint32), ("size", c_uint32), ("stride", c_int32), ("flags", c_int32))


class Data(Structure):
    """struct spa_data: one block of memory."""

    _fields_ = (
        ("type", c_uint32),
        ("flags", c_uint32),
        ("fd", c_int64),
        ("mapoffset", c_uint32),
        ("maxsize", c_uint32),
        ("data", c_void_p),
        ("chunk", POINTER(Chunk)),
    )


class Meta(Structure):
    """struct spa_meta."""

    _fields_ = (("type", c_uint32), ("size", c_uint32), ("data", c_void_p))


class Header(Structure):
    """struct spa_meta_header; times in nanoseconds."""

    _fields_ = (
        ("flags", c_uint32),
        ("offset", c_uint32),
        ("pts", c_int64),
        ("dts_offset", c_int64),
        ("seq", c_uint64),
    )


class SpaBuffer(Structure):
    """struct spa_buffer."""

    _fields_ = (("n_metas", c_uint32), ("n_datas", c_uint32), ("metas", POINTER(Meta)), ("datas", POINTER(Data)))


class Buffer(Structure):
    """The beginning of struct pw_buffer."""

    _fields_ = (("buffer", POINTER(SpaBuffer)),)


SIGNATURES: Final = {
    "pw_init": (None, [c_void_p, c_void_p]),
    "pw_thread_loop_new": (c_void_p, [c_char_p, c_void_p]),
    "pw_thread_loop_destroy": (None, [c_void_p]),
    "pw_thread_loop_start": (c_int, [c_void_p]),
    "pw_thread_loop_stop": (None, [c_void_p]),
    "pw_thread_loop_lock": (None, [c_void_p]),
    "pw_thread_loop_unlock": (None, [c_void_p]),
    "pw_thread_loop_get_loop": (c_void_p, [c_void_p]),
    "pw_properties_new": (c_void_p, [c_char_p]),
    "pw_properties_set": (c_int, [c_void_p, c_char_p, c_char_p]),
    "pw_stream_new_simple": (c_void_p, [c_void_p, c_char_p, c_void_p, POINTER(Events), c_void_p]),
    "pw_stream_destroy": (None, [c_void_p]),
    "pw_stream_connect": (c_int, [c_void_p, c_int, c_uint32, c_int, POINTER(c_void_p), c_uint32]),
    "pw_stream_update_params": (c_int, [c_void_p, POINTER(c_void_p), c_uint32]),
    "pw_stream_dequeue_buffer": (POINTER(Buffer), [c_void_p]),
    "pw_stream_queue_buffer": (c_int, [c_void_p, POINTER(Buffer)]),
    "pw_stream_trigger_process": (c_int, [c_void_p]),
}
"""Result and arguments of each function that is used."""


@cache
def load() -> ctypes.CDLL:
    """The library, initialised once in a process. Raises MissingDependency."""
    if sys.platform != "linux":
        raise MissingDependency("PipeWire is for Linux only", hint="use --output virtualcam")
    try:
        library = ctypes.CDLL(NAME, use_errno=True)
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise MissingDependency(f"a PipeWire camera needs {NAME} ({error})", hint=HINT) from error
    library.pw_init(None, None)
    return library


class Pods:
    """Parameters in memory that C can read, aligned to 8 bytes; valid as long as this lives."""

    def __init__(self, *pods: bytes) -> None:
        self._memory = [(c_uint64 * (len(pod) // 8)).from_buffer_copy(pod) for pod in pods]
        self.pointers = (c_void_p * len(pods))(*(ctypes.addressof(memory) for memory in self._memory))
        self.count = len(pods)


def read_pod(address: int) -> bytes:
    """A copy of the pod at an address."""
    return ctypes.string_at(address, ctypes.c_uint32.from_address(address).value + 8)
