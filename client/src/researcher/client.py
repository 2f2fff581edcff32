"""The client of one API: `Client().submit(image="...", gpu=1)`."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from researcher.capabilities import Capabilities
from researcher.errors import UsageError
from researcher.job import Job
from researcher.matrix import apply_matrix, combinations
from researcher.models import Deletion, Deletions, Health, JobPage, JobView, ProjectDetail, ProjectList, ProjectView
from researcher.session import find_session
from researcher.shell import with_shell
from researcher.submission import to_body
from researcher.transport import ATTEMPTS, Transport, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Unpack

    from researcher.models import JobStatus, Submission

PAGE = 500
AT_ONCE = 100
"""The most Jobs that one request deletes."""


class Client:
    """The API at a URL, for one Project.

    Without arguments, everything is found as the command line finds it: RESEARCHER_URL, RESEARCHER_TOKEN and
    RESEARCHER_PROJECT, else the context of `researcher login`, else the `make run` in this folder.
    """

    def __init__(  # noqa: PLR0913 - what the environment gives otherwise
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        project: str | None = None,
        context: str | None = None,
        ca_file: str | None = None,
        timeout: float = 60.0,
        attempts: int = ATTEMPTS,
    ) -> None:
        session = find_session(url, token, context, project)
        self.context = session.context
        self.transport = Transport(session.url, session.tokens, ca_file=ca_file, timeout=timeout, attempts=attempts)
        self.capabilities = Capabilities(self.transport)
        self._project = session.project

    @cached_property
    def project_name(self) -> str:
        """The Project of the Jobs: the chosen one, or else the only one that the caller may use."""
        if self._project:
            return self._project
        names = [each.name for each in self.projects()]
        if len(names) == 1:
            return names[0]
        choice = f"one of {', '.join(names)}" if names else "but you have none yet: ask the operators of the API"
        raise UsageError(f"Choose a Project with -p, RESEARCHER_PROJECT or Client(project=...): {choice}.")

    def submit(
        self,
        *,
        matrix: Mapping[str, Sequence[object]] | None = None,
        idempotency_key: str | None = None,
        **fields: Unpack[Submission],
    ) -> Job:
        """Submit a Job, once, however often the connection breaks.

        Args:
            matrix: The parameters of a sweep: one Indexed Job, of which each index has one combination in its
                environment variables.
            idempotency_key: A request with the same key and the same fields returns the same Job, also from another
                process; by default each call submits another Job.
            fields: The Job; a command with several lines, operators or variables runs in a shell.
        """
        body = self.body(fields, matrix)
        view = self._post_once("/jobs", body, idempotency_key or str(uuid.uuid4()))
        return Job(self, view, combinations(matrix) if matrix else ())

    def preview(
        self, *, matrix: Mapping[str, Sequence[object]] | None = None, **fields: Unpack[Submission]
    ) -> dict[str, Any]:
        """Return the Kubernetes Job that a submission would create, as the cluster would store it."""
        return self.preview_body(self.body(fields, matrix))

    def body(self, fields: Mapping[str, Any], matrix: Mapping[str, Sequence[object]] | None = None) -> dict[str, Any]:
        """Return the JSON of a submission."""
        body = to_body(fields, self.capabilities)
        if "project" not in body:
            body["project"] = self.project_name
        return apply_matrix(body, matrix) if matrix else body

    def raw_body(
        self, body: Mapping[str, Any], matrix: Mapping[str, Sequence[object]], notice: Callable[[str], None]
    ) -> dict[str, Any]:
        """Return the JSON of a submission with the API's names; *notice* gets a note for the user."""
        command = body.get("command")
        fields = with_shell(body, self.capabilities)
        if isinstance(command, str) and fields.get("command") != command:
            notice("The command needs a shell: it runs as a script.")
        if "project" not in fields:
            fields["project"] = self.project_name
        return apply_matrix(fields, matrix) if matrix else fields

    def submit_body(self, body: dict[str, Any], idempotency_key: str | None = None) -> Job:
        """Submit a Job from the JSON of its submission."""
        return Job(self, self._post_once("/jobs", body, idempotency_key or str(uuid.uuid4())))

    def preview_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what the cluster would store for the JSON of a submission."""
        answer = self.transport.send("POST", "/jobs", query={"dryRun": True}, body=body, idempotent=True)
        document: dict[str, Any] = answer.document()
        return document

    def clone(
        self, project: str, name: str, /, *, idempotency_key: str | None = None, **changes: Unpack[Submission]
    ) -> Job:
        """Submit a Job again with *changes*; None removes a field."""
        # to_body leaves None out, which here means to remove the field.
        patch = to_body({name: value for name, value in changes.items() if value is not None}, self.capabilities)
        removed = to_body({name: "" for name, value in changes.items() if value is None}, self.capabilities)
        return self.clone_body(project, name, {**patch, **dict.fromkeys(removed)}, idempotency_key)

    def clone_body(self, project: str, name: str, patch: dict[str, Any], idempotency_key: str | None = None) -> Job:
        """Submit a Job again with a merge patch of its submission."""
        path = f"{path_of('jobs', project, name)}/clone"
        return Job(self, self._post_once(path, patch, idempotency_key or str(uuid.uuid4())))

    def get(self, name: str, *, project: str | None = None) -> Job:
        """Return a Job."""
        return Job(self, self.view(project or self.project_name, name))

    def view(self, project: str, name: str) -> JobView:
        """Return a Job as the API shows it."""
        return JobView.decode(self.transport.get(path_of("jobs", project, name))["data"][0])

    def jobs(
        self,
        *,
        project: str | None = None,
        status: JobStatus | None = None,
        user: str | None = None,
        label: str | Mapping[str, str] | None = None,
        limit: int = PAGE,
    ) -> Iterator[Job]:
        """Yield the Jobs of the Project, sorted by name; *limit* is the size of a page."""
        selector = label if isinstance(label, str) or label is None else ",".join(f"{k}={v}" for k, v in label.items())
        query: dict[str, object] = {"status": status, "user": user, "label": selector, "limit": limit}
        while True:
            page = JobPage.decode(self.transport.get(path_of("jobs", project or self.project_name), query))
            yield from (Job(self, view) for view in page.data)
            if page.next_page_token is None:
                return
            query["pageToken"] = page.next_page_token

    def delete(self, names: Iterable[str], *, project: str | None = None) -> Deletions:
        """Delete Jobs, each independently; the result says for each whether it was deleted."""
        targets = [{"project": project or self.project_name, "name": name} for name in names]
        results: list[Deletion] = []
        for start in range(0, len(targets), AT_ONCE):
            answer = self.transport.send("DELETE", "/jobs", body=targets[start : start + AT_ONCE])
            found = Deletions.decode(answer.document()).data
            results += [_deleted(each) if answer.repeated else each for each in found]
        return Deletions(data=results)

    def projects(self) -> list[ProjectView]:
        """Return the Projects that you may use."""
        return ProjectList.decode(self.transport.get("/projects")).data

    def project(self, name: str | None = None) -> ProjectDetail:
        """Return a Project: its quotas and their use, its Jobs, and what you may do there."""
        return ProjectDetail.decode(self.transport.get(path_of("projects", name or self.project_name)))

    def health(self) -> Health:
        """Return the version of the API and the name of the cluster."""
        return Health.decode(self.transport.send("GET", "/health", anonymous=True).document())

    def _post_once(self, path: str, body: dict[str, Any], key: str) -> JobView:
        return JobView.decode(self.transport.send("POST", path, body=body, key=key).document())


def _deleted(result: Deletion) -> Deletion:
    """Return the result of a request whose first response was lost: a missing Job was deleted by it."""
    if result.error is not None and result.error.code == "job_not_found":
        return Deletion(project=result.project, name=result.name, ok=True)
    return result
