"""Changes of one Job as they happen, as one caller may see them until one deadline.

A watch is only the bell: whoever hears it reads the Job and its pods again, so that what is answered belongs together,
and a bell that broke costs a moment and no truth.
"""

from __future__ import annotations

import math
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import msgspec

from chalicelib.adapters.kubernetes.api_client import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import jobs_path
from chalicelib.domain.errors import DeadlineExceeded
from chalicelib.domain.kubernetes.jobs import ObjectMeta

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.names import JobName, ProjectName

LOOK_AGAIN_SECONDS = 5.0
"""A pod that cannot start changes nothing about its Job: the watch does not tell."""
PAUSE_SECONDS = 1.0
"""Before the next look, where the watch could not be had or has broken."""


_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})


class _Object(msgspec.Struct):
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class _Event(msgspec.Struct):
    type: str = ""
    object: _Object = msgspec.field(default_factory=_Object)


class JobWatch:
    """The port of the use case that waits for a Job, which waits no longer than *until*."""

    def __init__(self, cluster: Cluster, caller: Caller, until: Deadline) -> None:
        self._cluster = cluster
        self._caller = caller
        self._until = until

    def wait(self, project: ProjectName, name: JobName, version: str) -> bool:
        """Waits until the Job may be another than at *version*; False when the time to wait is over already."""
        if not self._until.remaining:
            return False
        end = self._until.within(LOOK_AGAIN_SECONDS)
        if not self._has_changed(project, name, version, end):
            time.sleep(min(PAUSE_SECONDS, end.remaining))
        return True

    def _has_changed(self, project: ProjectName, name: JobName, version: str, end: Deadline) -> bool:
        """Whether the watch, which begins with the Job as it is, told of another version until *end*."""
        # Without a version to start from: the Job's own may be too old for the cluster to go on from (410).
        seconds = max(1, math.ceil(end.remaining))
        query = parameters(watch="true", fieldSelector=f"metadata.name={name}", timeoutSeconds=seconds)
        request = ApiRequest("GET", jobs_path(project), query)
        with suppress(DeadlineExceeded), closing(self._cluster.lines_as(self._caller, request, end)) as lines:
            return any(_shows_change(line, version) for line in lines)
        return False


def _shows_change(line: bytes, version: str) -> bool:
    """Whether *line* of a watch shows the Job at another version; an error, or half a line, shows nothing."""
    try:
        event = msgspec.json.decode(line, type=_Event)
    except (ValueError, RecursionError):
        return False
    return event.type in _CHANGES and event.object.metadata.resource_version != version
