"""Delete several Jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import Problem, ResearcherError
from chalicelib.domain.names import (
    JOB_LETTERS,
    JOB_PATTERN,
    MAX_JOB_NAME,
    MAX_PROJECT,
    PROJECT_LETTERS,
    PROJECT_PATTERN,
    job_name,
    project_name,
)
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.names import JobName, ProjectName
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


def delete_jobs(targets: Sequence[Target], jobs: Jobs) -> list[Deletion]:
    """Delete each of *targets*, in parallel, a repeated one once; return the results in the order of *targets*.

    The failure of one deletion does not stop the others. If a name is invalid, nothing is deleted.
    """
    keys = [
        (project_name(target.project, f"/{index}/project"), job_name(target.name, f"/{index}/name"))
        for index, target in enumerate(targets)
    ]
    distinct = list(dict.fromkeys(keys))
    with ThreadPoolExecutor(PARALLEL) as pool:
        deletions = pool.map(lambda key: _delete(key[0], key[1], jobs), distinct)
        results = dict(zip(distinct, deletions, strict=True))
    return [results[key] for key in keys]


def _delete(project: ProjectName, name: JobName, jobs: Jobs) -> Deletion:
    try:
        jobs.delete(project, name, None, None)
    except ResearcherError as error:
        return Deletion(name, project, ok=False, error=error.problem())
    return Deletion(name, project, ok=True)
