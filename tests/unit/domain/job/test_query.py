"""The filters of a list of Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.job.query import JobQuery, ListQuery, resolved
from chalicelib.domain.job.status import Status
from chalicelib.domain.labels import USER_LABEL
from chalicelib.domain.parsing.strict_json import query_parameters
from tests.support.builders import NOW, NOW_MS, job, minutes_ago

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job


def resolve(**fields: Any) -> JobQuery:  # noqa: ANN401 - any field of the query
    """Return the query with these *fields*, as alice sends it now."""
    return resolved(JobQuery(**fields), "alice", NOW)


class TestJobQuery:
    """Validation of the query."""

    def test_defaults(self) -> None:
        """The default is a page of 100 Jobs."""
        assert query_parameters({}, JobQuery) == JobQuery(limit=100)

    @pytest.mark.parametrize(
        ("name", "valid", "invalid"),
        [
            ("limit", ["1", "500"], ["0", "501"]),
            ("status", [*get_args(Status)], ["running", "", "Failed,", ",Failed", "Failed, Pending", "Failed;Pending"]),
            ("jobTypeFilter", ["Train", "Interactive"], ["Inference"]),
            ("user", ["a", "a" * 128], ["", "a" * 129]),
            ("label", ["a" * 1024], ["", "a" * 1025]),
            ("name", ["a", "a" * 253], ["", "a" * 254]),
            ("since", ["1h"], ["", "1" * 33]),
            ("pageToken", ["eyJ2IjoibWV0YSJ9-_=", "a" * 4096], ["", "a b", "a" * 4097]),
        ],
    )
    def test_limits(self, name: str, valid: list[str], invalid: list[str]) -> None:
        """Limits are inclusive, and an empty filter is an error."""
        for text in valid:
            parsed = msgspec.to_builtins(query_parameters({name: [text]}, JobQuery))[name]
            assert str(parsed[0] if name == "status" else parsed) == text
        for text in invalid:
            with pytest.raises(MalformedRequest):
                query_parameters({name: [text]}, JobQuery)

    @pytest.mark.parametrize("values", [["Failed,Pending"], ["Failed", "Pending"]])
    def test_several_statuses(self, values: list[str]) -> None:
        """They are separated by commas, or sent one by one, as clients of either convention do."""
        assert query_parameters({"status": values}, JobQuery).status == ("Failed", "Pending")


class TestResolved:
    """`me`, and the time."""

    @pytest.mark.parametrize(("user", "expected"), [("me", "alice"), ("bob", "bob"), ("Me", "Me")])
    def test_user(self, user: str, expected: str) -> None:
        """`me` is the caller."""
        assert resolve(user=user).selector == f"{USER_LABEL}={expected}"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0s", NOW_MS),
            ("90s", NOW_MS - 90_000),
            ("30m", NOW_MS - 1_800_000),
            ("24h", NOW_MS - 86_400_000),
            ("7d", NOW_MS - 7 * 86_400_000),
            ("2w", NOW_MS - 14 * 86_400_000),
            ("2026-11-24", NOW_MS - 36_000_000),
            ("2026-11-24T10:00Z", NOW_MS),
            ("2026-11-24T10:00:00Z", NOW_MS),
            ("2026-11-24T11:30:00.25+01:30", NOW_MS + 250),
            (str(NOW_MS), NOW_MS),
            ("99999w", NOW_MS - 99_999 * 7 * 86_400_000),
        ],
    )
    def test_since(self, text: str, expected: int) -> None:
        """It is a duration until now, a date in UTC, a time with its zone, or milliseconds."""
        assert resolve(since=text).since == str(expected)

    @pytest.mark.parametrize(
        "text",
        ["h", "24", "24H", "-1h", "1.5h", " 1h", "1h\n", "1h30m", "yesterday", "1795514400", "2026-02-30", "2026-13-01",
         "2026-11-24T10:00", "2026-11-24 10:00Z", "2026-11-24T10:00:00 01:00", "2026-11-24T25:00Z",
         "0001-01-01T00:00+23:59", "20261124", "100000w", "\u0661h"],
    )  # fmt: skip
    def test_ambiguous_since_is_refused(self, text: str) -> None:
        """Seconds for milliseconds, or a time without its zone, would silently select other Jobs."""
        with pytest.raises(MalformedRequest) as refused:
            resolve(since=text)

        (error,) = refused.value.errors
        assert error.pointer == "/since"
        assert "24h" in error.message

    @pytest.mark.parametrize("fields", [{"name": "Train"}, {"name": "-a"}, {"name": "a_"}, {"label": "a in (b)"}])
    def test_other_filters_are_validated_first(self, fields: dict[str, str]) -> None:
        """A name that no Job can have is an error, and not an empty list."""
        with pytest.raises(MalformedRequest):
            resolve(**fields)


class TestListQuery:
    """`wait` and `until`."""

    @pytest.mark.parametrize("query", ["wait=26", "wait=-1", "wait=1.5", "until=running", "until="])
    def test_limits(self, query: str) -> None:
        """A list waits for nothing else."""
        name, _, text = query.partition("=")

        with pytest.raises(MalformedRequest):
            query_parameters({name: [text]}, ListQuery)

    def test_wait_needs_until(self) -> None:
        """A list has no ETag, so that it cannot wait for a change as a Job can."""
        with pytest.raises(MalformedRequest) as refused:
            resolved(ListQuery(wait=5), "alice", NOW)

        assert refused.value.errors[0].pointer == "/wait"
        assert resolved(ListQuery(wait=5, until="finished"), "alice", NOW).wait == 5


class TestSelects:
    """What no label selector can express."""

    @pytest.mark.parametrize(
        ("fields", "subject", "expected"),
        [
            ({}, job("a", creation_timestamp=None), True),
            ({"name": "tr"}, job("train-1"), True),
            ({"name": "rain"}, job("train-1"), False),
            ({"since": "5m"}, job("a", creation_timestamp=minutes_ago(5)), True),
            ({"since": "5m"}, job("a", creation_timestamp=minutes_ago(5.1)), False),
            ({"since": "5m"}, job("a", creation_timestamp=None), False),
        ],
    )
    def test_name_and_age(self, fields: dict[str, str], subject: Job, expected: bool) -> None:
        """The limits are inclusive, and a Job of unknown age is not younger than any."""
        assert resolve(**fields).selects(subject) is expected

    @pytest.mark.parametrize(
        ("name", "expected"), [("tr", False), ("train", False), ("train-9", False), ("train.x", True), ("zebra", True)]
    )
    def test_is_beyond(self, name: str, expected: bool) -> None:
        """Names are sorted by their bytes."""
        assert resolve(name="train-").is_beyond(name) is expected
        assert not resolve().is_beyond(name)
