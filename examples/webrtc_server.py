"""Mattes the webcams of browsers: WebRTC in, the same video over another background out, several at a time.

    python webrtc_server.py                      both ends in this process, over loopback; needs no camera
    python webrtc_server.py --serve 127.0.0.1    answers offers at http://127.0.0.1:8080/offer

pip install aiortc. One network serves all connections, each with a shot of its own; one thread runs it, and of each
connection only the newest frame, so that a slow machine drops frames instead of falling behind. A page posts its offer
as JSON, {"sdp": ..., "type": "offer"}, and gets the answer in the same form.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from fractions import Fraction
from typing import cast

import aioice.ice
import numpy as np
import uvicorn
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from realtime_matte import BackgroundRemover
from realtime_matte.frame import Color
from realtime_matte.portrait import sample_portrait

BACKGROUND: Color = (96, 160, 0)  # blue, green, red
FRAMES = 12
NO_SERVERS = RTCConfiguration(iceServers=[])  # the default asks a public STUN server


class MattedTrack(MediaStreamTrack):
    """The frames of another track over the background. A frame that cannot be matted ends it: none is sent as it is."""

    kind = "video"

    def __init__(self, source: MediaStreamTrack, remover: BackgroundRemover, thread: ThreadPoolExecutor) -> None:
        super().__init__()
        self._source = source
        self._shot = remover.shot()
        self._thread = thread
        self._newest: asyncio.Queue[VideoFrame | None] = asyncio.Queue(maxsize=1)
        self._reading = asyncio.ensure_future(self._read())

    async def recv(self) -> VideoFrame:
        """The next composite."""
        frame = await self._newest.get()
        if frame is None:
            raise MediaStreamError
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._composite, frame)

    def stop(self) -> None:
        """End this track."""
        super().stop()
        self._reading.cancel()

    async def _read(self) -> None:
        """Keep the newest frame."""
        with suppress(MediaStreamError):
            while True:
                frame = cast("VideoFrame", await self._source.recv())
                if self._newest.full():
                    self._newest.get_nowait()
                self._newest.put_nowait(frame)
        await self._newest.put(None)

    def _composite(self, frame: VideoFrame) -> VideoFrame:
        matte = self._shot.process(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), time=frame.time)
        composite = VideoFrame.from_ndarray(matte.over(BACKGROUND), format="bgr24")
        composite.pts, composite.time_base = frame.pts, frame.time_base
        return composite


class Server:
    """Answers offers. ``close`` ends every connection."""

    def __init__(self, remover: BackgroundRemover) -> None:
        self._remover = remover
        self._thread = ThreadPoolExecutor(1)  # calls of one network must not overlap
        self._connections: set[RTCPeerConnection] = set()

    async def answer(self, offer: RTCSessionDescription) -> RTCSessionDescription:
        """The answer to a browser's offer."""
        connection = RTCPeerConnection(NO_SERVERS)
        self._connections.add(connection)

        @connection.on("track")
        def matte(track: MediaStreamTrack) -> None:
            if track.kind == "video":
                connection.addTrack(MattedTrack(track, self._remover, self._thread))

        @connection.on("connectionstatechange")
        async def forget() -> None:
            if connection.connectionState in {"failed", "closed"}:
                await connection.close()
                self._connections.discard(connection)

        await connection.setRemoteDescription(offer)
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription

    async def close(self) -> None:
        """End every connection."""
        await asyncio.gather(*(connection.close() for connection in list(self._connections)))
        self._thread.shutdown()


def application(remover: BackgroundRemover) -> Starlette:
    """The server over HTTP: POST /offer."""
    server = Server(remover)

    async def offer(request: Request) -> JSONResponse:
        asked = await request.json()
        answer = await server.answer(RTCSessionDescription(asked["sdp"], asked["type"]))
        return JSONResponse({"sdp": answer.sdp, "type": answer.type})

    @asynccontextmanager
    async def closing(_app: Starlette) -> AsyncIterator[None]:
        yield
        await server.close()

    return Starlette(routes=[Route("/offer", offer, methods=["POST"])], lifespan=closing)


class PortraitTrack(MediaStreamTrack):
    """The sample portrait, moving, as a browser's webcam would send it."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._index = 0

    async def recv(self) -> VideoFrame:
        """The next frame, after a fifteenth of a second."""
        await asyncio.sleep(1 / 15)
        frame = VideoFrame.from_ndarray(np.roll(sample_portrait()[::2, ::2], self._index, axis=1), format="bgr24")
        frame.pts, frame.time_base = self._index * 6000, Fraction(1, 90_000)
        self._index += 1
        return frame


async def receive(server: Server, count: int) -> list[VideoFrame]:
    """Connect as a browser does, send the portrait, and return what comes back."""
    connection = RTCPeerConnection(NO_SERVERS)
    received: asyncio.Queue[VideoFrame] = asyncio.Queue()

    @connection.on("track")
    async def collect(track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                received.put_nowait(cast("VideoFrame", await track.recv()))

    connection.addTrack(PortraitTrack())
    await connection.setLocalDescription(await connection.createOffer())
    await connection.setRemoteDescription(await server.answer(connection.localDescription))
    frames = [await asyncio.wait_for(received.get(), 30) for _ in range(count)]
    await connection.close()
    return frames


async def demo() -> None:
    """Two connections at a time, both ends here."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # noqa: ARG005 - it leaves out loopback
    with BackgroundRemover("small") as remover:
        server = Server(remover)
        start = time.perf_counter()
        both = await asyncio.gather(receive(server, FRAMES), receive(server, FRAMES))
        seconds = time.perf_counter() - start
        await server.close()
    corner = both[0][-1].to_ndarray(format="bgr24")[4, 4].tolist()
    print(f"two connections, {FRAMES} composites each in {seconds:.1f} s; upper left corner (b, g, r): {corner}")


def main() -> None:
    """Serve, or show both ends."""
    if len(sys.argv) > 2 and sys.argv[1] == "--serve":  # noqa: PLR2004
        with BackgroundRemover() as remover:
            uvicorn.run(application(remover), host=sys.argv[2], port=8080)
    else:
        asyncio.run(demo())


if __name__ == "__main__":
    main()
