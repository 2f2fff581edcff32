"""A small client of the Kubernetes API: JSON in, JSON out, one certificate, nothing hidden."""

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
"""Times a creation is sent again; each time another one got through."""

_APPLY = (("Content-Type", "application/apply-patch+yaml"),)
_MERGE = (("Content-Type", "application/merge-patch+json"),)
_STRATEGIC = (("Content-Type", "application/strategic-merge-patch+json"),)


class Refused(Exception):
    """The API server said no: *status*, and *body* as it came."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class JsonClient:
    """Asks one API server as one identity; headers may ask it to take another."""

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
        """Closes the connections."""
        self._pool.clear()

    def get(self, path: str, **query: str) -> Document:
        """The object or the list at *path*."""
        return self.request("GET", _with_query(path, query))

    def create(self, path: str, document: Document) -> Document:
        """What the collection at *path* made of *document*; sent again where others counted its quota meanwhile."""
        for _ in range(CONFLICTS):
            try:
                return self.request("POST", path, document)
            except Refused as refusal:
                if refusal.status != 409 or "on resourcequotas" not in str(refusal):
                    raise
        return self.request("POST", path, document)

    def patch(self, path: str, changes: Document) -> Document:
        """The object at *path* after a merge of *changes*, in which a list replaces a list."""
        return self.request("PATCH", path, changes, _MERGE)

    def patch_lists(self, path: str, changes: Document) -> Document:
        """The object at *path* after a merge of *changes*, lists merged by the keys that Kubernetes gives them."""
        return self.request("PATCH", path, changes, _STRATEGIC)

    def delete(self, path: str, **options: object) -> Document:
        """What is said to a deletion with *options*, such as propagationPolicy."""
        return self.request("DELETE", path, options)

    def apply(self, document: Document) -> Document:
        """The object after *document* was applied, wherever its kind belongs."""
        path = _with_query(self.path_of(document), {"fieldManager": "tests", "force": "true"})
        return self.request("PATCH", path, document, _APPLY)

    def path_of(self, document: Document) -> str:
        """The path of *document*, by the API server's own list of kinds."""
        version, kind, metadata = document["apiVersion"], document["kind"], document["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._plurals:
            known = [one for one in self.get(root)["resources"] if "/" not in one["name"]]
            self._plurals |= {(version, one["kind"]): (one["name"], one["namespaced"]) for one in known}
        plural, namespaced = self._plurals[version, kind]
        space = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{root}{space}/{plural}/{metadata['name']}"

    def watch(self, path: str, resource_version: str, **selection: str) -> Watch:
        """What happens to the objects at *path* after *resource_version*; an empty one begins with those there are."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": resource_version, **selection}
        headers, url = urllib3.HTTPHeaderDict(self._headers), self.url + _with_query(path, query)
        return Watch(self._pool.request("GET", url, headers=headers, preload_content=False))

    def request(
        self, method: str, path: str, document: Document | None = None, headers: Iterable[Header] = ()
    ) -> Document:
        """The API server's answer; Refused when it is not a success."""
        answer: Document = json.loads(self._sent(method, path, document, headers))
        return answer

    def text(self, path: str) -> str:
        """The text at *path*, such as a log; Refused when there is none."""
        return self._sent("GET", path, None, ()).decode()

    def send(self, method: str, path: str, body: str) -> None:
        """Send *body* as it stands, such as JSON that is too deep to be decoded."""
        self._sent(method, path, body, ())

    def _sent(self, method: str, path: str, document: Document | str | None, headers: Iterable[Header]) -> bytes:
        # A plain dict would join the lines of Impersonate-Group into one group.
        lines = urllib3.HTTPHeaderDict({"Accept": "application/json"})
        for name, value in (*self._headers, *headers):
            lines.add(name, value)
        if document is not None:
            lines.setdefault("Content-Type", "application/json")
        body = json.dumps(document) if isinstance(document, dict) else document
        response = self._pool.request(method, self.url + path, body=body, headers=lines)
        if response.status >= 300:
            raise Refused(response.status, response.data.decode("utf-8", "replace"))
        return response.data


def _with_query(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
