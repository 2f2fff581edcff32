"""Pagination with a page size that adapts to the size of the objects.

An object can be as large as etcd's limit of 1.5 MiB, and Go's JSON encoder writes six bytes for `<`, `>` and `&`, so a
page of 500 Jobs can be 340 MB. If a page exceeds MAX_RESPONSE, it is requested again with half as many objects as were
read of it. The next pages of this path use the smaller limit, which is doubled again after a small page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.adapters.kubernetes.api_client import MAX_RESPONSE
from chalicelib.adapters.kubernetes.api_request import ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import CallerSession
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge, decode_object_or_raise
from chalicelib.domain.errors import REPORT_TO_OPERATORS, ClusterUnavailable, InvalidPageToken
from chalicelib.domain.failure_reasons import note_reason, status_reason

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.api_request import ApiResponse
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller

Found = TypeVar("Found")

_EACH_OBJECT = b'"resourceVersion":'
SMALL_RESPONSE = MAX_RESPONSE // 4
"""The size of a page up to which the limit of the next one is doubled."""


class Pages(CallerSession):
    """Reads pages of lists, and stores the reduced limit of each path."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline) -> None:
        super().__init__(cluster, caller, deadline)
        self._limits: dict[str, int] = {}

    def _page(self, path: str, kind: type[Found], limit: int, token: str | None = None, **query: str | None) -> Found:
        """Return the page of objects at *path* after *token*, at most *limit*, or fewer if these are too large.

        Raises:
            InvalidPageToken: the cluster rejects *token*.
            ResponseTooLarge: a single object exceeds MAX_RESPONSE.
        """
        limit = min(limit, self._limits.get(path, limit))
        while True:
            page_query = parameters(**query, limit=limit, **{"continue": token})
            try:
                response = self._send(ApiRequest("GET", path, page_query))
                break
            except ResponseTooLarge as error:
                if limit == 1:
                    raise
                limit = self._limits[path] = max(1, min(limit, error.start.count(_EACH_OBJECT)) // 2)
        if path in self._limits and len(response.body) <= SMALL_RESPONSE:
            self._limits[path] = 2 * limit
        _check(response, token)
        return decode_object_or_raise(response, kind)


def _check(response: ApiResponse, token: str | None) -> None:
    """Raise the error for a rejected list request, which is never about a Job in the caller's request."""
    if response.status not in {400, 422, 504}:
        return
    if token:
        raise InvalidPageToken("The page token does not belong to this list. Start again without it.")
    error = ClusterUnavailable(f"The cluster rejected the request to list objects. {REPORT_TO_OPERATORS}")
    raise note_reason(error, status_reason(response.status))
