"""Events: what a function is handed, what it returns, and what is told of it when it fails."""

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
    """What a function may return."""

    deleted_jobs: int


def context(seconds: float = 60.0) -> LambdaContext:
    """An invocation that may still run for *seconds*."""
    return LambdaContext("cleanup", "invocation-1", lambda: seconds)


def raising(error: Exception) -> Callable[[Event], object]:
    """A function that fails."""

    def fails(event: Event) -> object:
        event.notes["project"] = "team-a"
        raise error

    return fails


class TestSuccess:
    """A function that does its work."""

    def test_gets_the_document_and_returns_json(self) -> None:
        """What is returned is what `aws lambda invoke` shows; some time is left for saying what was not done."""
        left = []

        def function(event: Event) -> Report:
            left.append(event.deadline.remaining)
            return Report(event.document["count"])

        assert on_event(function)({"count": 3}, context(seconds=60)) == {"deletedJobs": 3}
        assert 60 - RESERVE_SECONDS - 5 < left[0] <= 60 - RESERVE_SECONDS

    def test_is_logged(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With the invocation's id, which its calls to the cluster carry, how long they took, and the notes."""

        def notes(event: Event) -> str:
            event.notes["deleted"] = 3
            event.deadline.attempts.append(0.5)
            return event.deadline.request_id

        assert on_event(notes)({}, context()) == "invocation-1"
        told = line(capsys)
        assert (told["function"], told["status"], told["request"]) == ("test_event_handler", 200, "invocation-1")
        assert (told["deleted"], told["Failures"]) == (3, 0)
        assert (told["attempts"], told["clusterMilliseconds"]) == (1, 500)


class TestFailure:
    """A function that does not."""

    def test_is_logged_by_its_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        """And raised: Lambda tries again what failed, and only that. What was noted until then is kept."""
        error = ClusterUnavailable("The cluster cannot be reached.")
        error.add_note("name_resolution")

        with pytest.raises(ClusterUnavailable):
            on_event(raising(error))({}, context())

        told = line(capsys)
        assert (told["status"], told["code"], told["project"]) == (503, "cluster_unavailable", "team-a")
        assert (told["Failures"], told["why"]) == (1, "name_resolution")

    def test_nobody_foresaw_is_logged_without_its_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The text may hold anything; where it arose, or the name of the missing setting, is enough to find it."""
        with pytest.raises(InternalError) as raised:
            on_event(raising(ValueError(CANARY)))({}, context())

        told = line(capsys)
        assert (told["status"], told["code"]) == (500, "internal_error")
        assert "ValueError" in told["error"][0]
        assert CANARY not in json.dumps(told)
        with pytest.raises(InternalError):
            on_event(raising(MissingSettingError("CLUSTER_CA")))({}, context())
        assert line(capsys)["error"] == "CLUSTER_CA"
        assert CANARY not in "".join(traceback.format_exception(raised.value))
