"""Rules where two Orthancs share one PostgreSQL: each source is done once, and none is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from testing.postgresql import BINARIES, Database, runtime_with_plugin
from testing.server import OrthancServer
from tests.live.test_rules import EVERY_RTSTRUCT, SOON, models, two_balls, wait_for, wait_until_stable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BINARIES is None, reason="PostgreSQL is not installed: apt-get install postgresql"),
]


def test_two_orthancs_on_one_database_make_each_model_once_and_lose_none(tmp_path: Path) -> None:
    """Both get sources and look back for those of the other; one of them ends in the middle and begins again."""
    sources = [two_balls() for _ in range(6)]
    stl = {"Rules": [EVERY_RTSTRUCT]}

    def orthanc(database: Database) -> OrthancServer:
        return OrthancServer(stl, SOON | database.config(), data=tmp_path, runtime=runtime_with_plugin())

    with Database() as database, orthanc(database) as one:
        with orthanc(database) as other:
            assert "postgresql" in one.get("/system").json()["DatabaseBackendPlugin"].lower()
            stored = [server.upload(file) for server, file in zip([one, other] * 3, sources, strict=True)]
            assert [one.upload(sources[1]), other.upload(sources[0])] == [stored[1], stored[0]]
            both = [
                threading.Thread(target=server.post, args=("/stl/rules/run", {"Days": 1})) for server in (one, other)
            ]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
            wait_for(lambda: models(one))
        with orthanc(database) as other:
            done = "structures"
            wait_for(lambda: all(done in one.get(f"/instances/{id}/stl/rules").json() for id in stored))
            wait_for(lambda: one.get("/stl/rules").json()["Waiting"] == other.get("/stl/rules").json()["Waiting"] == 0)
            wait_until_stable(one, other)
            wait_for(lambda: one.get("/stl/rules").json()["Waiting"] == other.get("/stl/rules").json()["Waiting"] == 0)
            assert len(models(one)) == 2 * len(sources)
            for id in stored:
                run = other.get(f"/instances/{id}/stl/rules").json()[done]
                assert run["State"] == "Success", run
                assert set(run["Models"]) <= set(models(other))
