"""A minimal client of the Kubernetes API: JSON requests and responses, and one client certificate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3

from tests.cluster.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.cluster.certificates import KeyPair

Document = dict[str, Any]
"""A Kubernetes object as JSON."""
Header = tuple[str, str]

CONFLICTS = 100
"""Attempts of a creation on 409 Conflict: concurrent creations race for the ResourceQuota."""

_APPLY = (("Content-Type", "application/apply-patch+yaml"),)
_MERGE = (("Content-Type", "application/merge-patch+json"),)
_STRATEGIC = (("Content-Type", "application/strategic-merge-patch+json"),)


class ErrorResponse(Exception):
    """An error response of the API server: its *status*, and its *body* as text."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class JsonClient:
    """A client with one identity; headers may impersonate another."""

    def __init__(
        self, url: str, authority: Path, identity: KeyPair | None = None, headers: Sequence[Header] = ()
    ) -> None:
        self.url = url
        self._headers = headers
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}
        self._pool = urllib3.PoolManager(
            ca_certs=str(authority),
            cert_file=str(identity.certificate) if identity else None,
            key_file=str(identity.key) if identity else None,
            maxsize=8,
            retries=False,
            timeout=urllib3.Timeout(connect=2, read=30),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def get(self, path: str, **query: str) -> Document:
        """Return the object or the list at *path*."""
        return self.request("GET", _with_query(path, query))

    def create(self, path: str, document: Document) -> Document:
        """Create *document* in the collection at *path* and return it; retry on a conflict about a ResourceQuota."""
        for _ in range(CONFLICTS):
            try:
                return self.request("POST", path, document)
            except ErrorResponse as error:
                if error.status != 409 or "on resourcequotas" not in str(error):
                    raise
        return self.request("POST", path, document)

    def patch(self, path: str, changes: Document) -> Document:
        """Apply the merge patch *changes*, in which a list replaces a list, and return the object."""
        return self.request("PATCH", path, changes, _MERGE)

    def patch_lists(self, path: str, changes: Document) -> Document:
        """Apply the strategic merge patch *changes*, in which lists are merged by key, and return the object."""
        return self.request("PATCH", path, changes, _STRATEGIC)

    def delete(self, path: str, **options: object) -> Document:
        """Delete the object with *options*, such as propagationPolicy, and return the response."""
        return self.request("DELETE", path, options)

    def apply(self, document: Document) -> Document:
        """Apply *document* on the server side, and return the object."""
        path = _with_query(self.path_of(document), {"fieldManager": "tests", "force": "true"})
        return self.request("PATCH", path, document, _APPLY)

    def path_of(self, document: Document) -> str:
        """Return the path of *document*, from the discovery API."""
        version, kind, metadata = document["apiVersion"], document["kind"], document["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._plurals:
            kinds = [each for each in self.get(root)["resources"] if "/" not in each["name"]]
            self._plurals |= {(version, each["kind"]): (each["name"], each["namespaced"]) for each in kinds}
        plural, namespaced = self._plurals[version, kind]
        prefix = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{root}{prefix}/{plural}/{metadata['name']}"

    def watch(self, path: str, resource_version: str, **selection: str) -> Watch:
        """Watch the objects at *path* from *resource_version*; an empty one begins with the existing objects."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": resource_version, **selection}
        headers, url = urllib3.HTTPHeaderDict(self._headers), self.url + _with_query(path, query)
        return Watch(self._pool.request("GET", url, headers=headers, preload_content=False))

    def request(
        self, method: str, path: str, document: Document | None = None, headers: Iterable[Header] = ()
    ) -> Document:
        """Send a request and return the response; raise ErrorResponse if it is an error."""
        response: Document = json.loads(self._send(method, path, document, headers))
        return response

    def text(self, path: str) -> str:
        """Return the text at *path*, such as a log; raise ErrorResponse if it is an error."""
        return self._send("GET", path, None, ()).decode()

    def send(self, method: str, path: str, body: str) -> None:
        """Send *body* unchanged, for example JSON that is too deep to be encoded."""
        self._send(method, path, body, ())

    def _send(self, method: str, path: str, document: Document | str | None, headers: Iterable[Header]) -> bytes:
        # A dict would join the lines of Impersonate-Group into one group.
        header_lines = urllib3.HTTPHeaderDict({"Accept": "application/json"})
        for name, value in (*self._headers, *headers):
            header_lines.add(name, value)
        if document is not None:
            header_lines.setdefault("Content-Type", "application/json")
        body = json.dumps(document) if isinstance(document, dict) else document
        response = self._pool.request(method, self.url + path, body=body, headers=header_lines)
        if response.status >= 300:
            raise ErrorResponse(response.status, response.data.decode("utf-8", "replace"))
        return response.data


def _with_query(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
