"""announce: the result and the log line of a run, and its time limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import app
from infra.local.lambda_proxy import LambdaContext
from tests.support.eventually import eventually

if TYPE_CHECKING:
    import pytest

    from tests.support.api import Api
    from tests.support.scheduled_functions import Scheduled


class TestRun:
    """One run."""

    def test_is_returned_and_logged_with_metrics(
        self, scheduled: Scheduled, api: Api, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The report is the result, and the log line has its metrics."""
        api.submit(name="ends", environment={"SIMULATE": "exit-0"})
        eventually(lambda: api.request("GET", "/jobs/team-a/ends").json()["data"][0]["finishedAt"], bool)

        returned = scheduled.announce()

        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        metrics = {metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
        assert returned == {"announced": 1, "failed": 0, "truncated": False, "failures": []}
        assert (line["function"], line["status"], line["announced"], line["Announced"]) == ("announce", 200, 1, 1)
        assert {"Announced", "Failed", "Truncated"} <= metrics

    def test_stops_if_too_little_time_is_left(self, scheduled: Scheduled, api: Api) -> None:
        """It announces no Job that it could not label, and leaves it to the next run."""
        api.submit(name="later", environment={"SIMULATE": "exit-0"})
        eventually(lambda: api.request("GET", "/jobs/team-a/later").json()["data"][0]["finishedAt"], bool)

        returned = app.app.handler_map["announce"]({}, LambdaContext("announce", "r-1", lambda: 24.0))

        assert returned == {"announced": 0, "failed": 0, "truncated": True, "failures": []}
        assert scheduled.announce()["announced"] == 1
