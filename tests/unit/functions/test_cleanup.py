"""cleanup: what a run is told, and by which settings it goes."""

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
def switch(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Sets the deployment's CLEANUP_DRY_RUN; `make run` has it at `false`."""
    del stack
    yield monkeypatch
    monkeypatch.undo()
    settings.cache_clear()


class TestDryRun:
    """Whether a run deletes."""

    @pytest.mark.parametrize(
        ("deployed", "document", "dry"),
        [
            ("false", {}, False),
            ("false", {"dryRun": True}, True),
            ("false", {"dryRun": False}, False),
            (None, {}, True),
            (None, {"dryRun": False}, False),
            *((text, {}, True) for text in ("", "False", "no", "0", "true")),
        ],
    )
    def test_is_as_told_or_as_switched_on(
        self, switch: pytest.MonkeyPatch, scheduled: Scheduled, deployed: str | None, document: object, *, dry: bool
    ) -> None:
        """In one word, or it is dry: what might have been meant is not guessed where Jobs would go."""
        switch.delenv("CLEANUP_DRY_RUN")
        if deployed is not None:
            switch.setenv("CLEANUP_DRY_RUN", deployed)
        settings.cache_clear()

        assert scheduled.run("cleanup", document)["dryRun"] is dry

    @pytest.mark.parametrize(
        "document", [None, [], "x", 7, {"dryRun": "false"}, {"dryRun": 0}, {"dryRun": None}, {"dry_run": False}]
    )
    def test_is_not_guessed(self, stack: Stack, scheduled: Scheduled, document: object) -> None:
        """An odd document is refused, and the cluster is not asked."""
        asked = len(stack.cluster.requests)

        assert scheduled.run("cleanup", document)["errorType"] == "MalformedRequest"
        assert len(stack.cluster.requests) == asked


class TestReport:
    """What is told of a run."""

    def test_is_returned_whole_and_logged_with_metrics(
        self, scheduled: Scheduled, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """In camelCase, and what was not found is 0; what was done can be found, and counted over time."""
        report = scheduled.run("cleanup", {"dryRun": True})

        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        metrics = [one["Name"] for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        assert report.keys() == {
            "dryRun", "scanned", "eligible", "deleted", "failed", "pending", "truncated", "seconds", "skipped",
            "failures", "pendingJobs", "jobs",
        }  # fmt: skip
        assert report["seconds"] > 0
        assert (line["function"], line["status"], line["dryRun"], line["failures"]) == ("cleanup", 200, True, [])
        assert {"Scanned", "Deleted", "Failed", "Pending", "Truncated"} <= {*metrics} & line.keys()


class TestTime:
    """When a run ends."""

    @pytest.mark.usefixtures("stack")
    def test_is_told_when_there_was_too_little(self) -> None:
        """It begins nothing that it could not end."""
        report = app.app.handler_map["cleanup"]({}, LambdaContext("cleanup", "r-1", lambda: 29.0))

        assert (report["truncated"], report["scanned"]) == (True, 0)
