"""Typical mistakes in requests: each is refused with one sentence, from which it can be corrected in one step.

`mistakes.jsonl` has one mistake a line, collected from the quick starts, references and issues of the tools that it
names in `of`: the request, what the response `says` about each value (or in `detail`), and what is sent `instead`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.api import Api

if TYPE_CHECKING:
    import httpx

    from infra.local.local_stack import Stack


Row = dict[str, Any]

TABLE = Path(__file__).parent / "mistakes.jsonl"
ROWS: list[Row] = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
REFUSED = {400, 415, 422}
ACCEPTED = {"job_not_found", "job_not_started"}
"""Errors of a request that is correct, about a Job that does not exist or has no log yet."""
REGULAR_EXPRESSION = re.compile(r"\^|\$\W|\$$|\[[^]]*[a-z]-[a-z]|\(\?|\\[dws]|[])][*+]|\{\d*,\d*\}")


def send(api: Api, row: Row) -> httpx.Response:
    """Send the request of *row*."""
    content = row["text"] if "text" in row else json.dumps(row["body"]) if "body" in row else None
    headers = {"Content-Type": "application/json"} if content is not None else {}
    return api.request(row["method"], row["path"], content=content, headers=headers | row.get("headers", {}))


def corrected(row: Row) -> Row:
    """Return the request of *row* with what is sent instead."""
    rest: Row = {name: value for name, value in row.items() if name != "text" or "body" not in row["instead"]}
    return {**rest, **row["instead"]}


@pytest.fixture(scope="module")
def _existing(stack: Stack[Any]) -> None:
    """Create the Job that some requests name."""
    with Api(stack) as api:
        api.submit(name="existing")


@pytest.mark.usefixtures("_existing")
class TestMistakes:
    """The table of mistakes."""

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['of']} {next(iter(row['says']))}")
    def test_sentence(self, api: Api, row: Row) -> None:
        """The response has one error for each wrong value, with this sentence, and what it says is accepted."""
        refused, accepted = send(api, row), send(api, corrected(row))

        problem = refused.json()
        said = [(error["pointer"], error["message"]) for error in problem.get("errors", [])]
        assert refused.status_code in REFUSED
        assert (said or [("detail", problem["detail"])]) == list(row["says"].items())
        assert accepted.is_success or accepted.json()["code"] in ACCEPTED, accepted.text


class TestTable:
    """Properties of the table."""

    def test_size(self) -> None:
        """There are at least 150 different mistakes, of many tools."""
        requests = {
            json.dumps({key: row[key] for key in row.keys() - {"of", "says", "instead"}}, sort_keys=True)
            for row in ROWS
        }

        assert len(requests) == len(ROWS) >= 150
        assert len({row["of"] for row in ROWS}) >= 10

    @pytest.mark.parametrize("sentence", sorted({text for row in ROWS for text in row["says"].values()}))
    def test_is_for_people(self, sentence: str) -> None:
        """No sentence has a regular expression or a word of a library."""
        assert not REGULAR_EXPRESSION.search(
            re.sub(r"`[^`]*`|\"[^\"]*\"|GET /\S*|\?dryRun\S*|\{[^}]*\}", "", sentence).rstrip("?")
        )
        assert not re.search(r"pydantic|msgspec|libyaml|\bstr\b|\bint\b|\bdict\b|Traceback|None", sentence)
