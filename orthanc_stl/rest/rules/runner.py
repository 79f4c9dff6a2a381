"""Runs rules on what arrives: one source after the other, each once, whatever happens in between."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from orthanc_stl import errors
from orthanc_stl.rest.http.messages import printable
from orthanc_stl.rest.orthanc import Orthanc
from orthanc_stl.rest.rules.arrivals import arrived_since, series_facts, sources_of
from orthanc_stl.rest.rules.history import History
from orthanc_stl.rest.rules.rule import Rule

RETRY_SECONDS, MOST_RETRY_SECONDS = 1.0, 30.0
"""How long a rule waits when the queue is full, at first and, as it doubles each time, at most. People come first."""

Make = Callable[[Rule, str], dict[str, Any]]


class RuleRunner:
    """`make` makes the models of a rule of one instance; `log` takes a line; `publish` what waits, was made, failed.

    A rule has one conversion in the queue at a time, of low priority, so that however much arrives, a worker is left
    for a person's request. What waits is a set of identifiers in memory: after a restart it is found by `start`.
    """

    def __init__(
        self, rules: Sequence[Rule], orthanc: Orthanc, *, make: Make, log: Callable[[str], None],
        publish: Callable[[int, int, int], None],
    ) -> None:  # fmt: skip
        self.rules = tuple(rules)
        self.history = History(orthanc)
        self._orthanc, self._make, self._log, self._publish = orthanc, make, log, publish
        self._changed = threading.Condition()
        self._series: dict[str, bool] = {}  # in the order of their arrival; whether failures are tried again
        self._at_work = False  # on a series
        self._days = 0  # to look back, when there is time
        self._made = self._failed = 0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, days: int) -> None:
        """Begins to work, with what has arrived in the last days."""
        if not self.rules or self._thread is not None:
            return
        self._days = days
        self._thread = threading.Thread(target=self._work, name="stl-rules", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()

    def series_is_stable(self, series: str) -> None:
        """Called by Orthanc: only takes a note of it."""
        self._add([series], again=True)

    def catch_up(self, days: int) -> None:
        """Look for what has arrived in the last days and has not been done."""
        with self._changed:
            self._days = max(self._days, days)
            self._changed.notify_all()

    def again(self, instance: str) -> None:
        """Run the rules once more that have failed for an instance. Raises `NotFound`."""
        self._add([self._orthanc.get_json(f"/instances/{instance}")["ParentSeries"]], again=True)

    @property
    def waiting(self) -> int:
        """How many series wait, with the one that is being done."""
        with self._changed:
            return len(self._series) + self._at_work

    def _add(self, series: Sequence[str], *, again: bool) -> None:
        if not self.rules:
            return
        with self._changed:
            for one in series:
                self._series[one] = self._series.get(one, False) or again
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._series or self._days or self._stopped.is_set()):
                    self._changed.wait()
                if self._stopped.is_set():
                    return
                days, self._days = self._days, 0
                series = next(iter(self._series), "")
                again = self._series.pop(series, False)
                self._at_work = bool(series)
            try:
                if days:
                    self._add(arrived_since(self._orthanc, days), again=False)
                if series:
                    self._look_at(series, again)
            except errors.NotFound:
                pass  # deleted meanwhile: there is nothing to make models of
            except Exception as error:  # one series stops no other
                self._log(printable(f"Rules: series {series} failed unexpectedly: {type(error).__name__}: {error}"))
            with self._changed:
                self._at_work = False
            self._publish(self.waiting, self._made, self._failed)

    def _look_at(self, series: str, again: bool) -> None:
        facts = series_facts(self._orthanc, series)
        for instance, sop_class in sources_of(self._orthanc, series, facts):
            for rule in self.rules:
                if not self._stopped.is_set() and rule.applies({**facts, "SOPClass": [sop_class]}):
                    self._run(rule, instance, again)

    def _run(self, rule: Rule, instance: str, again: bool) -> None:
        """Once per source and rule. What failed, or could not be sent, is tried again if asked for."""
        last = self.history.of(instance).get(rule.name)
        if last and not (again and self._failed_before(last)):
            return
        run: dict[str, Any] = {"Time": datetime.now(UTC).strftime("%Y%m%dT%H%M%S")}
        try:
            made = self._patiently(rule, instance)
            if made is None:
                return
            run |= {"State": "Success", **made}
            self._made += 1
        except errors.StlError as error:
            if self._stopped.is_set():
                return  # the next start finds it again
            run |= {"State": "Failure", "Error": type(error).__name__, "Reason": str(error)}
            self._failed += 1
        self.history.add(instance, rule.name, run)
        told = f"{len(run['Models'])} models" if "Models" in run else run["Error"]
        self._log(printable(f"Rule {json.dumps(rule.name)} on instance {instance}: {run['State']} ({told})"))

    def _failed_before(self, run: dict[str, Any]) -> bool:
        unsent = (self._orthanc.job_state(one["Job"]) == "Failure" for one in run.get("Sent", ()))
        return run.get("State") != "Success" or any(unsent)

    def _patiently(self, rule: Rule, instance: str) -> dict[str, Any] | None:
        """What `make` gives, as soon as there is room. None when Orthanc stops: the next start finds it again."""
        seconds = RETRY_SECONDS
        while not self._stopped.is_set():
            try:
                return self._make(rule, instance)
            except errors.Cancelled:
                if not self._stopped.is_set():
                    raise
            except errors.Busy as busy:
                if seconds == RETRY_SECONDS:
                    self._log(printable(f"Rule {json.dumps(rule.name)} on instance {instance} waits: {busy}"))
                self._stopped.wait(seconds)
                seconds = min(2 * seconds, MOST_RETRY_SECONDS)
        return None
