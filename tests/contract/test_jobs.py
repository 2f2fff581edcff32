"""Creating and getting Jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.permissions import OTHER_NAMESPACE, SUBMITTERS, as_caller
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.cluster.json_client import Document, JsonClient
    from tests.cluster.target import Target
    from tests.support.namespace import NamespaceClient


class TestCreate:
    """The creation of a valid Job."""

    def test_defaults(self, namespace: NamespaceClient) -> None:
        """Fields that a Job omits get their defaults."""
        created = namespace.submit(job("defaults"))

        fields = ("parallelism", "completions", "backoffLimit", "suspend", "completionMode", "podReplacementPolicy")
        assert [created["spec"][field] for field in fields] == [1, 1, 6, False, "NonIndexed", "TerminatingOrFailed"]

    def test_parallelism_alone_sets_no_completions(self, namespace: NamespaceClient) -> None:
        """A Job with `parallelism` alone is a work queue without `completions`."""
        created = namespace.submit(job("queue", parallelism=2, suspend=True))

        assert "completions" not in created["spec"]

    def test_limit_for_each_index_removes_the_default_limit(self, namespace: NamespaceClient) -> None:
        """With `backoffLimitPerIndex`, the default of `backoffLimit` is the largest integer."""
        limits: dict[str, Any] = {"backoffLimitPerIndex": 1, "maxFailedIndexes": 2}
        created = namespace.submit(job("limits", completionMode="Indexed", completions=2, suspend=True, **limits))

        assert created["spec"]["backoffLimit"] == 2**31 - 1

    def test_indexes_need_completions(self, namespace: NamespaceClient) -> None:
        """An Indexed Job with `parallelism` needs `completions`; without both, one completion is the default."""
        error = error_of(lambda: namespace.submit(job("queue", completionMode="Indexed", parallelism=2)))

        assert [cause["field"] for cause in error.details["causes"]] == ["spec.completions"]
        assert namespace.submit(job("one", completionMode="Indexed", suspend=True))["spec"]["completions"] == 1

    def test_max_failed_indexes_above_completions(self, namespace: NamespaceClient) -> None:
        """`maxFailedIndexes` must not exceed `completions`."""
        limits: dict[str, Any] = {"backoffLimitPerIndex": 1, "maxFailedIndexes": 3}
        error = error_of(lambda: namespace.submit(job("most", completionMode="Indexed", completions=2, **limits)))

        assert [cause["field"] for cause in error.details["causes"]] == ["spec.maxFailedIndexes"]

    def test_metadata(self, namespace: NamespaceClient) -> None:
        """A new Job has a uid, a resourceVersion, a creation time and a generation."""
        metadata = namespace.submit(job("identified"))["metadata"]

        assert {"uid", "resourceVersion", "creationTimestamp"} <= metadata.keys()
        assert (namespace.name, 1) == (metadata["namespace"], metadata["generation"])

    def test_selector_is_the_uid(self, namespace: NamespaceClient) -> None:
        """The selector is the Job's uid, and the pod template has uid and name under the old and the new labels."""
        created = namespace.submit(job("selecting"))

        uid, labels = created["metadata"]["uid"], created["spec"]["template"]["metadata"]["labels"]
        assert {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}} == created["spec"]["selector"]
        for prefix in ("", "batch.kubernetes.io/"):
            assert (uid, "selecting") == (labels[f"{prefix}controller-uid"], labels[f"{prefix}job-name"])

    def test_can_be_read(self, namespace: NamespaceClient) -> None:
        """The created Job can be read."""
        created = namespace.submit(job("stored", suspend=True))

        assert created["metadata"]["uid"] == namespace.job("stored")["metadata"]["uid"]

    def test_dry_run_stores_nothing(self, namespace: NamespaceClient) -> None:
        """A dry run returns the Job with its defaults and stores nothing."""
        created = namespace.submit(job("dry"), "?dryRun=All")

        assert created["spec"]["backoffLimit"] == 6
        assert error_of(lambda: namespace.job("dry")).status == 404

    @pytest.mark.parametrize("query", [pytest.param("", id="create"), pytest.param("?dryRun=All", id="dry run")])
    def test_name_is_taken(self, namespace: NamespaceClient, query: str) -> None:
        """A second Job with the same name is rejected, and the first one does not change."""
        first = namespace.submit(job("twice", suspend=True))

        error = error_of(lambda: namespace.submit(job("twice"), query))

        assert error[:3] == (409, "AlreadyExists", 'jobs.batch "twice" already exists')
        assert first["metadata"]["uid"] == namespace.job("twice")["metadata"]["uid"]


def changed(manifest: Document, path: str, value: object) -> Document:
    """Return *manifest* with *value* at the dotted *path*; None deletes the field."""
    *steps, field_name = path.split(".")
    node: Any = manifest
    for step in steps:
        node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
    node[field_name] = value
    if value is None:
        del node[field_name]
    return manifest


POD = "spec.template.spec"


class TestStrict:
    """fieldValidation=Strict."""

    @pytest.mark.parametrize(
        ("path", "field"),
        [
            pytest.param("color", "color", id="top"),
            pytest.param("spec.color", "spec.color", id="Job"),
            pytest.param(f"{POD}.color", f"{POD}.color", id="pod"),
            pytest.param(f"{POD}.containers.0.color", f"{POD}.containers[0].color", id="container"),
        ],
    )
    def test_unknown_fields_are_rejected(self, namespace: NamespaceClient, path: str, field: str) -> None:
        """An unknown field is named in the error instead of dropped, and nothing is stored."""
        error = error_of(lambda: namespace.submit(changed(job("strict"), path, "red"), "?fieldValidation=Strict"))

        assert error[:2] == (400, "BadRequest")
        assert f'strict decoding error: unknown field "{field}"' in error.message
        assert error_of(lambda: namespace.job("strict")).status == 404

    def test_known_fields_are_accepted(self, namespace: NamespaceClient) -> None:
        """A Job with known fields only is accepted."""
        created = namespace.submit(job("spelt", ttlSecondsAfterFinished=60, suspend=True), "?fieldValidation=Strict")

        assert created["spec"]["ttlSecondsAfterFinished"] == 60


class TestInvalid:
    """Jobs that fail validation."""

    @pytest.mark.parametrize(
        ("path", "value", "field"),
        [
            pytest.param(f"{POD}.restartPolicy", "Always", f"{POD}.restartPolicy", id="restart policy"),
            pytest.param(f"{POD}.restartPolicy", None, f"{POD}.restartPolicy", id="no restart policy"),
            pytest.param(f"{POD}.containers", [], f"{POD}.containers", id="no containers"),
            pytest.param(f"{POD}.containers.0.image", None, f"{POD}.containers[0].image", id="no image"),
            pytest.param(f"{POD}.containers.0.name", None, f"{POD}.containers[0].name", id="no name"),
            pytest.param("spec.parallelism", -1, "spec.parallelism", id="parallelism"),
            pytest.param("spec.completions", -1, "spec.completions", id="completions"),
            pytest.param("spec.backoffLimit", -1, "spec.backoffLimit", id="backoff limit"),
            pytest.param("spec.activeDeadlineSeconds", -1, "spec.activeDeadlineSeconds", id="deadline"),
            pytest.param("spec.ttlSecondsAfterFinished", -1, "spec.ttlSecondsAfterFinished", id="time to live"),
            pytest.param(
                "spec.backoffLimitPerIndex", 1, "spec.backoffLimitPerIndex", id="backoff limit per index, not Indexed"
            ),
            pytest.param("spec.maxFailedIndexes", 1, "spec.maxFailedIndexes", id="max failed indexes, not Indexed"),
            pytest.param(
                "spec.podFailurePolicy",
                {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}}]},
                "spec.podFailurePolicy.rules[0].action",
                id="FailIndex, not Indexed",
            ),
            pytest.param("metadata.name", "Upper_Case", "metadata.name", id="characters of the name"),
            pytest.param("metadata.name", None, "metadata.name", id="no name"),
        ],
    )
    def test_causes_have_the_field(self, namespace: NamespaceClient, path: str, value: object, field: str) -> None:
        """The causes of the error have the field and a message."""
        error = error_of(lambda: namespace.submit(changed(job("invalid"), path, value)))

        assert error[:2] == (422, "Invalid")
        assert field in [cause["field"] for cause in error.details["causes"]]
        assert all(cause["message"] for cause in error.details["causes"])

    def test_every_invalid_field_is_a_cause(self, namespace: NamespaceClient) -> None:
        """Two invalid fields are two causes."""
        manifest = changed(job("two", backoffLimit=-1), f"{POD}.restartPolicy", "Always")

        causes = error_of(lambda: namespace.submit(manifest)).details["causes"]

        assert {"spec.backoffLimit", f"{POD}.restartPolicy"} == {cause["field"] for cause in causes}

    def test_a_name_too_long_for_a_label(self, namespace: NamespaceClient) -> None:
        """The name of a Job is a label of its pods, so it has at most 63 characters."""
        error = error_of(lambda: namespace.submit(job("a" * 64)))

        assert error[:2] == (422, "Invalid")
        assert namespace.submit(job("a" * 63, suspend=True))["metadata"]["name"] == "a" * 63


class TestMissing:
    """Jobs and namespaces that do not exist."""

    def test_job(self, namespace: NamespaceClient) -> None:
        """The error has the name and the kind."""
        error = error_of(lambda: namespace.job("missing"))

        assert error[:3] == (404, "NotFound", 'jobs.batch "missing" not found')
        assert tuple(error.details[key] for key in ("name", "group", "kind")) == ("missing", "batch", "jobs")

    def test_namespace_for_the_administrator(self, cluster_target: Target) -> None:
        """An administrator gets 404 for a missing namespace."""
        path = "/apis/batch/v1/namespaces/contract-missing/jobs"

        error = error_of(lambda: cluster_target.admin.create(path, job("lost")))

        assert error[:3] == (404, "NotFound", 'namespaces "contract-missing" not found')

    def test_namespace_has_no_jobs(self, cluster_target: Target) -> None:
        """A list in a missing namespace is empty."""
        assert cluster_target.admin.get("/apis/batch/v1/namespaces/contract-missing/jobs")["items"] == []

    @pytest.mark.parametrize("namespace", ["contract-missing", OTHER_NAMESPACE])
    def test_namespace_for_a_caller(self, own_identity: JsonClient, namespace: str) -> None:
        """A caller without permissions gets 403, whether the namespace exists or not."""
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs"

        error = error_of(lambda: own_identity.request("POST", path, job("lost"), as_caller(SUBMITTERS)))

        assert error[:2] == (403, "Forbidden")
        assert 'jobs.batch is forbidden: User "researcher:api" cannot create resource "jobs"' in error.message
