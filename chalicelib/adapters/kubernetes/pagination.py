"""Lists, page by page: a page that is too large to be read is asked for again with half of the objects that were read.

Nothing bounds the size of an object but etcd, whose limit is 1.5 MiB, and Go's JSON encoder writes six bytes for `<`,
`>` and `&`: 500 Jobs of one caller may be 340 MB. The limit that was small enough is kept for the pages that follow,
and doubled again when these are small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.adapters.kubernetes.api_client import MAX_RESPONSE, ApiRequest, parameters
from chalicelib.adapters.kubernetes.caller_session import CallerSession
from chalicelib.adapters.kubernetes.errors import ResponseTooLarge, decode_object_or_raise
from chalicelib.domain.errors import REPORT_TO_OPERATORS, ClusterUnavailable, InvalidPageToken

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.api_client import ApiResponse
    from chalicelib.adapters.kubernetes.cluster import Cluster
    from chalicelib.deadline import Deadline
    from chalicelib.domain.caller import Caller

Found = TypeVar("Found")

_EACH_OBJECT = b'"resourceVersion":'
SMALL_RESPONSE = MAX_RESPONSE // 4
"""After a page of this size, one of twice as many objects is expected to be read, too."""


class Pages(CallerSession):
    """Reads lists, and remembers for each path the limit of a page that could be read."""

    def __init__(self, cluster: Cluster, caller: Caller, deadline: Deadline) -> None:
        super().__init__(cluster, caller, deadline)
        self._limits: dict[str, int] = {}

    def _page(self, path: str, kind: type[Found], limit: int, token: str | None = None, **query: str | None) -> Found:
        """Get at most *limit* objects at *path*, from *token* on; less where these are too large.

        Raises: InvalidPageToken: the cluster refuses *token*. AnswerTooLarge: one object alone cannot be read.
        """
        limit = min(limit, self._limits.get(path, limit))
        while True:
            asked = parameters(**query, limit=limit, **{"continue": token})
            try:
                response = self._send(ApiRequest("GET", path, asked))
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
    """Raise what a refusal of a list means, which never is about a Job that the caller sent."""
    if response.status not in {400, 422, 504}:
        return
    if token:
        raise InvalidPageToken("The page token does not belong to this list. Start again without it.")
    raise ClusterUnavailable(f"The cluster refuses to list the Project's objects. {REPORT_TO_OPERATORS}")
