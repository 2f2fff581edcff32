"""Explain that a Job is not in the cluster: if it was cleaned up, every operation that needs it returns 410."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chalicelib.domain import errors
from chalicelib.functions._ports import as_caller
from chalicelib.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.domain.names import JobName, ProjectName
    from chalicelib.runtime.http import Request

ERRORS = (errors.JobNotFound, errors.JobCleanedUp, errors.StorageUnavailable)


@contextmanager
def explained(request: Request, project: ProjectName, name: JobName) -> Iterator[None]:
    """Turn JobNotFound into the error that explains it; the caller must have been permitted to read the Job."""
    try:
        yield
    except errors.JobNotFound as missing:
        raise explanation(request, missing, project, name) from None


def explanation(
    request: Request, missing: errors.JobNotFound, project: ProjectName, name: JobName
) -> errors.ResearcherError:
    """Return JobCleanedUp if the Job has a Receipt, otherwise *missing*."""
    # Imported here, because most Jobs exist and other cold starts should not pay for S3.
    from chalicelib.adapters.aws import bucket  # noqa: PLC0415
    from chalicelib.adapters.aws.receipts import S3Receipts  # noqa: PLC0415
    from chalicelib.adapters.kubernetes.project import KubernetesProject  # noqa: PLC0415
    from chalicelib.usecases.get_job import explain_missing_job  # noqa: PLC0415

    projects = as_caller(request, KubernetesProject)
    return explain_missing_job(missing, project, name, S3Receipts(bucket.connect(settings())), projects)
