"""The process that talks to a Dask scheduler for Orthanc: `python -m orthanc_stl.engine.cluster_client`.

Messages from Orthanc: "run" (a call's number, its work), "cancel", and "forget" (the files that came with a key).
To Orthanc: "progress", then "result" or "error" of a call; or, once and last, "away": the scheduler cannot be reached,
or was lost, or has no workers.

TLS and all else are configured as for any client of Dask: by its YAML files or DASK_... environment variables.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import os
import sys
import uuid
import warnings
from collections.abc import Sequence
from typing import IO, Any

from distributed import Client, Future, KilledWorker

from orthanc_stl import __version__, errors
from orthanc_stl.engine import cluster_task, wire
from orthanc_stl.engine.child import LIFELINE, detach, quieten, take_streams
from orthanc_stl.engine.executor import Result, Work

CONNECT_SECONDS = 5
LOOK_SECONDS = 1.0  # between looks at whether the scheduler and any workers are there


class Conversation:
    """What Orthanc asked for and is not done."""

    def __init__(self, client: Client, outgoing: IO[bytes], tasks: str, memory_mb: int) -> None:
        self._client, self._outgoing = client, outgoing
        self._tasks, self._memory_mb = tasks, memory_mb
        self._name = f"orthanc-stl-{uuid.uuid4()}"
        self._futures: dict[int, Future[Result]] = {}
        self._files: dict[str, Future[Any]] = {}  # of requests with several parts: on the cluster once, by their key
        self._background: set[asyncio.Task[None]] = set()
        self.lost = asyncio.Event()
        client.subscribe_topic(self._name, self._progress)

    def start(self, header: dict[str, Any], blobs: list[bytes]) -> None:
        number, file_key = header["call"], header["file_key"]
        work = Work(
            header["task"], header["options"], (), header["timeout"], header["timeout_option"], file_key,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large graphs: the file is in it, so that it outlives a lost worker
            if file_key and not header["has_files"]:
                self._files[file_key] = self._client.submit(
                    cluster_task.keep, blobs, key=f"{self._name}-{file_key}", pure=False
                )
            files = self._files[file_key] if file_key else blobs
            self._futures[number] = self._client.submit(
                cluster_task.perform, self._key(number), self._name, work, files, self._tasks, self._memory_mb,
                __version__, key=self._key(number), pure=False, retries=0,
            )  # fmt: skip
        self._spawn(self._finish(number, self._futures[number]))

    def forget(self, file_key: str) -> None:
        """Dask lets go of what no future stands for any more; so do our worker processes, when told."""
        if self._files.pop(file_key, None) is not None:
            self._spawn(self._client.run(cluster_task.forget, file_key, on_error="ignore"))

    def cancel(self, number: int) -> None:
        future = self._futures.pop(number, None)
        if future is not None:
            self._spawn(self._cancel(number, future))

    async def _cancel(self, number: int, future: Future[Result]) -> None:
        # Dask itself cannot end what runs, only what waits.
        await self._client.run(cluster_task.cancel, self._key(number), on_error="ignore")
        await future.cancel()

    async def _finish(self, number: int, future: Future[Result]) -> None:
        try:
            result: Result = await future
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            if number in self._futures:  # not by Orthanc: Dask does so when it loses the scheduler
                self.lost.set()
            return
        except Exception as error:
            if self._futures.pop(number, None) is not None:
                self._send(number, failure(error))
            return
        if self._futures.pop(number, None) is not None:
            self._send(number, {"kind": "result", "facts": result.facts, "peak": result.peak_memory}, result.blobs)

    def _progress(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        number = int(message["call"].rpartition("-")[2])
        if number in self._futures:
            self._send(number, {"kind": "progress", "fraction": message["fraction"], "step": message["step"]})

    def _send(self, number: int, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        wire.send(self._outgoing, {**header, "call": number}, blobs)

    def _key(self, number: int) -> str:
        return f"{self._name}-{number}"

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def failure(error: Exception) -> dict[str, str]:
    """The message of a call that failed, from what Dask raised."""
    if isinstance(error, errors.StlError):
        name, sentence = errors.name_of(error), str(error)
    elif isinstance(error, KilledWorker):
        name, sentence = "WorkerDied", "The conversion was given up: each worker of the Dask cluster that tried it died"
    else:
        name, sentence = "StlError", f"The Dask cluster could not do the conversion: {type(error).__name__}: {error}"
    return {"kind": "error", "error": name, "message": sentence}


async def watch(client: Client, lost: asyncio.Event, address: str) -> str:
    """Wait until the cluster is of no use, and say why."""
    while client.status == "running" and not lost.is_set():
        try:
            if not await asyncio.wait_for(client.nthreads(), CONNECT_SECONDS):
                return f"The Dask scheduler {address} has no workers"
        except (OSError, TimeoutError):
            break
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), LOOK_SECONDS)
    return f"The Dask scheduler {address} was lost"


async def converse(options: argparse.Namespace, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Serve Orthanc until it closes the pipe (EOFError) or the cluster is of no use."""
    try:
        client = await Client(options.scheduler, asynchronous=True, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        wire.send(outgoing, {"kind": "away", "message": f"The Dask scheduler {options.scheduler} is away: {reason}"})
        return
    conversation = Conversation(client, outgoing, options.tasks, options.memory_mb)
    away = asyncio.ensure_future(watch(client, conversation.lost, options.scheduler))
    while True:
        message = asyncio.ensure_future(asyncio.to_thread(wire.receive, incoming))
        await asyncio.wait([message, away], return_when=asyncio.FIRST_COMPLETED)
        if away.done():
            wire.send(outgoing, {"kind": "away", "message": away.result()})
            return
        header, blobs = message.result()
        if header["kind"] == "run":
            conversation.start(header, blobs)
        elif header["kind"] == "forget":
            conversation.forget(header["file_key"])
        else:
            conversation.cancel(header["call"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="orthanc_stl.engine.cluster_client")
    parser.add_argument("--scheduler", required=True, help="its address, tcp://host:8786")
    parser.add_argument("--tasks", required=True, help="the module that has TASKS and preload(), on the cluster")
    parser.add_argument("--memory-mb", type=int, default=0, help="megabytes that a task may take; 0: no limit")
    parser.add_argument("--lifeline", type=int, help=LIFELINE)
    options = parser.parse_args(arguments)
    detach(options.lifeline)
    incoming, outgoing = take_streams()
    quieten()
    with contextlib.suppress(EOFError, BrokenPipeError):
        # Not asyncio.run: at its end it would wait for the thread that waits for Orthanc's next message.
        asyncio.new_event_loop().run_until_complete(converse(options, incoming, outgoing))
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)
