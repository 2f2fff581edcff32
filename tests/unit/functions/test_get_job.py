"""get_job: one Job, and whether it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from infra.local.stack import Stack
    from tests.api import Api


class TestETag:
    """`ETag` and `If-None-Match`."""

    def test_nothing_new_is_304(self, api: Api) -> None:
        """No body, and the same tag."""
        tag = api.waiting_job("waits")

        answer = api.ask("GET", "/jobs/team-a/waits", headers={"If-None-Match": tag})

        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)

    def test_any_tag_is_304(self, api: Api) -> None:
        """`*` matches whatever is there (RFC 9110)."""
        api.submit(name="there")

        assert api.ask("GET", "/jobs/team-a/there", headers={"If-None-Match": "*"}).status_code == 304

    def test_a_change_is_200(self, api: Api) -> None:
        """A tag of before says nothing about now."""
        api.submit(name="moves")

        answer = api.ask("GET", "/jobs/team-a/moves", headers={"If-None-Match": '"1.00000000"'})

        assert answer.status_code == 200
        assert answer.headers["ETag"] != '"1.00000000"'


class TestRefused:
    """What cannot be shown."""

    def test_a_job_that_is_not_there(self, api: Api) -> None:
        """404, in the caller's own Project."""
        answer = api.ask("GET", "/jobs/team-a/nobody")

        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")

    @pytest.mark.parametrize("name", ["-", "..", "%2e%2e", "UPPER", "a" * 64, "a_b", "a%0A", "a%00", "a..b"])
    def test_an_odd_name(self, stack: Stack, api: Api, name: str) -> None:
        """A name that is none never reaches the cluster."""
        asked = len(stack.cluster.requests)

        answer = api.ask("GET", f"/jobs/team-a/{name}")

        # 405: a client that resolves dot segments by itself asks for another path.
        assert answer.status_code in (400, 404, 405)
        assert len(stack.cluster.requests) == asked

    def test_a_query(self, api: Api) -> None:
        """A parameter that is not known is not ignored."""
        assert api.ask("GET", "/jobs/team-a/nobody?wait=x").status_code == 400
