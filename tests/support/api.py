"""A client of the API, as a script would use it: HTTPS requests with a bearer token, through httpx."""

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
    """Request a token from the issuer with the client id and secret of *application*."""
    credentials = base64.b64encode(f"{application}:{stack.applications[application].secret}".encode()).decode()
    response = httpx.post(
        stack.token_url,
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {credentials}"},
    )
    return str(response.raise_for_status().json()["access_token"])


class Api:
    """A client of *stack* for one caller, by default with a token of its own; a context manager."""

    def __init__(self, stack: Stack[Any], application: str = "alice", bearer: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {bearer or token(stack, application)}"}
        # More connections than any test has threads, so that requests really run concurrently.
        limits = httpx.Limits(max_connections=512)
        self._http = httpx.Client(base_url=stack.base_url, headers=headers, timeout=60, limits=limits)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Send a request and return its response; *options* are httpx's.

        Fail if an error response contains a secret.
        """
        response = self._http.request(method, path, **options)
        if response.is_error:
            checked(response.text)
        return response

    def submit(self, project: str = "team-a", headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """Submit a Job with *fields* and return the response."""
        return self.request("POST", "/jobs", json={"project": project, "image": IMAGE, **fields}, headers=headers)

    def submit_until_created(
        self,
        project: str = "team-a",
        headers: dict[str, str] | None = None,
        **fields: Any,  # noqa: ANN401 - JSON
    ) -> httpx.Response:
        """Submit a Job, retry after 503 and 504, and return the last response.

        A script with a job name or an Idempotency-Key would retry in the same way. The delay is shorter than
        Retry-After: no response depends on how long the caller waits.
        """
        while (response := self.submit(project, headers, **fields)).status_code in (503, 504):
            assert response.status_code == HTTPStatus.GATEWAY_TIMEOUT or int(response.headers["Retry-After"]) > 0
            time.sleep(POLL_SECONDS)
        return response

    def names(self, project: str = "team-a") -> list[str]:
        """Return the names of the Project's Jobs."""
        return [job["name"] for job in self.request("GET", f"/jobs/{project}").raise_for_status().json()["data"]]

    def create_pending_job(self, name: str) -> str:
        """Create a Job in team-a that stays pending, and return its ETag.

        It requests more GPUs than the node has, so nothing about it changes.
        """
        self.submit(name=name, gpu=16)
        response = eventually(
            lambda: self.request("GET", f"/jobs/team-a/{name}"),
            lambda response: _is_pending(response.json()["data"][0]),
        )
        return str(response.headers["ETag"])

    def job(self, name: str, project: str = "team-a") -> dict[str, Any]:
        """Return the Job as the API represents it."""
        job: dict[str, Any] = self.request("GET", f"/jobs/{project}/{name}").raise_for_status().json()["data"][0]
        return job

    def await_status(self, name: str, *statuses: str, project: str = "team-a") -> dict[str, Any]:
        """Wait until the Job has one of *statuses*, by default until it has ended, and return it."""
        expected = statuses or ("Succeeded", "Failed")
        return eventually(lambda: self.job(name, project), lambda job: job["status"] in expected)


def _is_pending(job: dict[str, Any]) -> bool:
    return (job["reason"], job["pods"]["active"]) == ("Unschedulable", 1)
