"""Tests of labels and annotations: stable keys, valid keys and values, reserved keys."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain import labels
from chalicelib.domain.labels import RESERVED_DOMAINS, is_label_key, is_label_value, is_reserved_key


class TestIsLabelValue:
    """Tests of is_label_value."""

    @pytest.mark.parametrize("text", ["", "a", "A", "0", "a_b", "a.b", "a--b", "a" * 63])
    def test_valid(self, text: str) -> None:
        """A value has at most 63 letters, digits and inner punctuation, or is empty."""
        assert is_label_value(text)

    @pytest.mark.parametrize("text", ["-a", "a-", "_a", "a.", "a b", "a/b", "a,b", "a=b", "a\n", "\n", "ä", "a" * 64])
    def test_invalid(self, text: str) -> None:
        """Values that Kubernetes rejects, or that could end a term of a selector, are invalid."""
        assert not is_label_value(text)


class TestIsLabelKey:
    """Tests of is_label_key."""

    @pytest.mark.parametrize(
        "text", ["a", "A_b", "a.b", "a" * 63, "x.y/a", "x/A", "x/" + "a" * 63, f"{'a' * 253}/a", "0/0"]
    )
    def test_valid(self, text: str) -> None:
        """A key has a name of at most 63 characters and optionally a domain of at most 253."""
        assert is_label_key(text)

    @pytest.mark.parametrize(
        "text", ["a" * 64, f"x/{'a' * 64}", f"{'a' * 254}/a"], ids=["name", "name after a domain", "domain"]
    )
    def test_too_long(self, text: str) -> None:
        """The name and the domain have separate limits."""
        assert not is_label_key(text)

    @pytest.mark.parametrize(
        "text",
        ["", "/", "/a", "a/", "a/b/c", "x y/a", "X/a", "x..y/a", "x./a", "-a", "a-", "a\n", "x\n/a", "x/ä"],
    )
    def test_invalid(self, text: str) -> None:
        """Two slashes, an empty name or domain, and an invalid domain are rejected."""
        assert not is_label_key(text)


class TestIsReservedKey:
    """Tests of is_reserved_key."""

    @pytest.mark.parametrize("domain", RESERVED_DOMAINS)
    @pytest.mark.parametrize("subdomain", ["", "batch.", "a.b."])
    def test_reserved_domain_and_its_subdomains(self, domain: str, subdomain: str) -> None:
        """All keys of a reserved domain and its subdomains are reserved."""
        assert is_reserved_key(f"{subdomain}{domain}/anything")

    @pytest.mark.parametrize(
        "key",
        [
            "researcher.dev/user",
            "app.kubernetes.io/managed-by",
            "kueue.x-k8s.io/queue-name",
            "eks.amazonaws.com/role-arn",
            "node.kubernetes.io/instance-type",
            "batch.kubernetes.io/job-name",
            "job-name",
            "controller-uid",
            "kai.scheduler/queue",
            "runai/queue",
            "run.ai/priority",
            "scheduling.run.ai/a",
            "scheduling.volcano.sh/queue-name",
            "volcano.sh/preemptable",
            "yunikorn.apache.org/queue",
            "karpenter.sh/do-not-disrupt",
            "karpenter.k8s.aws/a",
            "cluster-autoscaler.kubernetes.io/safe-to-evict",
            "pod-group.scheduling.sigs.k8s.io/name",
            "scheduling.x-k8s.io/pod-group",
            "priorityClassName",
            "project",
        ],
    )
    def test_reserved(self, key: str) -> None:
        """Keys that change the behaviour of the cluster, AWS or this API are reserved."""
        assert is_reserved_key(key)

    @pytest.mark.parametrize(
        "key",
        [
            "team",
            "researcher.dev",
            "kubernetes.io",
            "notkubernetes.io/a",
            "kubernetes.io.example.com/a",
            "job-name2",
            "example.com/job-name",
            "my-researcher.dev/a",
            "k8s.ioo/a",
            "mykai.scheduler/x",
            "kueue",
            "runai",
            "runai.example.com/a",
            "example.com/project",
            "Project",
            "priorityclassname",
            "user",
            "queue",
            "applicationId",
        ],
    )
    def test_similar_key_is_not_reserved(self, key: str) -> None:
        """A domain is reserved only with its own subdomains."""
        assert not is_reserved_key(key)


def test_label_key_pattern_agrees_with_the_check() -> None:
    """The pattern in the OpenAPI document accepts the same keys as the validation."""
    keys = ["team", "example.com/team", "", "/team", "example.com/", "a/b/c", "A/b", "XXteam-"]

    assert [bool(re.fullmatch(labels.LABEL_KEY_PATTERN, key)) for key in keys] == [*map(is_label_key, keys)]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (labels.MANAGED_BY_LABEL, "app.kubernetes.io/managed-by"),
        (labels.MANAGED_BY_VALUE, "researcher-api"),
        (labels.PROJECT_LABEL, "researcher.dev/project"),
        (labels.JOB_TYPE_LABEL, "researcher.dev/type"),
        (labels.USER_LABEL, "researcher.dev/user"),
        (labels.REQUEST_HASH_ANNOTATION, "researcher.dev/request-hash"),
        (labels.KEY_HASH_ANNOTATION, "researcher.dev/idempotency-key-hash"),
        (labels.KEY_LABEL, "researcher.dev/idempotency-key"),
        (labels.UPLOADED_BY_ANNOTATION, "researcher.dev/uploaded-by"),
        (labels.SUBMISSION_ANNOTATION, "researcher.dev/submission"),
        (labels.RETENTION_ANNOTATION, "researcher.dev/retention"),
        (labels.SECRETS_ANNOTATION, "researcher.dev/secrets"),
        (labels.KEEP_LABEL, "researcher.dev/keep"),
        (labels.INCOMPLETE_ANNOTATION, "researcher.dev/incomplete"),
        (labels.JOB_UID_LABEL, "batch.kubernetes.io/controller-uid"),
        (labels.JOB_NAME_LABEL, "batch.kubernetes.io/job-name"),
        (labels.COMPLETION_INDEX_LABEL, "batch.kubernetes.io/job-completion-index"),
    ],
)
def test_keys_are_stable(key: str, expected: str) -> None:
    """Existing Jobs and policies in clusters depend on the keys."""
    assert key == expected


@pytest.mark.parametrize("domain", ["kubernetes.io", "k8s.io", "x-k8s.io", "amazonaws.com", "researcher.dev"])
def test_subdomain_of_a_reserved_domain_is_reserved(domain: str) -> None:
    """Subdomains are reserved like the domain itself."""
    assert is_reserved_key(f"{domain}/a")
    assert is_reserved_key(f"sub.{domain}/a")
