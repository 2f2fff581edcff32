"""Delete several Jobs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import JobNotFound, Problem, ResearcherError
from chalicelib.domain.names import (
    JOB_LETTERS,
    JOB_PATTERN,
    MAX_JOB_NAME,
    MAX_PROJECT,
    PROJECT_LETTERS,
    PROJECT_PATTERN,
    JobName,
    ProjectName,
    job_name,
    project_name,
)
from chalicelib.domain.response_size import fitting_count
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.usecases.ports import Jobs


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Job to delete."""

    name: Annotated[
        str,
        msgspec.Meta(
            description="The name.",
            pattern=f"^{JOB_PATTERN}$",
            max_length=MAX_JOB_NAME,
            extra={"rule": f"must have 1 to {MAX_JOB_NAME} {JOB_LETTERS}"},
        ),
    ]
    project: Annotated[
        str,
        msgspec.Meta(
            description="The Project.",
            pattern=f"^{PROJECT_PATTERN}$",
            max_length=MAX_PROJECT,
            extra={"rule": f"must have 1 to {MAX_PROJECT} {PROJECT_LETTERS}"},
        ),
    ]


class Deletion(msgspec.Struct, frozen=True):
    """The result of one deletion: `ok`, or the `error` why the Job was not deleted."""

    name: Annotated[str, msgspec.Meta(description="The name of the Job.")]
    project: Annotated[str, msgspec.Meta(description="The Project of the Job.")]
    ok: Annotated[bool, msgspec.Meta(description="Whether the Job is being deleted.")]
    error: Annotated[Problem | None, msgspec.Meta(description="Why it was not deleted; null if it is.")] = None

    def linked(self, page: str | None) -> Deletion:
        """Return this result with the link of its error to the documentation *page*."""
        return msgspec.structs.replace(self, error=self.error and self.error.linked(page))


Explain = Callable[[JobNotFound, ProjectName, JobName], ResearcherError]
"""Returns the error that explains why a Job is missing, or raises another one."""


def delete_jobs(
    targets: Sequence[Target], jobs: Jobs, explain: Explain = lambda missing, _project, _name: missing
) -> list[Deletion]:
    """Delete each of *targets*, in parallel, a repeated one once; return the results in the order of *targets*.

    The failure of one deletion does not stop the others. If a name is invalid, nothing is deleted.
    """
    keys = [
        (project_name(target.project, f"/{index}/project"), job_name(target.name, f"/{index}/name"))
        for index, target in enumerate(targets)
    ]
    distinct = list(dict.fromkeys(keys))
    with ThreadPoolExecutor(PARALLEL) as pool:
        deletions = pool.map(lambda key: _delete(key[0], key[1], jobs, explain), distinct)
        results = dict(zip(distinct, deletions, strict=True))
    ordered = [results[key] for key in keys]
    fitting = fitting_count(ordered)
    return [*ordered[:fitting], *map(_without_receipt, ordered[fitting:])]


def _delete(project: ProjectName, name: JobName, jobs: Jobs, explain: Explain) -> Deletion:
    try:
        try:
            jobs.delete(project, name, None, None)
        except JobNotFound as missing:
            raise explain(missing, project, name) from None
    except ResearcherError as error:
        return Deletion(name, project, ok=False, error=error.problem())
    return Deletion(name, project, ok=True)


def _without_receipt(deletion: Deletion) -> Deletion:
    error = deletion.error and msgspec.structs.replace(deletion.error, receipt=None)
    return msgspec.structs.replace(deletion, error=error)
