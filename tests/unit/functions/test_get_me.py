"""get_me: the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import Api

if TYPE_CHECKING:
    from infra.local.local_stack import Stack


@pytest.mark.parametrize(
    ("caller", "groups", "projects"),
    [("alice", ["team-a"], ["team-a", "team-shared"]), ("bob", ["team-b"], ["team-b", "team-shared"])],
)
def test_subject_groups_and_projects(stack: Stack, caller: str, groups: list[str], projects: list[str]) -> None:
    """The groups are those of the token, without the prefix of the cluster, and the Projects those of GET /projects."""
    with Api(stack, caller) as api:
        me = api.request("GET", "/me").raise_for_status().json()

        assert (me["subject"], [group for group in me["groups"] if group in groups]) == (caller, groups)
        assert [each["name"] for each in me["projects"]] == projects
        assert me["projects"] == api.request("GET", "/projects").json()["data"]
        assert me["groups"] == sorted(me["groups"])


def test_caller_without_groups(stack: Stack) -> None:
    """A token without groups is valid; the empty list explains the missing Projects."""
    with Api(stack, bearer=stack.issuer.mint("newcomer", groups=[])) as api:
        assert api.request("GET", "/me").json() == {"subject": "newcomer", "groups": [], "projects": []}
