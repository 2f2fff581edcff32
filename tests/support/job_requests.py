"""The requests that need a Job in the cluster, one or more for each operation on a Job."""

from __future__ import annotations

NEED_THE_JOB = [
    "GET {path}",
    "GET {path}?include=submission",
    "GET {path}?wait=1&until=finished",
    "GET {path}/logs",
    "GET {path}/logs?cursor=start",
    "GET {path}/indexes",
    "GET {path}/events",
    "GET {path}/diagnosis",
    "PUT {path}/keep",
    "DELETE {path}/keep",
    "POST {path}/suspend",
    "POST {path}/resume",
    "POST {path}/clone",
    "POST {path}/clone?dryRun=true",
    "POST {path}/retry",
    "DELETE {path}",
    "DELETE {path}?uid={uid}",
]
