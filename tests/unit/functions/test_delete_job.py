"""delete_job: the Job that is meant, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api import Api


@pytest.fixture
def job(api: Api) -> str:
    """A Job that is there, by its id."""
    return str(api.submit(name="there", gpu=16).json()["id"])


class TestPreconditions:
    """`uid` and `If-Match`."""

    def test_the_right_uid_deletes(self, api: Api, job: str) -> None:
        """The Job is gone."""
        answer = api.ask("DELETE", f"/jobs/team-a/there?uid={job}")

        assert answer.json() == {"name": "there", "project": "team-a", "ok": True, "error": None}
        assert "there" not in api.names()

    def test_another_uid_deletes_nothing(self, api: Api, job: str) -> None:
        """A Job made again under that name is another Job."""
        answer = api.ask("DELETE", "/jobs/team-a/there?uid=00000000-0000-0000-0000-000000000000")

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert api.ask("GET", "/jobs/team-a/there").json()["data"][0]["id"] == job

    def test_an_old_tag_deletes_nothing(self, api: Api, job: str) -> None:
        """The Job has changed since."""
        answer = api.ask("DELETE", "/jobs/team-a/there", headers={"If-Match": '"1.00000000"'})

        assert answer.status_code == 412
        assert api.ask("GET", "/jobs/team-a/there").json()["data"][0]["id"] == job

    def test_any_tag_deletes(self, api: Api, job: str) -> None:
        """`*` asks only that there is a Job."""
        assert job
        assert api.ask("DELETE", "/jobs/team-a/there", headers={"If-Match": "*"}).status_code == 200

    def test_the_jobs_own_tag_deletes(self, api: Api) -> None:
        """Nothing has happened since the Job was got."""
        tag = api.waiting_job("still")

        assert api.ask("DELETE", "/jobs/team-a/still", headers={"If-Match": tag}).status_code == 200


class TestReason:
    """`?reason=`."""

    def test_goes_to_the_log(self, api: Api, job: str, capfd: pytest.CaptureFixture[str]) -> None:
        """Whoever asks later why the Job is gone finds it in the request's line."""
        assert job
        api.ask("DELETE", "/jobs/team-a/there", params={"reason": "wrong seed"})

        assert '"reason":"wrong seed"' in capfd.readouterr().out
