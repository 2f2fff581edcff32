"""Get the log of a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import LogGone, NodeUnavailable
from chalicelib.domain.job.logs import lost_log, select_attempt, tail_bytes
from chalicelib.usecases.get_job import pods_by_job, require_job

if TYPE_CHECKING:
    from chalicelib.domain.job.log_query import LogQuery
    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.usecases.ports import Jobs, Pods


class Log(msgspec.Struct, frozen=True):
    """The end of a pod's log."""

    pod: str
    content: bytes


def job_log(project: ProjectName, name: JobName, query: LogQuery, jobs: Jobs, pods: Pods) -> Log:
    """Return the log that *query* selects; JobNotFound, JobNotStarted or LogGone if there is none."""
    job = require_job(project, name, jobs)
    own = pods_by_job(pods.of_job(project, job, query.index))[job.metadata.uid]
    attempt = select_attempt(job, own, query)
    try:
        log = pods.log(project, attempt, query)
    except (LogGone, NodeUnavailable) as error:
        raise lost_log(error, next(pod for pod in own if pod.metadata.name == attempt.pod)) from error
    return Log(attempt.pod, tail_bytes(log, query.limit_bytes))
