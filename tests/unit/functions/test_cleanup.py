"""cleanup: the event of a run, its settings, and its report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import app
from chalicelib.settings import settings
from infra.local.lambda_proxy import LambdaContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.scheduled_functions import Scheduled


@pytest.fixture
def deployment_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Return a patch of the settings, which is undone after the test; `make run` sets CLEANUP_DRY_RUN to `false`."""
    del stack
    yield monkeypatch
    monkeypatch.undo()
    settings.cache_clear()


class TestDryRun:
    """Whether a run deletes Jobs."""

    @pytest.mark.parametrize(
        ("deployed", "document", "dry_run"),
        [
            ("false", {}, False),
            ("false", {"dryRun": True}, True),
            ("false", {"dryRun": False}, False),
            (None, {}, True),
            (None, {"dryRun": False}, False),
            *((text, {}, True) for text in ("", "False", "no", "0", "true")),
        ],
    )
    def test_event_or_setting(
        self,
        deployment_environment: pytest.MonkeyPatch,
        scheduled: Scheduled,
        deployed: str | None,
        document: object,
        *,
        dry_run: bool,
    ) -> None:
        """Jobs are deleted only if the event or the setting is exactly `false`."""
        deployment_environment.delenv("CLEANUP_DRY_RUN")
        if deployed is not None:
            deployment_environment.setenv("CLEANUP_DRY_RUN", deployed)
        settings.cache_clear()

        assert scheduled.run("cleanup", document)["dryRun"] is dry_run

    @pytest.mark.parametrize(
        "document", [None, [], "x", 7, {"dryRun": "false"}, {"dryRun": 0}, {"dryRun": None}, {"dry_run": False}]
    )
    def test_invalid_event(self, stack: Stack, scheduled: Scheduled, document: object) -> None:
        """An invalid event is rejected, and no request is sent to the cluster."""
        requests = len(stack.cluster.requests)

        assert scheduled.run("cleanup", document)["errorType"] == "MalformedRequest"
        assert len(stack.cluster.requests) == requests


class TestReport:
    """The report of a run."""

    def test_is_returned_and_logged_with_metrics(
        self, scheduled: Scheduled, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The result has all fields in camelCase, and the log line has its metrics."""
        report = scheduled.run("cleanup", {"dryRun": True})

        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        metrics = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        assert report.keys() == {
            "dryRun", "scanned", "eligible", "deleted", "failed", "pending", "truncated", "seconds", "skipped",
            "failures", "pendingJobs", "jobs",
        }  # fmt: skip
        assert report["seconds"] > 0
        assert (line["function"], line["status"], line["dryRun"], line["failures"]) == ("cleanup", 200, True, [])
        assert {"Scanned", "Deleted", "Failed", "Pending", "Truncated"} <= {*metrics} & line.keys()


class TestTime:
    """The time limit of a run."""

    @pytest.mark.usefixtures("stack")
    def test_too_little_time(self) -> None:
        """No Project is begun, and the report is truncated."""
        report = app.app.handler_map["cleanup"]({}, LambdaContext("cleanup", "r-1", lambda: 29.0))

        assert (report["truncated"], report["scanned"]) == (True, 0)
