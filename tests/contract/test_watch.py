"""Watching Jobs: what a client is told, and when."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.rights import OTHERS, OURS, SUBMITTERS, VIEWERS, Ask, as_caller, may
from tests.support.eventually import eventually
from tests.support.namespace import job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.json_client import Document, JsonClient
    from tests.support.namespace import TestNamespace


class Listener:
    """Collects the events of a watch in a thread of its own."""

    def __init__(self, space: TestNamespace, version: str = "", **selection: str) -> None:
        self._watch = space.client.watch(space.jobs, version, **selection)
        self.told: list[tuple[str, str]] = []
        self.objects: list[Document] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the stream is over."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Ends the watch."""
        self._watch.stop()
        self._thread.join()
        self._watch.close()

    def _listen(self) -> None:
        for kind, document in self._watch:
            if kind != "BOOKMARK":
                self.objects.append(document)
                self.told.append((kind, document["metadata"]["name"]))


@pytest.fixture
def listen(space: TestNamespace) -> Iterator[Callable[..., Listener]]:
    """Starts watches of the namespace's Jobs, which end with the test."""
    started: list[Listener] = []

    def start(version: str = "", **selection: str) -> Listener:
        started.append(Listener(space, version, **selection))
        return started[-1]

    yield start
    for one in started:
        one.close()


class TestWatch:
    """A stream of events."""

    def test_begins_with_what_is_there(self, space: TestNamespace, listen: Callable[..., Listener]) -> None:
        """Without a version: nothing can be missed between a look and the watch."""
        space.submit(job("there", suspend=True))

        listener = listen()

        eventually(lambda: listener.told, lambda told: told[:1] == [("ADDED", "there")])

    def test_tells_of_each_change(self, space: TestNamespace, listen: Callable[..., Listener]) -> None:
        """Made, changed and deleted, each at another version."""
        listener = listen()
        space.submit(job("lives", suspend=True))
        space.client.patch(f"{space.jobs}/lives", {"metadata": {"labels": {"a": "b"}}})

        space.client.delete(f"{space.jobs}/lives", propagationPolicy="Background")

        told = eventually(lambda: listener.told, lambda told: told[-1:] == [("DELETED", "lives")])
        versions = [int(one["metadata"]["resourceVersion"]) for one in listener.objects]
        assert told[0] == ("ADDED", "lives")
        assert {kind for kind, _ in told[1:-1]} == {"MODIFIED"}
        assert versions == sorted(set(versions))

    def test_goes_on_from_a_version(self, space: TestNamespace, listen: Callable[..., Listener]) -> None:
        """What was before is not told again."""
        space.submit(job("before", suspend=True))
        version = space.client.get(space.jobs)["metadata"]["resourceVersion"]
        space.submit(job("after", suspend=True))

        listener = listen(version)

        eventually(lambda: listener.told, lambda told: ("ADDED", "after") in told)
        assert ("ADDED", "before") not in listener.told

    def test_of_one_name_tells_of_no_other(self, space: TestNamespace, listen: Callable[..., Listener]) -> None:
        """By a field selector."""
        listener = listen(fieldSelector="metadata.name=mine")

        space.submit(job("other", suspend=True))
        space.submit(job("mine", suspend=True))

        told = eventually(lambda: listener.told, bool)
        assert {name for _, name in told} == {"mine"}

    def test_of_a_label_tells_when_it_is_gone(self, space: TestNamespace, listen: Callable[..., Listener]) -> None:
        """An object that is no longer selected is as good as deleted."""
        made = space.submit({**job("marked", suspend=True), "metadata": {"name": "marked", "labels": {"a": "b"}}})
        listener = listen(labelSelector="a=b")
        eventually(lambda: listener.told, bool)

        space.client.patch(f"{space.jobs}/marked", {"metadata": {"labels": {"a": None}}})

        eventually(lambda: listener.told, lambda told: told[-1] == ("DELETED", "marked"))
        assert made["metadata"]["uid"] == space.job("marked")["metadata"]["uid"]

    def test_ends_when_its_time_is_over(self, listen: Callable[..., Listener]) -> None:
        """The server ends it, not before that many seconds."""
        began = time.monotonic()

        listener = listen(timeoutSeconds="1")

        eventually(lambda: listener.ended, bool)
        assert time.monotonic() - began >= 1


class TestRights:
    """Who may watch."""

    @pytest.mark.parametrize("group", [SUBMITTERS, VIEWERS])
    def test_callers_watch_their_project(self, own_identity: JsonClient, group: str) -> None:
        """Submitters and viewers, there and nowhere else."""
        headers = as_caller(group)

        assert may(own_identity, Ask("watch", "jobs.batch", OURS), headers)
        assert not may(own_identity, Ask("watch", "jobs.batch", OTHERS), headers)
