"""delete_job: the Job that is meant, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api


@pytest.fixture
def job(api: Api) -> str:
    """A Job that is there, by its id."""
    return str(api.submit(name="there", gpu=16).json()["id"])


class TestPreconditions:
    """`uid` and `If-Match`."""

    @pytest.mark.parametrize(
        ("uid", "tag"),
        [
            pytest.param("{uid}", None, id="its uid"),
            pytest.param(None, "{tag}", id="its tag"),
            pytest.param(None, "*", id="any tag"),
        ],
    )
    def test_that_hold_delete(self, api: Api, uid: str | None, tag: str | None) -> None:
        """Nothing has happened since the Job was got."""
        own = {"tag": api.waiting_job("still"), "uid": api.job("still")["id"]}
        params = {"uid": uid.format(**own)} if uid else {}
        headers = {"If-Match": tag.format(**own)} if tag else {}

        answer = api.ask("DELETE", "/jobs/team-a/still", params=params, headers=headers)

        assert answer.json() == {"name": "still", "project": "team-a", "ok": True, "error": None}
        assert "still" not in api.names()

    @pytest.mark.parametrize(
        ("uid", "tag"),
        [
            pytest.param("00000000-0000-0000-0000-000000000000", None, id="the uid of a former Job of that name"),
            pytest.param(None, '"1.00000000"', id="the tag before a change"),
        ],
    )
    def test_that_fail_delete_nothing(self, api: Api, job: str, uid: str | None, tag: str | None) -> None:
        """The Job that was meant is not there any more."""
        params, headers = {"uid": uid} if uid else {}, {"If-Match": tag} if tag else {}

        answer = api.ask("DELETE", "/jobs/team-a/there", params=params, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert api.job("there")["id"] == job


class TestReason:
    """`?reason=`."""

    def test_goes_to_the_log(self, api: Api, job: str, capfd: pytest.CaptureFixture[str]) -> None:
        """Whoever asks later why the Job is gone finds it in the request's line."""
        assert job
        api.ask("DELETE", "/jobs/team-a/there", params={"reason": "wrong seed"})

        assert '"reason":"wrong seed"' in capfd.readouterr().out
