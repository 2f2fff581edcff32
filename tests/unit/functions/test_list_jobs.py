"""list_jobs: pages and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

NAMES = ["five", "four", "one", "three", "two"]


@pytest.fixture(scope="module", autouse=True)
def _jobs(stack: Stack) -> None:
    """Five Jobs in team-shared: three of alice's, one of them interactive, and two of bob's."""
    with Api(stack, "alice") as alice, Api(stack, "bob") as bob:
        for name in ("one", "two"):
            alice.submit("team-shared", name=name, labels={"sweep": "7"})
        alice.submit("team-shared", name="three", interactive=True)
        for name in ("four", "five"):
            bob.submit("team-shared", name=name, labels={"sweep": "8"})


def listed(api: Api, query: str = "") -> list[str]:
    """The names that the list shows."""
    answer = api.ask("GET", f"/jobs/team-shared{query}").raise_for_status()
    return [job["name"] for job in answer.json()["data"]]


class TestPages:
    """`limit` and `pageToken`."""

    def test_follow_each_other_to_the_end(self, api: Api) -> None:
        """Every Job stands on one page, in the order of names; the last page has no token."""
        names: list[str] = []
        sizes = []
        query = "?limit=2"
        while query:
            page = api.ask("GET", f"/jobs/team-shared{query}").json()
            names += [job["name"] for job in page["data"]]
            sizes.append(len(page["data"]))
            token = page["nextPageToken"]
            query = f"?limit=2&pageToken={token}" if token else ""

        assert (names, sizes) == (NAMES, [2, 2, 1])

    @pytest.mark.parametrize("token", ["abc", "e30", "eyJydiI6MX0", "A" * 4096], ids=["text", "{}", "part", "long"])
    def test_a_foreign_token_is_refused(self, api: Api, token: str) -> None:
        """400 with a code of its own."""
        answer = api.ask("GET", f"/jobs/team-shared?pageToken={token}")

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_page_token")


class TestFilters:
    """The other query parameters."""

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            pytest.param("?user=bob", ["five", "four"], id="user"),
            pytest.param("?jobTypeFilter=Interactive", ["three"], id="type"),
            pytest.param("?jobTypeFilter=Train&user=alice", ["one", "two"], id="type and user"),
            pytest.param("?label=sweep=7", ["one", "two"], id="label"),
            pytest.param("?label=sweep!=7", ["five", "four", "three"], id="another label"),
            pytest.param("?label=sweep=7,sweep=8", [], id="two labels"),
            pytest.param("?status=Failed", [], id="status"),
        ],
    )
    def test_keep_what_matches(self, api: Api, query: str, names: list[str]) -> None:
        """Filters narrow the list, together."""
        assert listed(api, query) == names
