"""Jobs that the API never creates, but kubectl may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.json_client import Document, ErrorResponse
from tests.support.eventually import eventually
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.support.namespace import NamespaceClient

LONG = "x" * 253


def with_manual_selector(name: str, **labels: str) -> Document:
    """Return a Job that selects its pods by *labels* instead of its uid."""
    created = job(name, manualSelector=True, selector={"matchLabels": labels})
    created["spec"]["template"]["metadata"]["labels"] = {"run": "odd", "team": "red"}
    return created


class TestManualSelector:
    """A Job with `manualSelector`."""

    def test_long_name(self, namespace: NamespaceClient) -> None:
        """Its pods have no label with the Job's name, so the name may have 253 characters; the owner is the uid."""
        created = namespace.submit(with_manual_selector(LONG, run="odd"))

        def pods() -> list[Document]:
            found: list[Document] = namespace.client.get(namespace.pods, labelSelector="run=odd")["items"]
            return found

        (pod,) = eventually(pods, bool)
        assert pod["metadata"]["labels"] == {"run": "odd", "team": "red"}
        assert pod["metadata"]["ownerReferences"][0]["uid"] == created["metadata"]["uid"]
        assert namespace.await_end(LONG)["type"] == "Complete"

    def test_must_match_the_pods(self, namespace: NamespaceClient) -> None:
        """The selector must match the labels of the pod template."""
        assert error_of(lambda: namespace.submit(with_manual_selector("odd", run="another")))[:2] == (
            422,
            "Invalid",
        )

    def test_other_jobs_need_a_short_name(self, namespace: NamespaceClient) -> None:
        """Without `manualSelector`, the name is the value of a label, so it is limited to 63 characters."""
        assert error_of(lambda: namespace.submit(job("x" * 64, suspend=True)))[:2] == (422, "Invalid")


def test_zero_completions(namespace: NamespaceClient) -> None:
    """A Job with 0 completions is complete immediately, without a pod."""
    namespace.submit(job("nothing", completions=0))

    assert namespace.await_end("nothing")["type"] == "Complete"
    assert namespace.pods_of("nothing") == []


def test_json_is_escaped_as_go_does(namespace: NamespaceClient) -> None:
    """The API server escapes five characters as six bytes each, so a stored object may be larger than its request."""
    metadata = {"name": "escaped", "annotations": {"odd": "<>&\u2028\u2029\u00e9'/"}}
    namespace.submit({**job("escaped", suspend=True), "metadata": metadata})

    for path in (f"{namespace.jobs}/escaped", namespace.jobs):
        assert "\\u003c\\u003e\\u0026\\u2028\\u2029\u00e9'/" in namespace.client.text(path)


@pytest.mark.parametrize("query", ["dryRun=all", "dryRun=", "dryRun=All&dryRun=", "dryRun=true"])
@pytest.mark.parametrize("verb", ["POST", "PATCH", "DELETE"])
def test_invalid_dry_run(namespace: NamespaceClient, verb: str, query: str) -> None:
    """Any value of `dryRun` other than All is an error, not a write."""
    namespace.submit(job("existing", suspend=True))
    path = namespace.jobs if verb == "POST" else f"{namespace.jobs}/existing"
    headers = [("Content-Type", "application/merge-patch+json")] if verb == "PATCH" else []
    body = {"POST": job("new"), "PATCH": {}, "DELETE": None}[verb]

    error = error_of(lambda: namespace.client.request(verb, f"{path}?{query}", body, headers))

    assert error[:2] == (422, "Invalid")
    assert 'supported values: "All"' in error.message


def test_repeated_dry_run(namespace: NamespaceClient) -> None:
    """`dryRun=All` may be repeated."""
    namespace.submit(job("dry"), "?dryRun=All&dryRun=All")

    with pytest.raises(ErrorResponse):
        namespace.job("dry")


@pytest.mark.parametrize("name", ["system-node-critical", "system-cluster-critical"])
def test_system_priority_classes(namespace: NamespaceClient, name: str) -> None:
    """Pods may use the system PriorityClasses unless a quota prevents it."""
    manifest = job("critical")
    manifest["spec"]["template"]["spec"]["priorityClassName"] = name

    namespace.submit(manifest)

    assert len(namespace.await_pods("critical")) == 1
