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

    from infra.local.stack import Stack
    from tests.scheduled import Scheduled


@pytest.fixture
def switched_off(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A deployment in which nobody has switched the cleanup on."""
    del stack
    monkeypatch.delenv("CLEANUP_DRY_RUN")
    settings.cache_clear()
    yield
    settings.cache_clear()


class TestDryRun:
    """Whether a run deletes."""

    @pytest.mark.parametrize(("document", "dry"), [({}, False), ({"dryRun": True}, True), ({"dryRun": False}, False)])
    def test_is_as_told_or_as_switched_on(self, scheduled: Scheduled, document: object, *, dry: bool) -> None:
        """`make run` has switched it on."""
        assert scheduled.run("cleanup", document)["dryRun"] is dry

    @pytest.mark.usefixtures("switched_off")
    @pytest.mark.parametrize(("document", "dry"), [({}, True), ({"dryRun": False}, False)])
    def test_is_dry_by_default(self, scheduled: Scheduled, document: object, *, dry: bool) -> None:
        """Until it is switched on."""
        assert scheduled.run("cleanup", document)["dryRun"] is dry

    @pytest.mark.parametrize("text", ["", "False", "no", "0", "true"])
    def test_is_dry_unless_it_is_switched_on_in_one_word(
        self,
        stack: Stack,
        scheduled: Scheduled,
        monkeypatch: pytest.MonkeyPatch,
        text: str,
    ) -> None:
        """What might have been meant is not guessed where Jobs would go."""
        del stack
        monkeypatch.setenv("CLEANUP_DRY_RUN", text)
        settings.cache_clear()

        dry = scheduled.run("cleanup", {})["dryRun"]

        settings.cache_clear()
        assert dry is True

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

    def test_is_returned_whole(self, scheduled: Scheduled) -> None:
        """In camelCase; what was not found is 0, and not left out."""
        report = scheduled.run("cleanup", {"dryRun": True})

        assert report.keys() == {
            "dryRun", "scanned", "eligible", "deleted", "failed", "pending", "truncated", "seconds", "skipped",
            "failures", "pendingJobs", "jobs",
        }  # fmt: skip
        assert report["seconds"] > 0

    def test_is_a_log_line_with_metrics(self, scheduled: Scheduled, capsys: pytest.CaptureFixture[str]) -> None:
        """What was done can be found, and counted over time."""
        scheduled.run("cleanup", {"dryRun": True})

        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        metrics = [one["Name"] for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        assert (line["function"], line["status"], line["dryRun"], line["failures"]) == ("cleanup", 200, True, [])
        assert {"Scanned", "Deleted", "Failed", "Pending", "Truncated"} <= {*metrics} & line.keys()


class TestTime:
    """When a run ends."""

    @pytest.mark.usefixtures("stack")
    def test_is_told_when_there_was_too_little(self) -> None:
        """It begins nothing that it could not end."""
        report = app.app.handler_map["cleanup"]({}, LambdaContext("cleanup", "r-1", lambda: 29.0))

        assert (report["truncated"], report["scanned"]) == (True, 0)
