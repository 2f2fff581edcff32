"""Delete many Jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.errors import Problem, ResearcherError
from chalicelib.domain.names import JOB_PATTERN, MAX_JOB_NAME, PROJECT_PATTERN, job_name, project_name
from chalicelib.usecases.ports import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Job to delete."""

    name: Annotated[str, msgspec.Meta(pattern=f"^{JOB_PATTERN}$", max_length=MAX_JOB_NAME)]
    project: Annotated[str, msgspec.Meta(pattern=f"^{PROJECT_PATTERN}$", max_length=50)]


class Deletion(msgspec.Struct, frozen=True):
    """What became of one Job that was to be deleted; *error* says why it was not."""

    name: str
    project: str
    ok: bool
    error: Problem | None = None


def delete_jobs(targets: Sequence[Target], jobs: Jobs) -> list[Deletion]:
    """Delete each of *targets* on its own, a repeated one once.

    One that is refused does not stop the rest; an invalid name stops all.
    """
    named = [
        (project_name(target.project, f"/{place}/project"), job_name(target.name, f"/{place}/name"))
        for place, target in enumerate(targets)
    ]
    distinct = list(dict.fromkeys(named))
    with ThreadPoolExecutor(PARALLEL) as pool:
        deletions = pool.map(lambda one: _delete(one[0], one[1], jobs), distinct)
        outcome = dict(zip(distinct, deletions, strict=True))
    return [outcome[one] for one in named]


def _delete(project: ProjectName, name: JobName, jobs: Jobs) -> Deletion:
    try:
        jobs.delete(project, name, None, None)
    except ResearcherError as error:
        return Deletion(name, project, ok=False, error=error.problem())
    return Deletion(name, project, ok=True)
