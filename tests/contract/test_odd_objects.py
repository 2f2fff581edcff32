"""Jobs that a submission never makes, but kubectl does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.json_client import Document, Refused
from tests.support.eventually import eventually
from tests.support.namespace import job, outcome_of

if TYPE_CHECKING:
    from tests.support.namespace import TestNamespace

LONG = "x" * 253


def by_own_selector(name: str, **labels: str) -> Document:
    """A Job that finds its pods by *labels*, and not by its uid."""
    made = job(name, manualSelector=True, selector={"matchLabels": labels})
    made["spec"]["template"]["metadata"]["labels"] = {"run": "odd", "team": "red"}
    return made


class TestManualSelector:
    """A Job that finds its pods by labels of its own."""

    def test_takes_the_longest_name(self, space: TestNamespace) -> None:
        """Its pods have no label of its name, and belong to it by its uid."""
        made = space.submit(by_own_selector(LONG, run="odd"))

        def pods() -> list[Document]:
            found: list[Document] = space.client.get(space.pods, labelSelector="run=odd")["items"]
            return found

        (pod,) = eventually(pods, bool)
        assert pod["metadata"]["labels"] == {"run": "odd", "team": "red"}
        assert pod["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
        assert space.await_end(LONG)["type"] == "Complete"

    def test_has_to_match_its_pods(self, space: TestNamespace) -> None:
        """Or it would never see them."""
        assert outcome_of(lambda: space.submit(by_own_selector("odd", run="another")))[:2] == (422, "Invalid")

    def test_is_what_a_long_name_needs(self, space: TestNamespace) -> None:
        """Any other Job's name is a label's value."""
        assert outcome_of(lambda: space.submit(job("x" * 64, suspend=True)))[:2] == (422, "Invalid")


def test_no_completions_are_complete(space: TestNamespace) -> None:
    """At once, without a pod."""
    space.submit(job("nothing", completions=0))

    assert space.await_end("nothing")["type"] == "Complete"
    assert space.pods_of("nothing") == []


def test_json_is_escaped_as_go_does(space: TestNamespace) -> None:
    """Six bytes for each of five characters, so that an object is far larger than it was sent; no other escape."""
    metadata = {"name": "escaped", "annotations": {"odd": "<>&\u2028\u2029\u00e9'/"}}
    space.submit({**job("escaped", suspend=True), "metadata": metadata})

    for path in (f"{space.jobs}/escaped", space.jobs):
        assert "\\u003c\\u003e\\u0026\\u2028\\u2029\u00e9'/" in space.client.text(path)


@pytest.mark.parametrize("query", ["dryRun=all", "dryRun=", "dryRun=All&dryRun=", "dryRun=true"])
@pytest.mark.parametrize("verb", ["POST", "PATCH", "DELETE"])
def test_dry_run_has_one_stage(space: TestNamespace, verb: str, query: str) -> None:
    """A word that is none is refused, and not taken for a write."""
    space.submit(job("there", suspend=True))
    path = space.jobs if verb == "POST" else f"{space.jobs}/there"
    headers = [("Content-Type", "application/merge-patch+json")] if verb == "PATCH" else []
    body = {"POST": job("new"), "PATCH": {}, "DELETE": None}[verb]

    refusal = outcome_of(lambda: space.client.request(verb, f"{path}?{query}", body, headers))

    assert refusal[:2] == (422, "Invalid")
    assert 'supported values: "All"' in refusal.message


def test_dry_run_may_be_asked_for_twice(space: TestNamespace) -> None:
    """It is the same stage."""
    space.submit(job("dry"), "?dryRun=All&dryRun=All")

    with pytest.raises(Refused):
        space.job("dry")


@pytest.mark.parametrize("name", ["system-node-critical", "system-cluster-critical"])
def test_system_priorities_are_there(space: TestNamespace, name: str) -> None:
    """Whoever may make a Job may name them, unless a quota is in the way."""
    manifest = job("critical")
    manifest["spec"]["template"]["spec"]["priorityClassName"] = name

    space.submit(manifest)

    assert len(space.await_pods("critical")) == 1
