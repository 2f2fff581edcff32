"""Checked names: what reaches a URL, a namespace or a label."""

from __future__ import annotations

import re

import pytest

from chalicelib.domain import names
from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.names import (
    NEW_JOB_PATTERN,
    RESERVED_DOMAINS,
    is_label_key,
    is_label_value,
    is_reserved_key,
    job_name,
    namespace_of,
    project_name,
)

NO_NAMES = [
    pytest.param("", id="empty"),
    pytest.param(".", id="the folder itself"),
    pytest.param("..", id="the folder above"),
    pytest.param("a/../b", id="a path"),
    pytest.param("a%2f", id="percent-encoded"),
    pytest.param("a?b", id="a query"),
    pytest.param("a#b", id="a fragment"),
    pytest.param("a\n", id="trailing newline"),
    pytest.param("\na", id="leading newline"),
    pytest.param("a\x00", id="NUL"),
    pytest.param("a b", id="space"),
    pytest.param("A", id="capital"),
    pytest.param("a_b", id="underscore"),
    pytest.param("-a", id="leading hyphen"),
    pytest.param("a-", id="trailing hyphen"),
    pytest.param("a,b", id="comma"),
    pytest.param("\u0663", id="unicode digit"),
    pytest.param("\uff41", id="full-width letter"),
    pytest.param("\u0131", id="dotless i"),
    pytest.param("\ud800", id="lone surrogate"),
]


class TestProjectName:
    """A Project's name: a DNS label whose namespace fits into 63 characters."""

    @pytest.mark.parametrize("text", ["a", "0", "a-b", "a--b", "team-a", "0" * 50])
    def test_dns_label_is_taken(self, text: str) -> None:
        """Lower-case letters, digits and inner hyphens make a Project's name."""
        assert text == project_name(text)

    @pytest.mark.parametrize("text", [*NO_NAMES, "a.b", "a" * 51])
    def test_anything_else_is_refused(self, text: str) -> None:
        """No other text gets past, whatever the cluster or a URL would make of it."""
        with pytest.raises(MalformedRequest):
            project_name(text)

    def test_refusal_says_where_and_what_but_does_not_repeat_the_text(self) -> None:
        """The error names the place that was passed, and the rule; the hostile text stays out of it."""
        with pytest.raises(MalformedRequest) as refused:
            project_name("CANARY", "/0/project")

        rule = "a Project's name has 1 to 50 lower-case letters, digits and inner hyphens"
        assert (FieldError("/0/project", rule),) == refused.value.errors
        assert "CANARY" not in str(refused.value.problem())

    def test_place_is_the_path_parameter_unless_told(self) -> None:
        """Names of a path are refused at `/project`."""
        with pytest.raises(MalformedRequest) as refused:
            project_name("")

        assert refused.value.errors[0].pointer == "/project"


class TestJobName:
    """The name of an existing Job, which kubectl may have made."""

    @pytest.mark.parametrize("text", ["a", "0", "a.b", "a-1.b-2", "a" * 253, "a.b.c.d"])
    def test_dns_subdomain_is_taken(self, text: str) -> None:
        """Kubernetes takes dots in a Job's name, so Jobs of such names can be had and deleted."""
        assert text == job_name(text)

    @pytest.mark.parametrize("text", [*NO_NAMES, "a..b", ".a", "a.", "a.-b", "a-.b", "a" * 254, "a." * 126 + "aa"])
    def test_anything_else_is_refused(self, text: str) -> None:
        """In particular nothing that names the collection, or another namespace, once it stands in a URL."""
        with pytest.raises(MalformedRequest):
            job_name(text)

    @pytest.mark.parametrize(("given", "pointer"), [((), "/name"), (("/3/name",), "/3/name")])
    def test_refusal_says_where(self, given: tuple[str, ...], pointer: str) -> None:
        """The place is `/name` unless told."""
        with pytest.raises(MalformedRequest) as refused:
            job_name("..", *given)

        assert pointer == refused.value.errors[0].pointer


class TestNamespaceOf:
    """Where a Project is on the cluster."""

    def test_namespace_is_prefixed(self) -> None:
        """No Project can be kube-system or default."""
        assert namespace_of(project_name("kube-system")) == "researcher-kube-system"

    def test_longest_project_fits(self) -> None:
        """A namespace has at most 63 characters."""
        assert len(namespace_of(project_name("a" * 50))) <= 63


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


class TestNewJobPattern:
    """The pattern of the names that new Jobs may have."""

    @pytest.mark.parametrize("name", ["a", "0", "train-1", "a" * 52])
    def test_names_are_host_names(self, name: str) -> None:
        """Short enough for what Kubernetes appends."""
        assert re.fullmatch(NEW_JOB_PATTERN, name)

    @pytest.mark.parametrize("name", ["", "a.b", "-a", "a-", "A", "a" * 53])
    def test_nothing_else_is_one(self, name: str) -> None:
        """Stricter than the name of a Job that exists."""
        assert not re.fullmatch(NEW_JOB_PATTERN, name)


def test_label_key_pattern_says_what_is_checked() -> None:
    """The pattern in the document and the check agree."""
    keys = ["team", "example.com/team", "", "/team", "example.com/", "a/b/c", "A/b", "XXteam-"]

    assert [bool(re.fullmatch(names.LABEL_KEY_PATTERN, key)) for key in keys] == [*map(is_label_key, keys)]


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (names.MANAGED_BY, "app.kubernetes.io/managed-by"),
        (names.OURS, "researcher-api"),
        (names.PROJECT_MARK, "researcher.dev/project"),
        (names.TYPE_MARK, "researcher.dev/type"),
        (names.USER_MARK, "researcher.dev/user"),
        (names.REQUEST_HASH, "researcher.dev/request-hash"),
        (names.KEY_HASH, "researcher.dev/idempotency-key-hash"),
        (names.UPLOADER_MARK, "researcher.dev/uploaded-by"),
        (names.SUBMISSION, "researcher.dev/submission"),
        (names.RETENTION, "researcher.dev/retention"),
        (names.SECRETS, "researcher.dev/secrets"),
        (names.KEEP, "researcher.dev/keep"),
        (names.HALF_MADE, "researcher.dev/half-made"),
        (names.JOB_UID_LABEL, "batch.kubernetes.io/controller-uid"),
        (names.JOB_NAME_LABEL, "batch.kubernetes.io/job-name"),
        (names.INDEX_MARK, "batch.kubernetes.io/job-completion-index"),
    ],
)
def test_marks_stay(mark: str, expected: str) -> None:
    """Jobs of yesterday, and the policies of a cluster, know them."""
    assert mark == expected


@pytest.mark.parametrize("domain", ["kubernetes.io", "k8s.io", "x-k8s.io", "amazonaws.com", "researcher.dev"])
def test_reserved_domain_is_reserved_with_all_below(domain: str) -> None:
    """Kubernetes, AWS and we give meanings to what stands there."""
    assert is_reserved_key(f"{domain}/a")
    assert is_reserved_key(f"below.{domain}/a")
