"""Labels and annotations: keys that stay the same, valid keys and values, reserved keys."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain import labels
from chalicelib.domain.labels import RESERVED_DOMAINS, is_label_key, is_label_value, is_reserved_key


class TestIsLabelValue:
    """What Kubernetes takes as the value of a label."""

    @pytest.mark.parametrize("text", ["", "a", "A", "0", "a_b", "a.b", "a--b", "a" * 63])
    def test_label_value(self, text: str) -> None:
        """At most 63 letters, digits and inner marks, or nothing at all."""
        assert is_label_value(text)

    @pytest.mark.parametrize("text", ["-a", "a-", "_a", "a.", "a b", "a/b", "a,b", "a=b", "a\n", "\n", "ä", "a" * 64])
    def test_no_label_value(self, text: str) -> None:
        """Nothing that could end a term of a selector, or that Kubernetes refuses."""
        assert not is_label_value(text)


class TestIsLabelKey:
    """What Kubernetes takes as the key of a label or an annotation."""

    @pytest.mark.parametrize(
        "text", ["a", "A_b", "a.b", "a" * 63, "x.y/a", "x/A", "x/" + "a" * 63, f"{'a' * 253}/a", "0/0"]
    )
    def test_label_key(self, text: str) -> None:
        """A name of at most 63 characters, behind a domain of at most 253 or none."""
        assert is_label_key(text)

    @pytest.mark.parametrize(
        "text", ["a" * 64, f"x/{'a' * 64}", f"{'a' * 254}/a"], ids=["name", "name behind", "domain"]
    )
    def test_too_long_for_a_label_key(self, text: str) -> None:
        """Each side has its own limit."""
        assert not is_label_key(text)

    @pytest.mark.parametrize(
        "text",
        ["", "/", "/a", "a/", "a/b/c", "x y/a", "X/a", "x..y/a", "x./a", "-a", "a-", "a\n", "x\n/a", "x/ä"],
    )
    def test_no_label_key(self, text: str) -> None:
        """Two slashes, an empty side, or a domain that is none."""
        assert not is_label_key(text)


class TestIsReservedKey:
    """Keys that mean something to Kubernetes, to AWS or to us."""

    @pytest.mark.parametrize("domain", RESERVED_DOMAINS)
    @pytest.mark.parametrize("under", ["", "batch.", "a.b."])
    def test_reserved_domain_and_everything_under_it(self, domain: str, under: str) -> None:
        """A user cannot set `batch.kubernetes.io/job-name`, nor any key of those domains."""
        assert is_reserved_key(f"{under}{domain}/anything")

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
    def test_keys_with_a_meaning(self, key: str) -> None:
        """Each of these changes what the cluster, AWS or this API does."""
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
    def test_others_are_the_users(self, key: str) -> None:
        """Looking alike is not being under the domain."""
        assert not is_reserved_key(key)


def test_label_key_pattern_says_what_is_checked() -> None:
    """The pattern in the document and the check agree."""
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
def test_keys_stay(key: str, expected: str) -> None:
    """Jobs of yesterday, and the policies of a cluster, know them."""
    assert key == expected


@pytest.mark.parametrize("domain", ["kubernetes.io", "k8s.io", "x-k8s.io", "amazonaws.com", "researcher.dev"])
def test_reserved_domain_is_reserved_with_all_below(domain: str) -> None:
    """Kubernetes, AWS and we give meanings to what stands there."""
    assert is_reserved_key(f"{domain}/a")
    assert is_reserved_key(f"below.{domain}/a")
