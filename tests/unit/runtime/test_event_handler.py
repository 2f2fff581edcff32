"""Handlers of events: the Event, the result, and the log line of an error."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.domain.errors import ClusterUnavailable, InternalError
from chalicelib.runtime.event_handler import RESERVE_SECONDS, Event, on_event
from chalicelib.settings import MissingSettingError
from infra.local.lambda_proxy import LambdaContext
from tests.logged import line

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "hunter2-the-canary"


class Report(msgspec.Struct, rename="camel"):
    """A result of a function."""

    deleted_jobs: int


def context(seconds: float = 60.0) -> LambdaContext:
    """Return the context of an invocation with *seconds* left."""
    return LambdaContext("cleanup", "invocation-1", lambda: seconds)


def raising(error: Exception) -> Callable[[Event], object]:
    """Return a function that raises *error*."""

    def function(event: Event) -> object:
        event.notes["project"] = "team-a"
        raise error

    return function


class TestSuccess:
    """A function that returns."""

    def test_gets_the_document_and_returns_json(self) -> None:
        """The result is JSON, and the deadline leaves time for the report."""
        remaining = []

        def function(event: Event) -> Report:
            remaining.append(event.deadline.remaining)
            return Report(event.document["count"])

        assert on_event(function)({"count": 3}, context(seconds=60)) == {"deletedJobs": 3}
        assert 60 - RESERVE_SECONDS - 5 < remaining[0] <= 60 - RESERVE_SECONDS

    def test_is_logged(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The log line has the id of the invocation, the attempts and the notes."""

        def notes(event: Event) -> str:
            event.notes["deleted"] = 3
            event.deadline.attempts.append(0.5)
            return event.deadline.request_id

        assert on_event(notes)({}, context()) == "invocation-1"
        logged = line(capsys)
        assert (logged["function"], logged["status"], logged["request"]) == ("test_event_handler", 200, "invocation-1")
        assert (logged["deleted"], logged["Failures"]) == (3, 0)
        assert (logged["attempts"], logged["clusterMilliseconds"]) == (1, 500)


class TestFailure:
    """A function that raises."""

    def test_error_is_logged_and_raised(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Lambda retries the event. The log line has the code and the notes so far."""
        error = ClusterUnavailable("The cluster cannot be reached.")
        error.add_note("name_resolution")

        with pytest.raises(ClusterUnavailable):
            on_event(raising(error))({}, context())

        logged = line(capsys)
        assert (logged["status"], logged["code"], logged["project"]) == (503, "cluster_unavailable", "team-a")
        assert (logged["Failures"], logged["why"]) == (1, "name_resolution")

    def test_unexpected_error_is_logged_without_its_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The text may contain a secret; the log has its location, or the name of the missing setting."""
        with pytest.raises(InternalError) as raised:
            on_event(raising(ValueError(CANARY)))({}, context())

        logged = line(capsys)
        assert (logged["status"], logged["code"]) == (500, "internal_error")
        assert "ValueError" in logged["error"][0]
        assert CANARY not in json.dumps(logged)
        with pytest.raises(InternalError):
            on_event(raising(MissingSettingError("CLUSTER_NAME")))({}, context())
        assert line(capsys)["error"] == "CLUSTER_NAME"
        assert CANARY not in "".join(traceback.format_exception(raised.value))
