"""The logs of containers for a follower, as the caller: read in chunks, in bounded memory."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from chalicelib.adapters.http import bounded_body
from chalicelib.adapters.kubernetes.caller_session import CallerSession
from chalicelib.adapters.kubernetes.log_request import log_request, require_log
from chalicelib.domain.errors import DeadlineExceeded
from chalicelib.domain.job.log_stream import LogStream

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller
    from chalicelib.domain.job.logs import ContainerRun
    from chalicelib.domain.names import ProjectName

PAUSE_SECONDS = 1.0
"""The pause before the Job is read again after the log of a running container ended."""


class KubernetesLogs(CallerSession):
    """Implements LogReader; it waits for at most the time *until*."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline, until: Deadline) -> None:
        super().__init__(cluster, caller, deadline)
        self._until = until

    def read(self, project: ProjectName, run: ContainerRun, since: str | None, stream: LogStream) -> bool:
        """Feed the log to *stream* until that is full; return whether the log was read to its end.

        If the connection breaks, what has arrived is used. Without that, the request is repeated.
        """
        is_whole = True

        def feed(body: BaseHTTPResponse, deadline: Deadline) -> bytes:
            nonlocal is_whole
            stream.repeat()
            try:
                bounded_body.feed(body, deadline, stream.feed)
            except (HTTPError, OSError):
                is_whole = False
                if not stream.pieces:
                    raise
            else:
                is_whole = True
            return b""

        require_log(self._send(log_request(project, run, sinceTime=since, timestamps="true"), feed), run)
        return is_whole

    def last_time(self, project: ProjectName, run: ContainerRun) -> str:
        """Return the timestamp of the last line; empty if it has none."""
        stream = LogStream(None, 1)

        def feed(body: BaseHTTPResponse, deadline: Deadline) -> bytes:
            stream.restart(None)
            bounded_body.feed(body, deadline, stream.feed)
            return b""

        require_log(self._send(log_request(project, run, tailLines=1, timestamps="true"), feed), run)
        return stream.last_time

    def wait(self, project: ProjectName, run: ContainerRun, stream: LogStream) -> bool:
        """Wait until *stream* is full; return False if the time was over before."""
        if not self._until.remaining:
            return False
        since = stream.place.since if stream.place else None
        request = log_request(project, run, sinceTime=since, timestamps="true", follow="true")
        with suppress(DeadlineExceeded), closing(self._cluster.chunks_as(self._caller, request, self._until)) as chunks:
            for chunk in chunks:
                if not stream.feed(chunk):
                    return True
        time.sleep(min(PAUSE_SECONDS, self._until.remaining))
        return True
