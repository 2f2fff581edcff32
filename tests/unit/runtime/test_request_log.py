"""The request log: one JSON line for each request."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import PurePath
from typing import Any

import pytest

from chalicelib.runtime import request_log
from tests.logged import line

CANARY = "hunter2-the-canary"


class TestWriteRequest:
    """The line of a request."""

    def test_event_and_metrics_in_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The line has fields to search for, and CloudWatch metrics."""
        before = int(time.time() * 1000)

        request_log.write_request(
            "get_job", status=200, milliseconds=12.345, attempts=[0.002, 0.0031], request="req-1", project="team-a"
        )

        found = line(capsys)
        written = found["_aws"].pop("Timestamp")
        assert found.pop("cold") in {True, False}
        metrics = [{"Name": "Milliseconds", "Unit": "Milliseconds"}, {"Name": "Failures", "Unit": "Count"}]
        directive = {"Namespace": "ResearcherAPI", "Dimensions": [["stack", "function"]], "Metrics": metrics}
        expected = {
            "event": "request", "stack": "local", "function": "get_job", "status": 200,
            "request": "req-1", "project": "team-a",
            "attempts": 2, "clusterMilliseconds": 5.1, "_aws": {"CloudWatchMetrics": [directive]},
            "Milliseconds": 12.3, "Failures": 0,
        }  # fmt: skip
        assert expected == found
        assert before <= written <= int(time.time() * 1000)

    def test_two_stacks_have_different_metrics(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The name of the stack is a dimension, and never empty, which CloudWatch would drop."""
        found = []
        for name in ("researcher-east", "researcher-west", ""):
            monkeypatch.setenv("STACK_NAME", name)
            request_log.write_request("get_job", status=200, milliseconds=1)
            found.append(line(capsys))

        assert [each["stack"] for each in found] == ["researcher-east", "researcher-west", "local"]
        assert all("stack" in each["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0] for each in found)

    def test_counts_are_metrics(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Counts are additional metrics; a field may have any name, even that of an argument.

        CloudWatch silently drops a metric that the directive names and the line does not have.
        """
        request_log.write_request("cleanup", {"Deleted": 3}, status=200, milliseconds=1, counts="x")

        found = line(capsys)
        (directive,) = found["_aws"]["CloudWatchMetrics"]
        assert {"Name": "Deleted", "Unit": "Count"} in directive["Metrics"]
        assert (found["Deleted"], found["counts"]) == (3, "x")
        assert {metric["Name"] for metric in directive["Metrics"]} | {*directive["Dimensions"][0]} <= found.keys()

    @pytest.mark.parametrize(("status", "failures"), [(200, 0), (404, 0), (499, 0), (500, 1), (503, 1), (504, 1)])
    def test_only_server_errors_are_failures(
        self, capsys: pytest.CaptureFixture[str], status: int, failures: int
    ) -> None:
        """A caller's error does not count; a field with the name of a metric does not change it."""
        notes: dict[str, Any] = {"Failures": 7, "Milliseconds": -1, "cold": "no", "clusterMilliseconds": -1}
        request_log.write_request("f", status=status, milliseconds=1, **notes)

        found = line(capsys)
        assert (found["Failures"], found["Milliseconds"], found["clusterMilliseconds"]) == (failures, 1, 0)
        assert found["cold"] != "no"

    def test_none_is_omitted(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Zero, false and the empty string are written."""
        request_log.write_request("f", status=200, milliseconds=1, subject=None, count=0, flag=False, text="")

        found = line(capsys)
        assert "subject" not in found
        assert (found["count"], found["flag"], found["text"]) == (0, False, "")

    def test_only_the_first_line_of_a_process_is_cold(self) -> None:
        """Its request included the cold start."""
        write = "[write_request('f', status=200, milliseconds=1) for _ in range(3)]"
        program = f"from chalicelib.runtime.request_log import write_request; {write}"

        output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.splitlines()

        assert [json.loads(written)["cold"] for written in output] == [True, False, False]

    @pytest.mark.parametrize("text", ["a\nb", 'a"}\n{"event": "forged"}', "\u2028", "\x00\x1b[31m"])
    def test_value_is_escaped(self, capsys: pytest.CaptureFixture[str], text: str) -> None:
        """A caller cannot forge a log line."""
        request_log.write_request("f", status=200, milliseconds=1, name=text)

        assert line(capsys)["name"] == text


class TestCodeLocations:
    """The location of an error."""

    def test_type_file_and_line_of_each_cause(self) -> None:
        """The error and its causes are listed, the innermost location first, without their texts."""
        with pytest.raises(RuntimeError) as caught:
            outer()

        found = request_log.code_locations(caught.value)

        here = PurePath(__file__).name
        first, second = (location.split(" < ") for location in found)
        assert (first[0], second[0]) == ("RuntimeError", "ValueError")
        assert [place.split(":")[0] for place in first[1:] + second[1:]] == [here] * 4
        assert second[1:] == [f"{here}:{INNER + 2}", f"{here}:{OUTER + 3}"]
        assert CANARY not in repr(found)

    def test_at_most_three_locations_of_each(self) -> None:
        """The line is short, however deep the stack is."""
        with pytest.raises(RecursionError) as caught:
            recurse()

        (found,) = request_log.code_locations(caught.value)

        assert found.count(" < ") == 3

    def test_context_is_omitted(self) -> None:
        """Only causes are listed; an error that was never raised has a type and no location."""
        error = ValueError("x")
        error.__context__ = KeyError(CANARY)

        assert request_log.code_locations(error) == ["ValueError"]


def inner() -> None:
    """Raise an error whose text is a secret."""
    raise ValueError(CANARY)


def outer() -> None:
    """Raise another error because of it."""
    try:
        inner()
    except ValueError as error:
        raise RuntimeError(CANARY) from error


def recurse() -> None:
    """Call itself."""
    recurse()


INNER, OUTER = inner.__code__.co_firstlineno, outer.__code__.co_firstlineno
