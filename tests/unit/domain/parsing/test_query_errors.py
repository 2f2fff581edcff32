"""Tests of the messages about query parameters."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.strict_json import query_parameters

NAMES = "`limit`, `dryRun`, `status`, `ratio`, `wait`, `pageToken`"
BOOLEAN = "must be `true` or `false`"
INTEGER = "must be a whole number in decimal digits, such as 10"


class Query(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Query parameters of every type."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    dry_run: bool = False
    status: Literal["Running", "Failed"] | None = None
    ratio: float | None = None
    wait: Annotated[int, msgspec.Meta(ge=0, le=25)] | None = None
    page_token: Annotated[str, msgspec.Meta(pattern="^x+$", extra={"rule": "must be x"})] | None = None


class NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """No query parameters."""


class Required(msgspec.Struct, forbid_unknown_fields=True):
    """A required parameter."""

    label: str
    limit: int = 1


def errors_of(query: dict[str, str], kind: type[msgspec.Struct] = Query) -> dict[str, str]:
    """Return the messages by parameter."""
    with pytest.raises(MalformedRequest) as error:
        query_parameters({name: [text] for name, text in query.items()}, kind)
    return {each.pointer.removeprefix("/"): each.message for each in error.value.errors}


class TestQueryErrors:
    """Tests of query_errors."""

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ({"dryRun": "1"}, f"{BOOLEAN}. Did you mean `true`?"),
            ({"dryRun": "FALSE"}, f"{BOOLEAN}. Did you mean `false`?"),
            ({"dryRun": "maybe"}, BOOLEAN),
            ({"limit": "ten"}, INTEGER),
            ({"limit": "1e2"}, INTEGER),
            ({"limit": "501"}, "must be at most 500"),
            ({"ratio": "half"}, "must be a number in decimal digits, such as 0.5"),
            ({"wait": "null"}, INTEGER),
            ({"status": "running"}, "must be one of `Failed`, `Running`. Did you mean `Running`?"),
            ({"status": "Errored"}, "must be one of `Failed`, `Running`. Did you mean `Failed`?"),
            ({"status": "Completed"}, "must be one of `Failed`, `Running`"),
            ({"pageToken": "y"}, "must be x"),
            ({"pageToken": "null"}, "must be x"),
            ({"dry_run": "true"}, "is unknown. Did you mean `dryRun`?"),
            ({"limt": "1"}, "is unknown. Did you mean `limit`?"),
            ({"per_page": "1"}, "is unknown. Did you mean `limit`?"),
            ({"cursor": "x"}, "is unknown. Did you mean `pageToken`?"),
            ({"namespace": "a"}, "is unknown: the Project is part of the path: /jobs/{project}"),
            (
                {"colour": "a"},
                f"is unknown; the parameters of this operation are {NAMES}",
            ),
        ],
    )
    def test_message(self, query: dict[str, str], message: str) -> None:
        """The message says what to write, and contains neither the value nor a pattern."""
        assert list(errors_of(query).values()) == [message]

    def test_every_parameter_is_reported(self) -> None:
        """All errors are in one response, one for each parameter."""
        errors = errors_of({"limit": "0", "dryRun": "yes", "status": "x", "wait": "26", "force": "1"})

        assert list(errors) == ["force", "limit", "dryRun", "status", "wait"]

    def test_required_parameter(self) -> None:
        """A parameter that is missing is named, after those that are wrong."""
        assert errors_of({"limit": "x"}, Required) == {"limit": INTEGER, "label": "is required"}

    def test_operation_without_parameters(self) -> None:
        """There is nothing to list."""
        errors = errors_of({"colour": "a"}, NoQuery)

        assert errors == {"colour": "is unknown: this operation has no query parameters; remove it"}
