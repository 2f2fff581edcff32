"""job_logs: a Job's log over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.kubernetes.pod_log import LOG_VARIABLE
from infra.local.kubernetes.pod_status import SIMULATE_VARIABLE
from tests.eventually import eventually

if TYPE_CHECKING:
    import httpx

    from tests.api import Api


def printed(api: Api, name: str, text: str) -> httpx.Response:
    """The answer with the log of a new Job whose pod prints *text*."""
    api.submit(name=name, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: text})
    return eventually(lambda: api.ask("GET", f"/jobs/team-a/{name}/logs"), lambda answer: answer.status_code == 200)


class TestText:
    """What a pod printed, as it is."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("markup", "<script>alert(1)</script>"),
            ("control", "\x1b[31mred\x07"),
            ("json", '{"loss": 1}'),
            ("umlaut", "äß"),
        ],
    )
    def test_is_never_taken_for_anything_else(self, api: Api, name: str, text: str) -> None:
        """Plain text, whatever it holds, and no browser guesses."""
        answer = printed(api, name, text)

        assert answer.text == f"{text}\n"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"

    def test_names_its_pod(self, api: Api) -> None:
        """Of several pods it is one."""
        assert printed(api, "named", "x").headers["X-Pod-Name"].startswith("named-")

    def test_may_be_empty(self, api: Api) -> None:
        """A program that prints nothing is no error."""
        assert printed(api, "silent", "").text == ""
