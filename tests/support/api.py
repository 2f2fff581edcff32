"""The API as a script uses it: HTTPS calls with a bearer token, through httpx."""

from __future__ import annotations

import base64
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.support.eventually import POLL_SECONDS, eventually
from tests.support.secrets import checked

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

IMAGE = "nvcr.io/nvidia/pytorch:26.10-py3"


def token(stack: Stack[Any], application: str) -> str:
    """A token as *application* buys it with its id and secret."""
    credentials = base64.b64encode(f"{application}:{stack.applications[application].secret}".encode()).decode()
    answer = httpx.post(
        stack.token_url,
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {credentials}"},
    )
    return str(answer.raise_for_status().json()["access_token"])


class Api:
    """One caller of *stack*, by default with its own token; ends with `with`."""

    def __init__(self, stack: Stack[Any], application: str = "alice", bearer: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {bearer or token(stack, application)}"}
        # More connections than any test has threads, so that requests really come at once.
        limits = httpx.Limits(max_connections=512)
        self._http = httpx.Client(base_url=stack.base_url, headers=headers, timeout=60, limits=limits)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes its connections."""
        self._http.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """The answer to a request; *options* are httpx's. No refusal tells a secret."""
        answer = self._http.request(method, path, **options)
        if answer.is_error:
            checked(answer.text)
        return answer

    def submit(self, project: str = "team-a", headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """The answer to a submission of a Job with *fields*."""
        return self.ask("POST", "/jobs", json={"project": project, "image": IMAGE, **fields}, headers=headers)

    def submit_until_made(
        self,
        project: str = "team-a",
        headers: dict[str, str] | None = None,
        **fields: Any,  # noqa: ANN401 - JSON
    ) -> httpx.Response:
        """The answer to a submission that is sent again after 503 and 504, as a script would with a name or a key.

        Sooner than Retry-After says: no answer depends on how long the caller waits.
        """
        while (answer := self.submit(project, headers, **fields)).status_code in (503, 504):
            assert answer.status_code == HTTPStatus.GATEWAY_TIMEOUT or int(answer.headers["Retry-After"]) > 0
            time.sleep(POLL_SECONDS)
        return answer

    def names(self, project: str = "team-a") -> list[str]:
        """The names of the Project's Jobs."""
        return [job["name"] for job in self.ask("GET", f"/jobs/{project}").raise_for_status().json()["data"]]

    def waiting_job(self, name: str) -> str:
        """The ETag of a new Job in team-a that waits for more GPUs than the node has, so nothing about it changes."""
        self.submit(name=name, gpu=16)
        answer = eventually(
            lambda: self.ask("GET", f"/jobs/team-a/{name}"),
            lambda answer: _waits(answer.json()["data"][0]),
        )
        return str(answer.headers["ETag"])

    def job(self, name: str, project: str = "team-a") -> dict[str, Any]:
        """The Job as the API shows it."""
        shown: dict[str, Any] = self.ask("GET", f"/jobs/{project}/{name}").raise_for_status().json()["data"][0]
        return shown

    def await_status(self, name: str, *statuses: str, project: str = "team-a") -> dict[str, Any]:
        """The Job once it has one of *statuses*; by default once it has ended."""
        wanted = statuses or ("Succeeded", "Failed")
        return eventually(lambda: self.job(name, project), lambda job: job["status"] in wanted)


def _waits(job: dict[str, Any]) -> bool:
    return (job["reason"], job["pods"]["active"]) == ("Unschedulable", 1)
