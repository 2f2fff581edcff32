"""One researcher's script among several: it asks for all kinds of things, and knows what each answer may be.

It runs in a process of its own, and knows the API by HTTP alone.
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
"""What may be answered to whatever needs the cluster while that is faulty."""
TRIES = 3
LEAST_ROUNDS = 3
LATE_SECONDS = 4.0
"""A quicker answer to a submission met no call that the network still holds back. Such a call makes its Job again when
that is deleted first, whatever the submission was answered: the promise of one Job lasts as long as the Job."""

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
"""Refused before the cluster is asked, so in no other way."""


class Errand(NamedTuple):
    """Where a script asks, by which token, of which Project, and for how many seconds; *foreign* is not its Project."""

    base_url: str
    bearer: str
    project: str
    foreign: str
    number: int
    seconds: float


@dataclass
class Report:
    """What a script knows in the end; a request is known by a label of its Job."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Request to its Job as it was answered: submitted, and not deleted."""
    unknown: set[str] = field(default_factory=set)
    """Requests whose Job may be there: nothing but BUSY was answered to a submission or a deletion."""


def run(errand: Errand) -> Report:
    """All that a script does, in rounds until its time is over; on a slow machine, too, there are LEAST_ROUNDS."""
    headers = {"Authorization": f"Bearer {errand.bearer}"}
    with httpx.Client(base_url=errand.base_url, headers=headers, timeout=60) as http:
        script = _Script(errand, http)
        until = time.monotonic() + errand.seconds
        rounds = count()
        while next(rounds) < LEAST_ROUNDS or time.monotonic() < until:
            script.round()
    return script.report


class _Script:
    def __init__(self, errand: Errand, http: httpx.Client) -> None:
        self.report = Report()
        self._errand = errand
        self._http = http
        self._own = f"/jobs/{errand.project}"
        self._random = random.Random(errand.number)  # noqa: S311 - repeatable on purpose
        self._requests = 0
        self._late: set[str] = set()
        self._gone: list[str] = []

    def round(self) -> None:
        """Everything once, in an order of its own."""
        steps = [
            self._submit_by_name, self._submit_by_key, self._submit_by_neither, self._take_a_taken_name,
            self._list_own, self._list_shared, self._get, self._get_deleted, self._read_log, self._delete,
            self._list_projects, self._enter_foreign, self._ask_badly,
        ]  # fmt: skip
        self._random.shuffle(steps)
        for step in steps:
            step()

    def _submit_by_name(self) -> None:
        request = self._next()
        self._submit(request, {"name": f"private-{self._errand.project}-{request}"}, {}, TRIES)

    def _submit_by_key(self) -> None:
        request = self._next()
        key = {"Idempotency-Key": request}
        first = self._submit(request, {}, key, TRIES)
        again = self._submit(request, {}, key, 1) if first else None
        if first and again:
            self._expect("the same Job", again.headers.get("Idempotent-Replayed") == "true")
            self._expect("the same Job", again.json()["id"] == first.json()["id"])

    def _submit_by_neither(self) -> None:
        self._submit(self._next(), {}, {}, 1)

    def _take_a_taken_name(self) -> None:
        if request := self._any(self.report.there):
            taken = {"name": self.report.there[request]["name"], "gpu": 1}
            self._post(request, "409 name_taken", taken, {})

    def _list_own(self) -> None:
        answer = self._ask({"200"} | BUSY, "GET", f"{self._own}?limit=500&label=script={self._errand.number}")
        if answer and answer.status_code == 200:
            listed = Counter(job["labels"]["request"] for job in answer.json()["data"])
            self._expect("all of the script's Jobs", self.report.there.keys() <= listed.keys())
            self._expect("no other Job", listed.keys() <= self.report.there.keys() | self.report.unknown)
            self._expect("each Job once", set(listed.values()) <= {1})

    def _list_shared(self) -> None:
        answer = self._ask({"200"} | BUSY, "GET", f"/jobs/{SHARED}?limit=500")
        if answer and answer.status_code == 200:
            self._expect("the Project's Jobs", {job["project"] for job in answer.json()["data"]} <= {SHARED})

    def _get(self) -> None:
        if request := self._any(self.report.there):
            known = self.report.there[request]
            answer = self._ask({"200"} | BUSY, "GET", f"{self._own}/{known['name']}")
            if answer and answer.status_code == 200:
                self._expect("that Job", [job["id"] for job in answer.json()["data"]] == [known["id"]])

    def _get_deleted(self) -> None:
        if self._gone:
            self._ask({"404 job_not_found"} | BUSY, "GET", f"{self._own}/{self._random.choice(self._gone)}")

    def _read_log(self) -> None:
        if request := self._any(self.report.there):
            path = f"{self._own}/{self.report.there[request]['name']}/logs"
            self._ask({"200", "409 job_not_started"} | BUSY, "GET", path)

    def _delete(self) -> None:
        for request in [request for request in self.report.there if request not in self._late][:2]:
            name = self.report.there.pop(request)["name"]
            self.report.unknown.add(request)
            answer = self._ask({"200"} | BUSY, "DELETE", f"{self._own}/{name}")
            if answer and answer.status_code == 200:
                self.report.unknown.remove(request)
                self._gone.append(name)

    def _list_projects(self) -> None:
        answer = self._ask({"200"} | BUSY, "GET", "/projects")
        if answer and answer.status_code == 200:
            found = [one["name"] for one in answer.json()["data"]]
            self._expect("the Projects", found == [self._errand.project, SHARED])

    def _enter_foreign(self) -> None:
        name = f"private-{self._errand.foreign}-{self._errand.number}-0"
        path = f"/jobs/{self._random.choice([self._errand.foreign, 'no-such'])}"
        forbidden = {"403 forbidden"} | BUSY
        self._ask(forbidden, "GET", path)
        self._ask(forbidden, "GET", f"{path}/{name}")
        self._ask(forbidden, "GET", f"{path}/{name}/logs")
        self._ask(forbidden, "DELETE", f"{path}/{name}")
        body = {"project": path.removeprefix("/jobs/"), "image": IMAGE, "name": name}
        self._ask(forbidden, "POST", "/jobs", json=body)

    def _ask_badly(self) -> None:
        for allowed, method, path, options in BAD_REQUESTS:
            self._ask({allowed}, method, path, **options)

    def _submit(
        self, request: str, fields: dict[str, Any], headers: dict[str, str], tries: int
    ) -> httpx.Response | None:
        """The answer 201, or None where the cluster stayed busy."""
        if request not in self.report.there:
            self.report.unknown.add(request)
        for _ in range(tries):
            answer = self._post(request, "201", fields, headers)
            if answer and answer.status_code == 201:
                if request in self.report.unknown:
                    self.report.unknown.remove(request)
                    self.report.there[request] = answer.json()
                return answer
        return None

    def _post(
        self, request: str, expected: str, fields: dict[str, Any], headers: dict[str, str]
    ) -> httpx.Response | None:
        started = time.monotonic()
        answer = self._ask({expected} | BUSY, "POST", "/jobs", json=self._body(request, fields), headers=headers)
        if time.monotonic() - started > LATE_SECONDS:
            self._late.add(request)
        return answer

    def _body(self, request: str, fields: dict[str, Any]) -> dict[str, Any]:
        labels = {"request": request, "script": str(self._errand.number)}
        return {"project": self._errand.project, "image": IMAGE, "labels": labels, **fields}

    def _next(self) -> str:
        self._requests += 1
        return f"{self._errand.number}-{self._requests}"

    def _any(self, requests: dict[str, Any]) -> str:
        return self._random.choice([*requests, ""])

    def _ask(self, allowed: set[str], method: str, path: str, **options: Any) -> httpx.Response | None:  # noqa: ANN401 - httpx's own
        """The answer where it is one of those *allowed*."""
        answer = self._http.request(method, path, **options)
        met = f"{answer.status_code} {answer.json()['code']}" if answer.is_error else str(answer.status_code)
        self.report.answers[met] += 1
        self._expect(f"no Job of others from {method} {path}", f"private-{self._errand.foreign}-" not in answer.text)
        self._expect(f"no secret from {method} {path}", not leaks(answer.text))
        self._expect(f"{' or '.join(sorted(allowed))} from {method} {path}, not {met}", met in allowed)
        return answer if met in allowed else None

    def _expect(self, what: str, holds: bool) -> None:
        if not holds:
            self.report.wrong.append(f"script {self._errand.number} expected {what}")
