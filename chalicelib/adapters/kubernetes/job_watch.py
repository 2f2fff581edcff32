"""A watch of one Job, as the caller.

The watch is only a wake-up signal: after each event the Job and its pods are read again, so that the response is
consistent. A broken watch costs latency, never correctness.
"""

from __future__ import annotations

import math
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.kubernetes.api_request import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import jobs_path
from chalicelib.domain.errors import DeadlineExceeded
from chalicelib.domain.kubernetes.jobs import ObjectMeta

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.names import JobName, ProjectName

LOOK_AGAIN_SECONDS = 5.0
"""The Job is read again after this time even without an event: a pod that cannot start does not change its Job."""
PAUSE_SECONDS = 1.0
"""The pause before the Job is read again after the watch failed."""


_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})


class _Object(msgspec.Struct):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class _Event(msgspec.Struct):
    type: str = ""
    object: _Object = msgspec.field(default_factory=_Object)


class JobWatch:
    """Implements JobChanges, for at most the time *until*."""

    def __init__(self, cluster: Cluster, caller: Caller, until: Deadline) -> None:
        self._cluster = cluster
        self._caller = caller
        self._until = until

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Wait until the Job may differ from resource *version*; return False if the time was over before."""
        if not self._until.remaining:
            return False
        end = self._until.within(LOOK_AGAIN_SECONDS)
        if not self._has_changed(project, name, version, end):
            time.sleep(min(PAUSE_SECONDS, end.remaining))
        return True

    def _has_changed(self, project: ProjectName, name: JobName, version: str, end: Deadline) -> bool:
        """Return whether the watch, which begins with the current state, had an event of another version by *end*."""
        # No resourceVersion to start from: that of the Job may be too old for the cluster (410 Gone).
        seconds = max(1, math.ceil(end.remaining))
        query = parameters(watch="true", fieldSelector=f"metadata.name={name}", timeoutSeconds=seconds)
        request = ApiRequest("GET", jobs_path(project), query)
        with suppress(DeadlineExceeded), closing(self._cluster.lines_as(self._caller, request, end)) as lines:
            return any(_shows_change(line, version) for line in lines)
        return False


def _shows_change(line: bytes, version: str) -> bool:
    """Return whether *line* is a watch event of another version of the Job; an error or an incomplete line is not."""
    try:
        event = msgspec.json.decode(line, type=_Event)
    except (ValueError, RecursionError):
        return False
    return event.type in _CHANGES and event.object.metadata.resource_version != version
