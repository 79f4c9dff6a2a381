"""A slow line between a browser and Orthanc, for requests of workers, too, which Chromium's own does not slow."""

from __future__ import annotations

import asyncio
import threading
import time

PIECE = 16 << 10  # bytes
LATE = 0.05  # seconds that this process may be late without the line being idle: a real one is fed by a card's buffers


class SlowLine:
    """`with SlowLine(port, 10e6 / 8) as line:` passes connections to `line.port` on to that port of this machine.

    All answers together come at no more than `speed` bytes a second, each request `delay` seconds late.
    """

    def __init__(self, target: int, speed: float, delay: float = 0.02) -> None:
        self.target, self.speed, self.delay = target, speed, delay
        self.free = 0.0
        """When the line can take the next bytes."""
        self.port = 0
        self.loop = asyncio.new_event_loop()

    def __enter__(self) -> SlowLine:
        started = threading.Event()

        def run() -> None:
            self.loop.run_until_complete(self._listen())
            started.set()
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_orthanc, to_orthanc = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._ask(reader, to_orthanc), self._answer(from_orthanc, writer), return_exceptions=True)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            await asyncio.sleep(self.delay)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            now = time.monotonic()
            self.free = max(self.free, now - LATE) + len(data) / self.speed
            await asyncio.sleep(max(0, self.free - now))
            writer.write(data)
            await writer.drain()
        writer.close()
