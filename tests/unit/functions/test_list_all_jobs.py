"""list_all_jobs: the Jobs of all Projects of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


@pytest.fixture(scope="module", autouse=True)
def _jobs(stack: Stack) -> None:
    """Submit Jobs to each Project: of alice, of bob in the Project of both, and of bob in his own."""
    with Api(stack, "alice") as alice, Api(stack, "bob") as bob:
        for project in ("team-a", "team-shared"):
            alice.submit(project, name="mine", labels={"sweep": "all"})
        bob.submit("team-shared", name="other", labels={"sweep": "all"})
        bob.submit("team-b", name="secret", labels={"sweep": "all"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["team-a/mine", "team-shared/mine", "team-shared/other"]),
        ("&user=me", ["team-a/mine", "team-shared/mine"]),
        ("&name=o", ["team-shared/other"]),
        ("&limit=1", ["team-a/mine"]),
    ],
)
def test_only_projects_of_the_caller(api: Api, query: str, expected: list[str]) -> None:
    """Jobs of all Projects of the caller that match are listed, and no others."""
    page = api.request("GET", f"/jobs?label=sweep=all{query}").raise_for_status().json()

    assert [f"{each['project']}/{each['name']}" for each in page["data"]] == expected
    assert page["failed"] == []


def test_pages_are_consecutive(api: Api) -> None:
    """Each Job is on one page."""
    found, query = [], "label=sweep=all&limit=1"
    while query:
        page = api.request("GET", f"/jobs?{query}").raise_for_status().json()
        found += [f"{each['project']}/{each['name']}" for each in page["data"]]
        query = page["nextPageToken"] and f"label=sweep=all&limit=1&pageToken={page['nextPageToken']}"

    assert found == ["team-a/mine", "team-shared/mine", "team-shared/other"]


def test_token_of_another_project(api: Api) -> None:
    """A token that names a foreign Project shows nothing of it."""
    page = api.request("GET", "/jobs?label=sweep=all&pageToken=team-b_").raise_for_status().json()

    assert [f"{each['project']}/{each['name']}" for each in page["data"]] == ["team-shared/mine", "team-shared/other"]
