"""The Python client of the Researcher REST API.

from researcher import Client

job = Client().submit(image="nvcr.io/nvidia/pytorch:26.10-py3", command="python train.py", gpu=4)
for line in job.logs(follow=True):
    print(line)
job.wait(check=True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from researcher.errors import (
    ApiError,
    IncompatibleServer,
    JobFailed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    ResearcherError,
    ServerError,
    Unavailable,
    UsageError,
    WaitTimeout,
)

if TYPE_CHECKING:
    from researcher.client import Client
    from researcher.job import Job

__all__ = [
    "ApiError",
    "Client",
    "IncompatibleServer",
    "Job",
    "JobFailed",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "Refused",
    "ResearcherError",
    "ServerError",
    "Unavailable",
    "UsageError",
    "WaitTimeout",
]


def __getattr__(name: str) -> object:
    """Import Client and Job when they are used, so that `researcher --help` does not wait for them."""
    if name == "Client":
        from researcher.client import Client  # noqa: PLC0415

        return Client
    if name == "Job":
        from researcher.job import Job  # noqa: PLC0415

        return Job
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
