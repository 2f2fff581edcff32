"""The indexes of an Indexed Job: their states, exit codes, and parameters in a sweep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from researcher.matrix import parameters_of
from researcher.models import IndexPage, IndexView
from researcher.transport import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from researcher.capabilities import Capabilities
    from researcher.models import JobView
    from researcher.transport import Transport

PAGE = 500
JOB = "/jobs/{project}/{name}"
INDEXES = f"{JOB}/indexes"


class IndexState(NamedTuple):
    """An index of an Indexed Job, its state, its parameters in a sweep, and how its last pod ended."""

    number: int
    state: str
    parameters: dict[str, str]
    exit_code: int | None = None
    """The exit code of its last pod; None if it is not known, or there is none yet."""
    reason: str | None = None
    """Why its last pod failed or waits, in one word."""


def read_indexes(
    transport: Transport, capabilities: Capabilities, job: JobView, parameters: Sequence[dict[str, str]] = ()
) -> list[IndexState]:
    """Return the indexes of a Job; *parameters* are those of a sweep, if they are known."""
    path = path_of("jobs", job.project, job.name)
    if capabilities.has_path(INDEXES):
        states = {each.index: _state(each) for each in _listed(transport, path)}
    else:
        states = _ended(job)
    names = dict(enumerate(parameters or _submitted(transport, capabilities, path)))
    return [
        states.get(number, IndexState(number, "", {}))._replace(parameters=names.get(number, {}))
        for number in sorted({*states, *names})
    ]


def _listed(transport: Transport, path: str) -> Iterator[IndexView]:
    query: dict[str, object] = {"limit": PAGE}
    while True:
        page = IndexPage.decode(transport.get(f"{path}/indexes", query))
        yield from page.data
        if page.next_page_token is None:
            return
        query["pageToken"] = page.next_page_token


def _state(view: IndexView) -> IndexState:
    return IndexState(view.index, view.status.capitalize(), {}, view.exit_code, view.reason)


def _ended(job: JobView) -> dict[int, IndexState]:
    states = dict.fromkeys(parse_indexes(job.failed_indexes), "Failed")
    states |= dict.fromkeys(parse_indexes(job.completed_indexes), "Succeeded")
    return {number: IndexState(number, state, {}) for number, state in states.items()}


def _submitted(transport: Transport, capabilities: Capabilities, path: str) -> Sequence[dict[str, str]]:
    """Return the parameters in the submission, if the server shows it, and the Job is a sweep."""
    if not capabilities.has_parameter(JOB, "get", "include"):
        return ()
    document = transport.get(path, {"include": "submission"})["data"][0]
    return parameters_of(document.get("submission") or {})


def parse_indexes(text: str | None) -> set[int]:
    """Return the numbers of a list such as `1,3-5,7`; a long list ends with `...`."""
    found: set[int] = set()
    for part in (text or "").split(","):
        if match := re.fullmatch(r"(\d+)(?:-(\d+))?", part):
            found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found
