"""What platform engineers apply: base/ and one Project's manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml

from chalicelib.adapters.kubernetes.impersonation import PREFLIGHT_USER
from chalicelib.domain.caller import caller_from_claims
from chalicelib.domain.kubernetes.jobs import Namespace
from chalicelib.domain.labels import PROJECT_LABEL, RESERVED_DOMAINS, SECRETS_ANNOTATION
from chalicelib.domain.manifest.job import PREEMPTIBLE
from chalicelib.domain.names import namespace_of, project_name
from chalicelib.domain.submission.device_variables import DEVICE_PREFIXES, DEVICE_VARIABLES
from chalicelib.domain.submission.listed_secrets import listed_secrets
from infra.kubernetes.project import BASE, base_manifests, main, project_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GROUPS = ["team-a", "a b", "/org/team", "user@example.com", "A.b_c|d:e+f=g~h", "x" * 128]
NO_GROUPS = ["", " a", "ümlaut", "a\nb", "a\x00", "a,b", "a\n", "x" * 129]
NO_PROJECTS = ["", "Team", "team_a", "-a", "a-", "a.b", "a/b", "a\n", "x" * 51, "ä"]
NO_SECRETS = ["", "a,b", "A", "-a", "a" * 254, "a\n", "a/b"]
NO_STORAGE = ["", "0Ti", "10", "10T", "-1Ti", "1.5Ti", "10Ti\n"]
NO_BUCKETS = ["", "ab", "Up", "a_b", "-ab", "x" * 64]
RESERVED = ["janitor", "anonymous", "s3-uploads", "s3-"]


def find(manifests: Iterable[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """The one manifest of *kind* with *name*."""
    (found,) = (one for one in manifests if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def project(*arguments: Any, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - passed on as they are
    """The manifests of a Project, to look into."""
    return project_manifests(*arguments, **options)


def subjects(binding: dict[str, Any]) -> list[str]:
    """Whom *binding* gives its role to: groups, and in dry runs one user."""
    users = [one["name"] for one in binding.get("subjects", []) if one["kind"] != "Group"]
    assert users in ([], [PREFLIGHT_USER])
    return [one["name"] for one in binding.get("subjects", [])]


def rules(manifests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rules of all roles."""
    return [rule for one in manifests for rule in one.get("rules", [])]


class TestBase:
    """What a cluster needs once."""

    def test_names_every_file(self) -> None:
        """A file beside the kustomization that it does not name would never be applied."""
        named = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]

        assert sorted(named) == sorted(path.name for path in BASE.glob("*.yaml") if path.stem != "kustomization")

    def test_every_manifest_says_why(self) -> None:
        """A reader of base/ finds a reason above each object."""
        for path in BASE.glob("*.yaml"):
            for document in path.read_text().split("\n---\n"):
                assert document.startswith("# "), path.name

    def test_no_rule_is_open(self) -> None:
        """No wildcard, no deletion of whole collections, no Secrets."""
        for rule in rules(base_manifests()):
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "deletecollection" not in rule["verbs"]
            assert "secrets" not in rule["resources"]

    def test_the_preflight_makes_nothing(self) -> None:
        """Whoever may create pods may run anything: a policy lets that user try alone, whatever else fails."""
        policy = find(base_manifests(), "ValidatingAdmissionPolicy", "researcher-preflight")["spec"]
        binding = find(base_manifests(), "ValidatingAdmissionPolicyBinding", "researcher-preflight")["spec"]

        assert policy["failurePolicy"] == "Fail"
        assert f"'{PREFLIGHT_USER}'" in policy["matchConditions"][0]["expression"]
        assert binding == {"policyName": "researcher-preflight", "validationActions": ["Deny"]}

    def test_policies_bind_every_project(self) -> None:
        """Where they cannot be evaluated, nothing is made; and they name what the API refuses and renders."""
        for name in ("researcher-jobs", "researcher-services"):
            policy = find(base_manifests(), "ValidatingAdmissionPolicy", name)["spec"]
            binding = find(base_manifests(), "ValidatingAdmissionPolicyBinding", name)["spec"]
            assert binding == {"policyName": name, "validationActions": ["Deny"]}
            assert policy["failurePolicy"] == "Fail"
            (selected,) = policy["matchConstraints"]["namespaceSelector"]["matchExpressions"]
            assert selected == {"key": PROJECT_LABEL, "operator": "Exists"}
        written = yaml.safe_dump(find(base_manifests(), "ValidatingAdmissionPolicy", "researcher-jobs"), width=10**6)
        assert all(name in written for name in (*DEVICE_VARIABLES, *DEVICE_PREFIXES, PREEMPTIBLE, SECRETS_ANNOTATION))

    def test_viewers_have_what_submitters_have_but_writes(self) -> None:
        """Whatever a submitter may read, a viewer may read."""
        writes = {"create", "patch", "delete"}
        submitter, viewer = (
            find(base_manifests(), "ClusterRole", name)["rules"]
            for name in ("researcher-submitter", "researcher-viewer")
        )

        reads = [{**rule, "verbs": [verb for verb in rule["verbs"] if verb not in writes]} for rule in submitter]
        assert viewer == [rule for rule in reads if rule["verbs"]]

    def test_preemptible_jobs_are_below_all_others(self) -> None:
        """The class that Jobs name exists, below the default priority of 0."""
        assert find(base_manifests(), "PriorityClass", PREEMPTIBLE)["value"] < 0


class TestProject:
    """One Project's manifests."""

    def test_the_namespace_is_a_project(self) -> None:
        """The API finds it by its label, under the name it derives; the cluster, too, refuses what we never render."""
        namespace = find(project("team-a", ["g"]), "Namespace", namespace_of(project_name("team-a")))

        labels = namespace["metadata"]["labels"]
        assert labels[PROJECT_LABEL] == "team-a"
        assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "warn", "audit")} == {"restricted"}

    def test_gpus_are_held_by_quota(self) -> None:
        """The number asked for is the number enforced."""
        quota = find(project("team-a", ["g"], gpus=16), "ResourceQuota", "researcher-project")

        assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == "16"

    def test_what_costs_is_bounded(self) -> None:
        """Storage, claims and Services; none is published, and no pod has a priority of the cluster's own."""
        manifests = project("team-a", ["g"], storage="5Ti")
        hard = find(manifests, "ResourceQuota", "researcher-project")["spec"]["hard"]
        critical = find(manifests, "ResourceQuota", "researcher-project-priorities")["spec"]

        assert hard == {
            "requests.nvidia.com/gpu": "8",
            "requests.storage": "5Ti",
            "persistentvolumeclaims": "1k",
            "count/jobs.batch": "2k",
            "count/services": "2k",
            "services.loadbalancers": "0",
            "services.nodeports": "0",
            "pods": "500",
        }
        (scope,) = critical["scopeSelector"]["matchExpressions"]
        assert (critical["hard"], scope["values"]) == (
            {"pods": "0"},
            ["system-cluster-critical", "system-node-critical"],
        )

    def test_containers_have_limits(self) -> None:
        """Those that ask for none, too; a default above the request, and no maximum that would refuse a larger Job."""
        container, claim = find(project("team-a", ["g"]), "LimitRange", "researcher-project")["spec"]["limits"]

        assert container == {
            "type": "Container",
            "defaultRequest": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "1Gi"},
            "default": {"memory": "16Gi", "ephemeral-storage": "50Gi"},
        }
        assert claim == {"type": "PersistentVolumeClaim", "max": {"storage": "64Ti"}}

    @pytest.mark.parametrize(("secrets", "listed"), [((), ""), (("wandb", "hf-token", "wandb"), "hf-token,wandb")])
    def test_secrets_are_listed(self, secrets: tuple[str, ...], listed: str) -> None:
        """Always, so that applying it again takes one away; what is written is what the API reads."""
        (namespace, *_) = project("team-a", ["g"], secrets=secrets)

        assert namespace["metadata"]["annotations"] == {"researcher.dev/secrets": listed}
        assert listed_secrets(msgspec.convert(namespace, Namespace)) == set(secrets)

    def test_metadata_services_are_out_of_reach(self) -> None:
        """AWS credentials are excepted from all that may be reached; only the namespace's pods are let in."""
        policy = find(project("team-a", ["g"]), "NetworkPolicy", "researcher-project")

        blocks = [one["ipBlock"] for rule in policy["spec"]["egress"] for one in rule["to"] if "ipBlock" in one]
        assert {block["cidr"]: block["except"] for block in blocks} == {
            "0.0.0.0/0": ["169.254.169.254/32", "169.254.170.23/32"],
            "::/0": ["fd00:ec2::254/128", "fd00:ec2::23/128"],
        }
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        assert policy["spec"]["ingress"] == [{"from": [{"podSelector": {}}]}]

    def test_groups_get_their_roles_in_this_namespace_only(self) -> None:
        """Every RoleBinding lies in the Project, and no ClusterRoleBinding names a caller's group."""
        manifests = project("team-a", ["g"], ["v"], uploads_bucket="ups")
        bindings = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "RoleBinding"}

        assert {name: subjects(one) for name, one in bindings.items()} == {
            "researcher-submitter": ["researcher:g", "researcher:s3-ups"],
            "researcher-viewer": ["researcher:v"],
            "researcher-janitor": ["researcher:janitor"],
            "researcher-preflight": [PREFLIGHT_USER],
        }
        assert {one["metadata"]["namespace"] for one in bindings.values()} == {"researcher-team-a"}
        assert all(one["roleRef"]["name"] == name for name, one in bindings.items())
        assert [subjects(one) for one in manifests if one["kind"] == "ClusterRoleBinding"] == [["researcher-api"]]

    def test_roles_named_are_in_base(self) -> None:
        """A binding to a role that does not exist would be refused to nobody and give nothing.

        Without viewers their binding is empty: one that is left out would stay on the cluster.
        """
        manifests = project("team-a", ["g"])
        assert subjects(find(manifests, "RoleBinding", "researcher-viewer")) == []
        roles = {one["metadata"]["name"] for one in (*base_manifests(), *manifests) if one["kind"] == "ClusterRole"}

        assert {one["roleRef"]["name"] for one in manifests if "roleRef" in one} <= roles


class TestRefusals:
    """Names that cannot be one."""

    @pytest.mark.parametrize(
        ("values", "options", "why"),
        [
            pytest.param(NO_PROJECTS, lambda name: {"project": name}, "is no Project", id="a label behind the prefix"),
            pytest.param(NO_GROUPS, lambda group: {"viewers": [group]}, "is no group", id="what no token may name"),
            pytest.param(RESERVED, lambda group: {"submitters": [group]}, "is reserved", id="our own identities"),
            pytest.param(NO_BUCKETS, lambda bucket: {"uploads_bucket": bucket}, "is no bucket", id="S3's rules"),
            pytest.param([[]], lambda groups: {"submitters": groups}, "needs a group", id="would allow every group"),
            pytest.param(
                NO_SECRETS, lambda name: {"secrets": [name]}, "is no name of a Secret", id="Kubernetes' rules"
            ),
            pytest.param(NO_STORAGE, lambda storage: {"storage": storage}, "is no amount", id="a quantity"),
            pytest.param([-1], lambda gpus: {"gpus": gpus}, "fewer than 0", id="a slip"),
        ],
    )
    def test_odd_names(self, values: list[object], options: Callable[[object], dict[str, Any]], why: str) -> None:
        """Each is refused in words of its own."""
        for value in values:
            with pytest.raises(ValueError, match=why):
                project(**{"project": "team-a", "submitters": ["g"], **options(value)})

    @pytest.mark.parametrize("group", GROUPS)
    def test_group_that_tokens_may_name(self, group: str) -> None:
        """The same groups pass here and in a token."""
        claims = {"sub": "alice", "groups": [group]}
        caller = caller_from_claims(claims, subject_claim="sub", groups_claim="groups", scope_prefix="researcher/")

        assert subjects(find(project("team-a", [group]), "RoleBinding", "researcher-submitter")) == list(
            caller.kubernetes_groups
        )


class TestCommand:
    """`python -m infra.kubernetes.project`."""

    def test_prints_the_manifests_each_with_its_reason(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The stream is what the function returns, and a reader learns why each object is there."""
        options = ["--gpus", "16", "--uploads-bucket", "ups", "--storage", "1Ti", "--secrets", "hub", "wandb"]
        main(["x" * 50, "--submitters", "g", "a b", "--viewers", "v", *options])

        printed = capsys.readouterr().out
        asked = {"gpus": 16, "uploads_bucket": "ups", "storage": "1Ti", "secrets": ["hub", "wandb"]}
        assert list(yaml.safe_load_all(printed)) == project("x" * 50, ["g", "a b"], ["v"], **asked)
        assert all(document.startswith("\n# ") for document in printed.split("---")[1:])

    def test_says_what_is_wrong(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A refused name ends with usage, nothing printed, and no traceback."""
        with pytest.raises(SystemExit) as ended:
            main(["Team", "--submitters", "g"])

        printed = capsys.readouterr()
        assert (ended.value.code, printed.out) == (2, "")
        assert "'Team' is no Project" in printed.err


@pytest.mark.parametrize(
    "domain", ["kai.scheduler", "run.ai", "runai", "volcano.sh", "yunikorn.apache.org", "karpenter.sh"]
)
def test_policy_refuses_the_keys_of_schedulers(domain: str) -> None:
    """Those that the API reserves are refused of kubectl, too."""
    assert domain in RESERVED_DOMAINS
    assert f"'{domain}/'" in (BASE / "jobs.yaml").read_text("utf-8")
