"""Watching Jobs: the events of a watch, and the permission."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.permissions import NAMESPACE, OTHER_NAMESPACE, SUBMITTERS, VIEWERS, Permission, as_caller, is_allowed
from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.json_client import Document, JsonClient
    from tests.support.namespace import NamespaceClient


class Listener:
    """Collects the events of a watch in a thread of its own."""

    def __init__(self, namespace: NamespaceClient, version: str = "", **selection: str) -> None:
        self._watch = namespace.client.watch(namespace.jobs, version, **selection)
        self.events: list[tuple[str, str]] = []
        self.objects: list[Document] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the stream has ended."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Stop the watch."""
        self._watch.stop()
        self._thread.join()
        self._watch.close()

    def _listen(self) -> None:
        for kind, document in self._watch:
            if kind != "BOOKMARK":
                self.objects.append(document)
                self.events.append((kind, document["metadata"]["name"]))


@pytest.fixture
def listen(namespace: NamespaceClient) -> Iterator[Callable[..., Listener]]:
    """Return a function that starts watches of the namespace's Jobs, and stop them after the test."""
    started: list[Listener] = []

    def start(version: str = "", **selection: str) -> Listener:
        started.append(Listener(namespace, version, **selection))
        return started[-1]

    yield start
    for listener in started:
        listener.close()


class TestWatch:
    """The events of a watch."""

    def test_begins_with_existing_jobs(self, namespace: NamespaceClient, listen: Callable[..., Listener]) -> None:
        """Without a resourceVersion, the watch begins with ADDED events for the existing Jobs."""
        namespace.submit(job("existing", suspend=True))

        listener = listen()

        eventually(lambda: listener.events, lambda events: events[:1] == [("ADDED", "existing")])

    def test_every_change_is_an_event(self, namespace: NamespaceClient, listen: Callable[..., Listener]) -> None:
        """Creation, change and deletion are events, each with a higher resourceVersion."""
        listener = listen()
        namespace.submit(job("lives", suspend=True))
        namespace.client.patch(f"{namespace.jobs}/lives", {"metadata": {"labels": {"a": "b"}}})

        namespace.client.delete(f"{namespace.jobs}/lives", propagationPolicy="Background")

        events = eventually(lambda: listener.events, lambda events: events[-1:] == [("DELETED", "lives")])
        versions = [int(document["metadata"]["resourceVersion"]) for document in listener.objects]
        assert events[0] == ("ADDED", "lives")
        assert {kind for kind, _ in events[1:-1]} == {"MODIFIED"}
        assert versions == sorted(set(versions))

    def test_starts_at_a_resource_version(self, namespace: NamespaceClient, listen: Callable[..., Listener]) -> None:
        """With a resourceVersion, earlier changes are omitted."""
        namespace.submit(job("before", suspend=True))
        version = namespace.client.get(namespace.jobs)["metadata"]["resourceVersion"]
        namespace.submit(job("after", suspend=True))

        listener = listen(version)

        eventually(lambda: listener.events, lambda events: ("ADDED", "after") in events)
        assert ("ADDED", "before") not in listener.events

    def test_field_selector(self, namespace: NamespaceClient, listen: Callable[..., Listener]) -> None:
        """A field selector limits the watch to one Job."""
        listener = listen(fieldSelector="metadata.name=mine")

        namespace.submit(job("other", suspend=True))
        namespace.submit(job("mine", suspend=True))

        events = eventually(lambda: listener.events, bool)
        assert {name for _, name in events} == {"mine"}

    def test_label_selector(self, namespace: NamespaceClient, listen: Callable[..., Listener]) -> None:
        """An object that no longer matches the label selector is reported as DELETED."""
        created = namespace.submit(
            {**job("labelled", suspend=True), "metadata": {"name": "labelled", "labels": {"a": "b"}}}
        )
        listener = listen(labelSelector="a=b")
        eventually(lambda: listener.events, bool)

        namespace.client.patch(f"{namespace.jobs}/labelled", {"metadata": {"labels": {"a": None}}})

        eventually(lambda: listener.events, lambda events: events[-1] == ("DELETED", "labelled"))
        assert created["metadata"]["uid"] == namespace.job("labelled")["metadata"]["uid"]

    def test_timeout_seconds(self, listen: Callable[..., Listener]) -> None:
        """The server ends the watch after `timeoutSeconds`, not earlier."""
        started = time.monotonic()

        listener = listen(timeoutSeconds="1")

        eventually(lambda: listener.ended, bool)
        assert time.monotonic() - started >= 1


class TestPermission:
    """The permission to watch."""

    @pytest.mark.parametrize("group", [SUBMITTERS, VIEWERS])
    def test_is_limited_to_the_project(self, own_identity: JsonClient, group: str) -> None:
        """Submitters and viewers may watch the Jobs of their Project, and of no other."""
        headers = as_caller(group)

        assert is_allowed(own_identity, Permission("watch", "jobs.batch", NAMESPACE), headers)
        assert not is_allowed(own_identity, Permission("watch", "jobs.batch", OTHER_NAMESPACE), headers)
