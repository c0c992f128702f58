"""An RTSP server on this machine that sends H.264 over the RTSP connection itself (RFC 2326, RFC 6184)."""

import re
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av
import numpy as np

FPS = 30
FRAMES = 15
"""Encoded once, then repeated; the first is a key frame."""

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n"
)


def encoded(size: tuple[int, int] = (64, 48)) -> list[list[bytes]]:
    """The NAL units of each frame, of a grey of 100."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.framerate = "yuv420p", FPS  # type: ignore[attr-defined]
    encoder.options = {"tune": "zerolatency", "preset": "ultrafast"}
    frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 100, np.uint8), format="bgr24")
    packets = [bytes(packet) for _ in range(FRAMES) for packet in encoder.encode(frame)]  # type: ignore[attr-defined]
    return [[unit for unit in re.split(b"\0\0\0?\1", packet) if unit] for packet in packets]


class RtspSession(socketserver.StreamRequestHandler):
    """One connection."""

    server: "RtspServer"

    def handle(self) -> None:
        while request := self._request():
            method, headers = request
            if self.server.password and self.server.password not in headers:
                self._answer("401 Unauthorized", headers, 'WWW-Authenticate: Basic realm="camera"\r\n')
            elif method == "DESCRIBE":
                head = f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n"
                self._answer("200 OK", headers, head, SDP)
            elif method == "SETUP":
                self._answer(
                    "200 OK", headers, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1;timeout=60\r\n"
                )
            else:
                self._answer("200 OK", headers, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\nSession: 1\r\n")
            if method == "PLAY":
                self._play()
                return

    def _request(self) -> tuple[str, str] | None:
        lines = []
        while (line := self.rfile.readline().decode()).strip():
            lines.append(line)
        return (lines[0].split()[0], "".join(lines)) if lines else None

    def _answer(self, status: str, request: str, head: str, body: str = "") -> None:
        found = re.search(r"CSeq: *(\d+)", request, re.IGNORECASE)
        number = found[1] if found else "0"
        self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{head}\r\n{body}".encode())

    def _play(self) -> None:
        with self.server.lock:
            limit = self.server.limits.pop(0) if self.server.limits else 1_000_000
            self.server.plays += 1
        sequence = 0
        try:
            for index in range(limit):
                units = self.server.units[index % len(self.server.units)]
                for unit in units:
                    marker = 0x80 if unit is units[-1] else 0
                    header = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, index * 90_000 // FPS, 1)
                    self.wfile.write(struct.pack(">cBH", b"$", 0, len(header) + len(unit)) + header + unit)
                    sequence += 1
                if self.server.ends.wait(0.005):
                    return
        except OSError:
            pass  # the client left


class RtspServer(socketserver.ThreadingTCPServer):
    """``limits``: after how many frames each of the first connections breaks off; ``password``: in base64."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *limits: int, password: str = "") -> None:
        super().__init__(("127.0.0.1", 0), RtspSession)
        self.limits = list(limits)
        self.password = password
        self.units = encoded()
        self.plays = 0
        self.lock = threading.Lock()
        self.ends = threading.Event()

    def url(self, user: str = "") -> str:
        return f"rtsp://{user}127.0.0.1:{self.server_address[1]}/live"


@contextmanager
def serving_rtsp(*limits: int, password: str = "") -> Iterator[RtspServer]:
    """A server that runs until the end of the block."""
    server = RtspServer(*limits, password=password)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ends.set()
        server.shutdown()
        server.server_close()
        thread.join(30)
