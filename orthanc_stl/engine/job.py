"""One request for a conversion or a listing, from the queue to its answer."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from orthanc_stl import errors
from orthanc_stl.engine.executor import Blob, Result

Outcome = Result | errors.StlError  # of one task

PENDING, RUNNING, SUCCESS, FAILURE, CANCELLED = "Pending", "Running", "Success", "Failure", "Cancelled"
FETCHED, WORKED = 2, 96  # percent when the files are there, and when the worker is done; storing is the rest
# A filter of VTK may work for ten seconds and say nothing. Meanwhile the progress goes on by itself, slower and slower,
# by no more than CREEP percent: half of them in HALF_TIME seconds.
CREEP, HALF_TIME = 14, 5.0


@dataclass(frozen=True)
class Order:
    """What to do.

    `fetch` gives the task's files and is called when the job starts, so that a long queue holds no files; `options` and
    `parts` are read after it. `finish` is called in the Orthanc process with the `Result`, stores it and makes the
    answer: a JSON object. Both may raise StlError.

    `interactive`: a listing, which somebody waits for; else a conversion. `client`: whose turn it is. `about`: what is
    converted, for the log; an Orthanc id, no patient data. `size`: bytes of a request's body that its functions hold
    until it ends. `source_key`, `runs_on_cluster`: see `Work`. `low_priority`: nobody waits for it, and it leaves one
    worker to those who do (see `Jobs`); where the queue is full it is refused, whoever its client is, and while it
    waits it takes nobody's place.

    With `parts` the order is a set of tasks on the same files: each is the task `task`, its options are `options` with
    one of `parts` over them. They are spread over the workers, as many at once as the other clients leave, and each
    worker gets the files once. `finish` is called once, with a list of `Outcome`s in the order of `parts`. A part
    that fails because of what it was asked to do (InvalidInput, TooLarge, NotFound) has its error there and stops no
    other. So has one whose worker died, that took too long or failed unexpectedly, unless `all_or_none`: then the job
    fails with that error, and the other parts are ended. `names` of the parts are shown while they are at work. With
    `sizes`, in any unit of work, the largest are begun first, so that the workers come to their ends together.

        Order("encode_part", {"resolution": 256}, fetch=lambda: [rtstruct], finish=store_all,
              parts=[{"numbers": [1]}, {"numbers": [2]}], runs_on_cluster=True)
    """

    task: str
    options: dict[str, Any]
    fetch: Callable[[], Sequence[Blob]]
    finish: Callable[..., Any]
    interactive: bool = False
    client: str = ""
    about: str = ""
    size: int = 0
    source_key: str = ""
    runs_on_cluster: bool = False
    low_priority: bool = False
    parts: Sequence[dict[str, Any]] | None = None
    names: Sequence[str] = ()
    sizes: Sequence[float] = ()
    all_or_none: bool = False

    def options_of(self, number: int) -> dict[str, Any]:
        """The options of a part; of the whole, when it has no parts."""
        return self.options if self.parts is None else {**self.options, **self.parts[number]}

    def begun_at(self, place: int) -> int:
        """The number of the part that is begun as the one at `place`, from 0."""
        return self._largest_first[place] if self.sizes else place

    @cached_property
    def _largest_first(self) -> list[int]:
        return sorted(range(len(self.sizes)), key=lambda part: -self.sizes[part])

    def fails_with(self, error: errors.StlError) -> bool:
        """Whether the whole job fails when one of its tasks does so."""
        if self.parts is None or isinstance(error, errors.Cancelled | errors.Busy):
            return True
        return self.all_or_none and not isinstance(error, errors.InvalidInput | errors.TooLarge | errors.NotFound)


_OVER = threading.Event()
_OVER.set()


class Job:
    """State and progress of an order. `ended` is set when it is over and counted."""

    def __init__(self, order: Order, *, background: bool = False) -> None:
        self.id = str(uuid.uuid4())
        self.task, self.client, self.about, self.interactive = order.task, order.client, order.about, order.interactive
        self.size, self.background, self.turn = order.size, background, order.client
        self.low_priority = order.low_priority
        self.order: Order | None = order  # let go at the end: its functions hold files
        self.files: Sequence[Blob] = ()
        self.has_parts = order.parts is not None
        self.state, self.step, self.progress = PENDING, "waiting", 0
        self.created, self.started, self.completed = datetime.now(UTC), None, None
        self.answer: Any = None
        self.error: errors.StlError | None = None
        self.cancelled, self.ended = threading.Event(), threading.Event()
        self.bytes_in = self.bytes_out = self.peak_memory = self.warnings = 0
        self._parts: int | None = None  # how many; None: it has no parts, or they are not known yet
        self._at_work: dict[int, str] = {}  # the names of the parts that have begun and are not done
        self._outcomes: list[Outcome | None] = [None]
        self._fractions = [0.0]
        self._clock = [time.monotonic()] * 3  # created, started, completed
        self._reported = (0.0, self._clock[0])  # percent, when
        self._storing = False
        self._lock = threading.Lock()

    created: datetime
    started: datetime | None
    completed: datetime | None

    @property
    def waited(self) -> float:
        """Seconds in the queue."""
        return self._clock[1] - self._clock[0]

    @property
    def seconds(self) -> float:
        """Seconds from the start to the end."""
        return self._clock[2] - self._clock[1]

    def start(self) -> bool:
        """Go from Pending to Running; False when it was cancelled meanwhile."""
        with self._lock:
            if self.state != PENDING:
                return False
            self.state, self.step = RUNNING, "fetching the file"
            self.started = datetime.now(UTC)
            self._clock[1] = time.monotonic()
            return True

    def open(self, files: Sequence[Blob], parts: int | None) -> None:
        """The files are there, and with them it is known how many parts there are; None: it has no parts."""
        with self._lock:
            self.bytes_in = sum(map(len, files))
            if self.state != RUNNING:
                return
            self.files = files
            if parts is not None:
                self._parts = parts
                self._outcomes, self._fractions = [None] * parts, [0.0] * parts
            self._show_advance("starting the conversion")

    def advance(self, fraction: float, step: str, number: int = 0) -> None:
        """What a worker says of a part: the fraction of it that is done, 0..1, and its step. Never goes back."""
        with self._lock:
            if self.state == RUNNING:
                if self.order and self.order.names:
                    self._at_work.setdefault(number, self.order.names[number])
                self._fractions[number] = max(self._fractions[number], min(max(fraction, 0.0), 1.0))
                self._show_advance(step)

    def _show_advance(self, step: str) -> None:
        fraction = sum(self._fractions) / max(len(self._fractions), 1)
        self._reported = (FETCHED + (WORKED - FETCHED) * fraction, time.monotonic())
        self._show_progress()
        names = ": " + ", ".join(self._at_work.values()) if self._at_work else ""
        self.step = step if self._parts is None else f"{step} ({self._parts_done()} of {self._parts} done{names})"

    def _parts_done(self) -> int:
        return sum(outcome is not None for outcome in self._outcomes)

    def done(self, number: int, outcome: Outcome) -> list[Outcome] | None:
        """A part is done. All outcomes when it was the last one."""
        with self._lock:
            if self.state != RUNNING:
                return None
            if isinstance(outcome, Result):
                self.bytes_out += sum(map(len, outcome.blobs))
                self.peak_memory = max(self.peak_memory, outcome.peak_memory)
                self.warnings += outcome.facts.get("warnings", 0)
            self._outcomes[number], self._fractions[number] = outcome, 1.0
            self._at_work.pop(number, None)
            if self._parts is not None:
                self._show_advance(self.step.partition(" (")[0])
            whole = [one for one in self._outcomes if one is not None]
            if len(whole) < len(self._outcomes):
                return None
            self._outcomes = []
            return whole

    def _show_progress(self) -> None:
        percent, when = self._reported
        creep = CREEP * (1 - 0.5 ** ((time.monotonic() - when) / HALF_TIME))
        self.progress = max(self.progress, int(min(percent + creep, WORKED)))

    def begin_storing(self) -> bool:
        """From here on it cannot be cancelled; False when it has been."""
        with self._lock:
            if self.state != RUNNING:
                return False
            self._storing = True
            self.progress, self.step = WORKED, "storing the result"
            return True

    def cancel(self) -> bool:
        """End it as Cancelled, unless it is over or its result is being stored: then False."""
        with self._lock:
            if self._storing or self.state not in (PENDING, RUNNING):
                return False
            self.cancelled.set()
            self._end(CANCELLED, errors.Cancelled("The conversion was cancelled"))
            return True

    def succeed(self, answer: Any) -> bool:
        """End it as Success; False when it is over already: Orthanc stops and did not wait for the storing."""
        with self._lock:
            if self.state != RUNNING:
                return False
            self.answer = answer
            self.progress, self.step = 100, "done"
            self._end(SUCCESS, None)
            return True

    def fail(self, error: errors.StlError) -> bool:
        """End it as Failure; False when it is over already."""
        with self._lock:
            if self.state not in (PENDING, RUNNING):
                return False
            self.cancelled.set()  # ends what other parts do
            self._end(CANCELLED if isinstance(error, errors.Cancelled) else FAILURE, error)
            return True

    def _end(self, state: str, error: errors.StlError | None) -> None:
        if self.state == PENDING:
            self._clock[1] = time.monotonic()
        self.state, self.error, self.order, self.files = state, error, None, ()
        self._outcomes, self._fractions, self._at_work = [], [], {}
        if error is not None:
            self.step = "cancelled" if state == CANCELLED else "failed"
        self.completed = datetime.now(UTC)
        self._clock[2] = time.monotonic()

    def settled(self) -> None:
        """It ended, and who has to know does: whoever waits goes on.

        Thousands of such jobs are remembered, so they share one event: each has a lock and memory of malloc's own, in
        between what comes and goes, and that memory is not given back then.
        """
        self.ended.set()
        self.ended = self.cancelled = _OVER

    def as_json(self) -> dict[str, Any]:
        """What /stl/jobs/{uuid} shows. Times as Orthanc's own jobs have them, in UTC. `Parts` while a set runs."""
        with self._lock:
            if self.state == RUNNING and self._reported[0]:
                self._show_progress()
            at_work = {"Count": self._parts, "Done": self._parts_done(), "AtWork": list(self._at_work.values())}
            parts = {"Parts": at_work} if self._parts is not None and self.state == RUNNING else {}
            return parts | {
                "ID": self.id,
                "State": self.state,
                "Progress": self.progress,
                "Step": self.step,
                "CreationTime": _time(self.created),
                "StartTime": _time(self.started),
                "CompletionTime": _time(self.completed),
                "Answer": self.answer if self.state == SUCCESS else None,
                "Error": None if self.error is None else _error(self.error),
            }

    def summary(self) -> str:
        """One line for the log: who asked for what, how long it took, how large it was. Names nothing from the file."""
        ending = self.state if self.error is None else f"{self.state} ({type(self.error).__name__})"
        return (
            f"{self.task} of {self.about or 'a body'} for {repr(self.client) if self.client else 'unknown'}: {ending} "
            f"in {self.seconds:.2f} s after {self.waited:.2f} s in the queue, "
            f"{self.bytes_in / 1e6:.1f} MB in, {self.bytes_out / 1e6:.1f} MB out, {self.warnings} warnings, "
            f"worker {self.peak_memory / 1e6:.0f} MB at most"
        )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y%m%dT%H%M%S.%f")


def _error(error: errors.StlError) -> dict[str, Any]:
    return {
        "Details": str(error),
        "HttpStatus": error.status,
        "Message": error.message,
        "OrthancStatus": error.orthanc_status,
    }
