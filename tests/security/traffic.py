"""The script of one researcher among several: it sends all kinds of requests, and checks each response.

It runs in a process of its own, and uses only HTTP.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import httpx

from tests.support.secrets import leaks

IMAGE = "busybox"
SHARED = "team-shared"
BUSY = frozenset({"503 cluster_unavailable", "504 deadline_exceeded"})
"""The responses of any request that needs the cluster, while the cluster has faults."""
TRIES = 3
MIN_ROUNDS = 3
LATE_SECONDS = 4.0
"""A submission that took longer may have a request that the faulty network still delays.

Such a request would create the Job again after its deletion: a submission is only idempotent while the Job exists.
"""

BAD_REQUESTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("400 malformed_request", "POST", "/jobs", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("415 unsupported_media_type", "POST", "/jobs", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
    ("422 invalid_job", "POST", "/jobs", {"json": {"project": "team-a", "image": IMAGE, "hostNetwork": True}}),
    ("422 invalid_job", "POST", "/jobs", {"json": {"project": "team-a"}}),
    ("400 malformed_request", "GET", "/jobs/team-a?limit=0", {}),
    ("400 malformed_request", "GET", "/jobs/..%2f/x", {}),
    ("401 unauthenticated", "GET", "/projects", {"headers": {"Authorization": "Bearer x"}}),
    ("404 route_not_found", "GET", "/nothing", {}),
)
"""Requests that are rejected before the cluster is used, and have no other response."""


class Task(NamedTuple):
    """URL, token, Project and duration of a script; *foreign* is a Project without access."""

    base_url: str
    bearer: str
    project: str
    foreign: str
    number: int
    seconds: float


@dataclass
class Report:
    """The result of a script; a request is identified by a label of its Job."""

    outcomes: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The response by request of Jobs that were created and not deleted."""
    unknown: set[str] = field(default_factory=set)
    """Requests whose Job may exist, because all responses to a submission or deletion were BUSY."""


def run(task: Task) -> Report:
    """Run the script in rounds until its time is over, at least MIN_ROUNDS."""
    headers = {"Authorization": f"Bearer {task.bearer}"}
    with httpx.Client(base_url=task.base_url, headers=headers, timeout=60) as http:
        script = _Script(task, http)
        until = time.monotonic() + task.seconds
        rounds = count()
        while next(rounds) < MIN_ROUNDS or time.monotonic() < until:
            script.round()
    return script.report


class _Script:
    def __init__(self, task: Task, http: httpx.Client) -> None:
        self.report = Report()
        self._task = task
        self._http = http
        self._own = f"/jobs/{task.project}"
        self._random = random.Random(task.number)  # noqa: S311 - repeatable on purpose
        self._requests = 0
        self._late: set[str] = set()
        self._deleted: list[str] = []

    def round(self) -> None:
        """Send each kind of request once, in random order."""
        steps = [
            self._submit_by_name, self._submit_by_key, self._submit_by_neither, self._submit_taken_name,
            self._list_own, self._list_shared, self._get, self._get_deleted, self._read_log, self._delete,
            self._list_projects, self._access_foreign, self._send_bad_requests,
        ]  # fmt: skip
        self._random.shuffle(steps)
        for step in steps:
            step()

    def _submit_by_name(self) -> None:
        request = self._next()
        self._submit(request, {"name": f"private-{self._task.project}-{request}"}, {}, TRIES)

    def _submit_by_key(self) -> None:
        request = self._next()
        key = {"Idempotency-Key": request}
        first = self._submit(request, {}, key, TRIES)
        repeated = self._submit(request, {}, key, 1) if first else None
        if first and repeated:
            self._expect("the same Job", repeated.headers.get("Idempotent-Replayed") == "true")
            self._expect("the same Job", repeated.json()["id"] == first.json()["id"])

    def _submit_by_neither(self) -> None:
        self._submit(self._next(), {}, {}, 1)

    def _submit_taken_name(self) -> None:
        if request := self._any(self.report.created):
            fields = {"name": self.report.created[request]["name"], "gpu": 1}
            self._post(request, "409 name_taken", fields, {})

    def _list_own(self) -> None:
        response = self._send({"200"} | BUSY, "GET", f"{self._own}?limit=500&label=script={self._task.number}")
        if response and response.status_code == 200:
            listed = Counter(job["labels"]["request"] for job in response.json()["data"])
            self._expect("all of the script's Jobs", self.report.created.keys() <= listed.keys())
            self._expect("no other Job", listed.keys() <= self.report.created.keys() | self.report.unknown)
            self._expect("each Job once", set(listed.values()) <= {1})

    def _list_shared(self) -> None:
        response = self._send({"200"} | BUSY, "GET", f"/jobs/{SHARED}?limit=500")
        if response and response.status_code == 200:
            self._expect("the Project's Jobs", {job["project"] for job in response.json()["data"]} <= {SHARED})

    def _get(self) -> None:
        if request := self._any(self.report.created):
            created_job = self.report.created[request]
            response = self._send({"200"} | BUSY, "GET", f"{self._own}/{created_job['name']}")
            if response and response.status_code == 200:
                self._expect("that Job", [job["id"] for job in response.json()["data"]] == [created_job["id"]])

    def _get_deleted(self) -> None:
        if self._deleted:
            self._send({"404 job_not_found"} | BUSY, "GET", f"{self._own}/{self._random.choice(self._deleted)}")

    def _read_log(self) -> None:
        if request := self._any(self.report.created):
            path = f"{self._own}/{self.report.created[request]['name']}/logs"
            self._send({"200", "409 job_not_started", "503 node_unavailable"} | BUSY, "GET", path)

    def _delete(self) -> None:
        for request in [request for request in self.report.created if request not in self._late][:2]:
            name = self.report.created.pop(request)["name"]
            self.report.unknown.add(request)
            response = self._send({"200"} | BUSY, "DELETE", f"{self._own}/{name}")
            if response and response.status_code == 200:
                self.report.unknown.remove(request)
                self._deleted.append(name)

    def _list_projects(self) -> None:
        response = self._send({"200"} | BUSY, "GET", "/projects")
        if response and response.status_code == 200:
            found = [each["name"] for each in response.json()["data"]]
            self._expect("the Projects", found == [self._task.project, SHARED])

    def _access_foreign(self) -> None:
        name = f"private-{self._task.foreign}-{self._task.number}-0"
        path = f"/jobs/{self._random.choice([self._task.foreign, 'no-such'])}"
        forbidden = {"403 forbidden"} | BUSY
        self._send(forbidden, "GET", path)
        self._send(forbidden, "GET", f"{path}/{name}")
        self._send(forbidden, "GET", f"{path}/{name}/logs")
        self._send(forbidden, "DELETE", f"{path}/{name}")
        body = {"project": path.removeprefix("/jobs/"), "image": IMAGE, "name": name}
        self._send(forbidden, "POST", "/jobs", json=body)

    def _send_bad_requests(self) -> None:
        for allowed, method, path, options in BAD_REQUESTS:
            self._send({allowed}, method, path, **options)

    def _submit(
        self, request: str, fields: dict[str, Any], headers: dict[str, str], tries: int
    ) -> httpx.Response | None:
        """Submit a Job, and return the 201, or None if the cluster remained busy."""
        if request not in self.report.created:
            self.report.unknown.add(request)
        for _ in range(tries):
            response = self._post(request, "201", fields, headers)
            if response and response.status_code == 201:
                if request in self.report.unknown:
                    self.report.unknown.remove(request)
                    self.report.created[request] = response.json()
                return response
        return None

    def _post(
        self, request: str, expected: str, fields: dict[str, Any], headers: dict[str, str]
    ) -> httpx.Response | None:
        started = time.monotonic()
        response = self._send({expected} | BUSY, "POST", "/jobs", json=self._body(request, fields), headers=headers)
        if time.monotonic() - started > LATE_SECONDS:
            self._late.add(request)
        return response

    def _body(self, request: str, fields: dict[str, Any]) -> dict[str, Any]:
        labels = {"request": request, "script": str(self._task.number)}
        return {"project": self._task.project, "image": IMAGE, "labels": labels, **fields}

    def _next(self) -> str:
        self._requests += 1
        return f"{self._task.number}-{self._requests}"

    def _any(self, requests: dict[str, Any]) -> str:
        return self._random.choice([*requests, ""])

    def _send(self, allowed: set[str], method: str, path: str, **options: Any) -> httpx.Response | None:  # noqa: ANN401 - httpx's own
        """Send a request, and return the response if its outcome is one of *allowed*."""
        response = self._http.request(method, path, **options)
        outcome = (
            f"{response.status_code} {response.json()['code']}" if response.is_error else str(response.status_code)
        )
        self.report.outcomes[outcome] += 1
        self._expect(f"no Job of others from {method} {path}", f"private-{self._task.foreign}-" not in response.text)
        self._expect(f"no secret from {method} {path}", not leaks(response.text))
        self._expect(f"{' or '.join(sorted(allowed))} from {method} {path}, not {outcome}", outcome in allowed)
        return response if outcome in allowed else None

    def _expect(self, what: str, holds: bool) -> None:
        if not holds:
            self.report.unexpected.append(f"script {self._task.number} expected {what}")
