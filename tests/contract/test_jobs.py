"""Creating Jobs and getting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.rights import OTHERS, SUBMITTERS, as_caller
from tests.support.namespace import job, outcome_of

if TYPE_CHECKING:
    from tests.cluster.json_client import Document, JsonClient
    from tests.cluster.target import Target
    from tests.support.namespace import TestNamespace


class TestCreate:
    """A Job that the cluster takes."""

    def test_gets_its_defaults(self, space: TestNamespace) -> None:
        """What a Job leaves out has a value afterwards."""
        made = space.submit(job("defaults"))

        named = ("parallelism", "completions", "backoffLimit", "suspend", "completionMode", "podReplacementPolicy")
        assert [made["spec"][field] for field in named] == [1, 1, 6, False, "NonIndexed", "TerminatingOrFailed"]

    def test_parallelism_alone_leaves_completions_open(self, space: TestNamespace) -> None:
        """Such a Job is a work queue."""
        made = space.submit(job("queue", parallelism=2, suspend=True))

        assert "completions" not in made["spec"]

    def test_limit_of_each_index_lifts_that_of_all(self, space: TestNamespace) -> None:
        """Beside `backoffLimitPerIndex`, the Job itself has no limit that it did not ask for."""
        limits: dict[str, Any] = {"backoffLimitPerIndex": 1, "maxFailedIndexes": 2}
        made = space.submit(job("limits", completionMode="Indexed", completions=2, suspend=True, **limits))

        assert made["spec"]["backoffLimit"] == 2**31 - 1

    def test_indexes_need_completions(self, space: TestNamespace) -> None:
        """A work queue has no indexes; without parallelism, one completion is the default."""
        refusal = outcome_of(lambda: space.submit(job("queue", completionMode="Indexed", parallelism=2)))

        assert [cause["field"] for cause in refusal.details["causes"]] == ["spec.completions"]
        assert space.submit(job("one", completionMode="Indexed", suspend=True))["spec"]["completions"] == 1

    def test_more_failed_indexes_than_there_are(self, space: TestNamespace) -> None:
        """Such a limit is none."""
        limits: dict[str, Any] = {"backoffLimitPerIndex": 1, "maxFailedIndexes": 3}
        refusal = outcome_of(lambda: space.submit(job("most", completionMode="Indexed", completions=2, **limits)))

        assert [cause["field"] for cause in refusal.details["causes"]] == ["spec.maxFailedIndexes"]

    def test_is_identified(self, space: TestNamespace) -> None:
        """It has a uid, a version, an age and a generation."""
        metadata = space.submit(job("identified"))["metadata"]

        assert {"uid", "resourceVersion", "creationTimestamp"} <= metadata.keys()
        assert (space.name, 1) == (metadata["namespace"], metadata["generation"])

    def test_selects_its_pods_by_its_uid(self, space: TestNamespace) -> None:
        """The labels of its pods say whose they are, in the old words and the new."""
        made = space.submit(job("selecting"))

        uid, labels = made["metadata"]["uid"], made["spec"]["template"]["metadata"]["labels"]
        assert {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}} == made["spec"]["selector"]
        for prefix in ("", "batch.kubernetes.io/"):
            assert (uid, "selecting") == (labels[f"{prefix}controller-uid"], labels[f"{prefix}job-name"])

    def test_can_be_got(self, space: TestNamespace) -> None:
        """What was answered is what is stored."""
        made = space.submit(job("stored", suspend=True))

        assert made["metadata"]["uid"] == space.job("stored")["metadata"]["uid"]

    def test_dry_run_stores_nothing(self, space: TestNamespace) -> None:
        """It answers as if, with the defaults, and there is no Job."""
        made = space.submit(job("dry"), "?dryRun=All")

        assert made["spec"]["backoffLimit"] == 6
        assert outcome_of(lambda: space.job("dry")).status == 404

    @pytest.mark.parametrize("query", [pytest.param("", id="for good"), pytest.param("?dryRun=All", id="dry run")])
    def test_a_name_is_given_once(self, space: TestNamespace, query: str) -> None:
        """The second Job of a name is refused, and the first stays."""
        first = space.submit(job("twice", suspend=True))

        refusal = outcome_of(lambda: space.submit(job("twice"), query))

        assert refusal[:3] == (409, "AlreadyExists", 'jobs.batch "twice" already exists')
        assert first["metadata"]["uid"] == space.job("twice")["metadata"]["uid"]


def changed(manifest: Document, path: str, value: object) -> Document:
    """*manifest* with *value* at the dotted *path*; None takes the field away."""
    *steps, last = path.split(".")
    here: Any = manifest
    for step in steps:
        here = here[int(step)] if step.isdigit() else here.setdefault(step, {})
    here[last] = value
    if value is None:
        del here[last]
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
    def test_unknown_fields_are_refused(self, space: TestNamespace, path: str, field: str) -> None:
        """A misspelt field is named instead of dropped, and nothing is stored."""
        refusal = outcome_of(lambda: space.submit(changed(job("strict"), path, "red"), "?fieldValidation=Strict"))

        assert refusal[:2] == (400, "BadRequest")
        assert f'strict decoding error: unknown field "{field}"' in refusal.message
        assert outcome_of(lambda: space.job("strict")).status == 404

    def test_known_fields_pass(self, space: TestNamespace) -> None:
        """A Job that spells everything well is taken."""
        made = space.submit(job("spelt", ttlSecondsAfterFinished=60, suspend=True), "?fieldValidation=Strict")

        assert made["spec"]["ttlSecondsAfterFinished"] == 60


class TestInvalid:
    """Jobs that break the rules of their kind."""

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
            pytest.param("spec.backoffLimitPerIndex", 1, "spec.backoffLimitPerIndex", id="limit of no index"),
            pytest.param("spec.maxFailedIndexes", 1, "spec.maxFailedIndexes", id="failures of no index"),
            pytest.param(
                "spec.podFailurePolicy",
                {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3]}}]},
                "spec.podFailurePolicy.rules[0].action",
                id="rule for no index",
            ),
            pytest.param("metadata.name", "Upper_Case", "metadata.name", id="name's letters"),
            pytest.param("metadata.name", None, "metadata.name", id="no name of its own"),
        ],
    )
    def test_the_field_is_named(self, space: TestNamespace, path: str, value: object, field: str) -> None:
        """The refusal's causes say which field it is, and why."""
        refusal = outcome_of(lambda: space.submit(changed(job("invalid"), path, value)))

        assert refusal[:2] == (422, "Invalid")
        assert field in [cause["field"] for cause in refusal.details["causes"]]
        assert all(cause["message"] for cause in refusal.details["causes"])

    def test_every_fault_is_told(self, space: TestNamespace) -> None:
        """Two faults are two causes."""
        manifest = changed(job("two", backoffLimit=-1), f"{POD}.restartPolicy", "Always")

        causes = outcome_of(lambda: space.submit(manifest)).details["causes"]

        assert {"spec.backoffLimit", f"{POD}.restartPolicy"} == {cause["field"] for cause in causes}

    def test_a_name_too_long_for_a_label(self, space: TestNamespace) -> None:
        """Pods carry their Job's name as a label, so 63 characters are the most."""
        refusal = outcome_of(lambda: space.submit(job("a" * 64)))

        assert refusal[:2] == (422, "Invalid")
        assert space.submit(job("a" * 63, suspend=True))["metadata"]["name"] == "a" * 63


class TestMissing:
    """What is not there."""

    def test_job(self, space: TestNamespace) -> None:
        """The answer names what was asked for."""
        refusal = outcome_of(lambda: space.job("nobody"))

        assert refusal[:3] == (404, "NotFound", 'jobs.batch "nobody" not found')
        assert tuple(refusal.details[key] for key in ("name", "group", "kind")) == ("nobody", "batch", "jobs")

    def test_namespace_refuses_a_job_of_the_administrator(self, cluster_target: Target) -> None:
        """Who may do everything learns that there is none."""
        path = "/apis/batch/v1/namespaces/contract-missing/jobs"

        refusal = outcome_of(lambda: cluster_target.admin.create(path, job("lost")))

        assert refusal[:3] == (404, "NotFound", 'namespaces "contract-missing" not found')

    def test_namespace_has_no_jobs(self, cluster_target: Target) -> None:
        """A list of a namespace that is missing is empty."""
        assert cluster_target.admin.get("/apis/batch/v1/namespaces/contract-missing/jobs")["items"] == []

    @pytest.mark.parametrize("namespace", ["contract-missing", OTHERS])
    def test_namespace_refuses_a_caller(self, own_identity: JsonClient, namespace: str) -> None:
        """Who may do nothing there learns nothing, whether it is missing or not."""
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs"

        refusal = outcome_of(lambda: own_identity.request("POST", path, job("lost"), as_caller(SUBMITTERS)))

        assert refusal[:2] == (403, "Forbidden")
        assert 'jobs.batch is forbidden: User "researcher:api" cannot create resource "jobs"' in refusal.message
