"""The manifests that platform engineers apply: base/ and those of one Project."""

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
from tests.support.builders import token_issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GROUPS = ["team-a", "a b", "/org/team", "user@example.com", "A.b_c|d:e+f=g~h", "x" * 128]
INVALID_GROUPS = ["", " a", "ümlaut", "a\nb", "a\x00", "a,b", "a\n", "x" * 129]
INVALID_PROJECTS = ["", "Team", "team_a", "-a", "a-", "a.b", "a/b", "a\n", "x" * 51, "ä"]
INVALID_SECRETS = ["", "a,b", "A", "-a", "a" * 254, "a\n", "a/b"]
INVALID_STORAGE = ["", "0Ti", "10", "10T", "-1Ti", "1.5Ti", "10Ti\n"]
INVALID_BUCKETS = ["", "ab", "Up", "a_b", "-ab", "x" * 64]
RESERVED = ["janitor", "anonymous", "s3-uploads", "s3-"]


def find(manifests: Iterable[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """Return the manifest of *kind* with *name*."""
    (found,) = (each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def project(*arguments: Any, **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - passed on as they are
    """Return the manifests of a Project, with a type that tests can index."""
    return project_manifests(*arguments, **options)


def subjects(binding: dict[str, Any]) -> list[str]:
    """Return the subjects of *binding*: groups, or the user of the preflight."""
    users = [each["name"] for each in binding.get("subjects", []) if each["kind"] != "Group"]
    assert users in ([], [PREFLIGHT_USER])
    return [each["name"] for each in binding.get("subjects", [])]


def rules(manifests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all rules of all roles."""
    return [rule for each in manifests for rule in each.get("rules", [])]


class TestBase:
    """The manifests that a cluster needs once."""

    def test_kustomization_lists_every_file(self) -> None:
        """The kustomization lists every file, because others would never be applied."""
        named = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]

        assert sorted(named) == sorted(path.name for path in BASE.glob("*.yaml") if path.stem != "kustomization")

    def test_every_manifest_has_a_comment(self) -> None:
        """Each object in base/ has a comment."""
        for path in BASE.glob("*.yaml"):
            for document in path.read_text().split("\n---\n"):
                assert document.startswith("# "), path.name

    def test_no_rule_is_too_broad(self) -> None:
        """No rule has a wildcard, deletes collections or reads Secrets."""
        for rule in rules(base_manifests()):
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "deletecollection" not in rule["verbs"]
            assert "secrets" not in rule["resources"]

    def test_preflight_user_is_limited_to_dry_runs(self) -> None:
        """The policy limits the preflight user to dry runs of pods, and denies requests if it cannot be evaluated."""
        policy = find(base_manifests(), "ValidatingAdmissionPolicy", "researcher-preflight")["spec"]
        binding = find(base_manifests(), "ValidatingAdmissionPolicyBinding", "researcher-preflight")["spec"]

        assert policy["failurePolicy"] == "Fail"
        assert f"'{PREFLIGHT_USER}'" in policy["matchConditions"][0]["expression"]
        assert binding == {"policyName": "researcher-preflight", "validationActions": ["Deny"]}

    def test_policies_bind_every_project(self) -> None:
        """Policies apply to every Project, deny if they cannot be evaluated, and list the reserved names."""
        for name in ("researcher-jobs", "researcher-services"):
            policy = find(base_manifests(), "ValidatingAdmissionPolicy", name)["spec"]
            binding = find(base_manifests(), "ValidatingAdmissionPolicyBinding", name)["spec"]
            assert binding == {"policyName": name, "validationActions": ["Deny"]}
            assert policy["failurePolicy"] == "Fail"
            (selected,) = policy["matchConstraints"]["namespaceSelector"]["matchExpressions"]
            assert selected == {"key": PROJECT_LABEL, "operator": "Exists"}
        written = yaml.safe_dump(find(base_manifests(), "ValidatingAdmissionPolicy", "researcher-jobs"), width=10**6)
        assert all(name in written for name in (*DEVICE_VARIABLES, *DEVICE_PREFIXES, PREEMPTIBLE, SECRETS_ANNOTATION))

    def test_viewers_have_the_read_permissions_of_submitters(self) -> None:
        """Viewers have all read permissions of submitters."""
        writes = {"create", "patch", "delete"}
        submitter, viewer = (
            find(base_manifests(), "ClusterRole", name)["rules"]
            for name in ("researcher-submitter", "researcher-viewer")
        )

        reads = [{**rule, "verbs": [verb for verb in rule["verbs"] if verb not in writes]} for rule in submitter]
        assert viewer == [rule for rule in reads if rule["verbs"]]

    def test_preemptible_jobs_are_below_all_others(self) -> None:
        """The PriorityClass of preemptible Jobs exists, below the default priority of 0."""
        assert find(base_manifests(), "PriorityClass", PREEMPTIBLE)["value"] < 0


class TestProject:
    """The manifests of one Project."""

    def test_the_namespace_is_a_project(self) -> None:
        """The namespace has the label and the name that the API expects, and Pod Security is restricted."""
        namespace = find(project("team-a", ["g"]), "Namespace", namespace_of(project_name("team-a")))

        labels = namespace["metadata"]["labels"]
        assert labels[PROJECT_LABEL] == "team-a"
        assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "warn", "audit")} == {"restricted"}

    def test_quota_limits_gpus(self) -> None:
        """The quota limits GPUs to the given number."""
        quota = find(project("team-a", ["g"], gpus=16), "ResourceQuota", "researcher-project")

        assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == "16"

    def test_quotas_limit_other_resources(self) -> None:
        """The quotas limit storage, claims and Services, forbid exposed Services and pods with system priorities."""
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
        """The defaults set limits above the requests, and no maximum that would reject a larger Job."""
        container, claim = find(project("team-a", ["g"]), "LimitRange", "researcher-project")["spec"]["limits"]

        assert container == {
            "type": "Container",
            "defaultRequest": {"cpu": "1", "memory": "4Gi", "ephemeral-storage": "1Gi"},
            "default": {"memory": "16Gi", "ephemeral-storage": "50Gi"},
        }
        assert claim == {"type": "PersistentVolumeClaim", "max": {"storage": "64Ti"}}

    @pytest.mark.parametrize(("secrets", "listed"), [((), ""), (("wandb", "hf-token", "wandb"), "hf-token,wandb")])
    def test_secrets_are_listed(self, secrets: tuple[str, ...], listed: str) -> None:
        """The annotation lists the Secrets even if there are none, so that applying it again removes old ones."""
        (namespace, *_) = project("team-a", ["g"], secrets=secrets)

        assert namespace["metadata"]["annotations"] == {"researcher.dev/secrets": listed}
        assert listed_secrets(msgspec.convert(namespace, Namespace)) == set(secrets)

    def test_egress_to_credentials_is_blocked(self) -> None:
        """Egress to AWS credentials is blocked, and ingress is allowed only from the namespace's pods."""
        policy = find(project("team-a", ["g"]), "NetworkPolicy", "researcher-project")

        blocks = [each["ipBlock"] for rule in policy["spec"]["egress"] for each in rule["to"] if "ipBlock" in each]
        assert {block["cidr"]: block["except"] for block in blocks} == {
            "0.0.0.0/0": ["169.254.169.254/32", "169.254.170.23/32"],
            "::/0": ["fd00:ec2::254/128", "fd00:ec2::23/128"],
        }
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        assert policy["spec"]["ingress"] == [{"from": [{"podSelector": {}}]}]

    def test_roles_are_bound_only_in_the_namespace(self) -> None:
        """Every RoleBinding is in the Project, and no ClusterRoleBinding has a caller's group."""
        manifests = project("team-a", ["g"], ["v"], uploads_bucket="ups")
        bindings = {each["metadata"]["name"]: each for each in manifests if each["kind"] == "RoleBinding"}

        assert {name: subjects(each) for name, each in bindings.items()} == {
            "researcher-submitter": ["researcher:g", "researcher:s3-ups"],
            "researcher-viewer": ["researcher:v"],
            "researcher-janitor": ["researcher:janitor"],
            "researcher-preflight": [PREFLIGHT_USER],
        }
        assert {each["metadata"]["namespace"] for each in bindings.values()} == {"researcher-team-a"}
        assert all(each["roleRef"]["name"] == name for name, each in bindings.items())
        assert [subjects(each) for each in manifests if each["kind"] == "ClusterRoleBinding"] == [["researcher-api"]]

    def test_bound_roles_exist(self) -> None:
        """The role of each binding exists: Kubernetes accepts a binding without one, which then grants nothing.

        Without viewers their binding has no subjects, because a binding that is left out would stay on the cluster.
        """
        manifests = project("team-a", ["g"])
        assert subjects(find(manifests, "RoleBinding", "researcher-viewer")) == []
        roles = {each["metadata"]["name"] for each in (*base_manifests(), *manifests) if each["kind"] == "ClusterRole"}

        assert {each["roleRef"]["name"] for each in manifests if "roleRef" in each} <= roles


class TestInvalidOptions:
    """Invalid options."""

    @pytest.mark.parametrize(
        ("values", "options", "message"),
        [
            pytest.param(INVALID_PROJECTS, lambda name: {"project": name}, "must be 1 to 50", id="Project"),
            pytest.param(INVALID_GROUPS, lambda group: {"viewers": [group]}, "is not valid in a token", id="group"),
            pytest.param(RESERVED, lambda group: {"submitters": [group]}, "is reserved", id="reserved group"),
            pytest.param(
                INVALID_BUCKETS, lambda bucket: {"uploads_bucket": bucket}, "valid S3 bucket name", id="bucket"
            ),
            pytest.param([[]], lambda groups: {"submitters": groups}, "needs at least one group", id="no groups"),
            pytest.param(INVALID_SECRETS, lambda name: {"secrets": [name]}, "DNS subdomain name", id="Secret"),
            pytest.param(INVALID_STORAGE, lambda storage: {"storage": storage}, "must be a quantity", id="storage"),
            pytest.param([-1], lambda gpus: {"gpus": gpus}, "at least 0", id="GPUs"),
        ],
    )
    def test_invalid_value_is_rejected(
        self, values: list[object], options: Callable[[object], dict[str, Any]], message: str
    ) -> None:
        """Each invalid value is rejected with a specific message."""
        for value in values:
            with pytest.raises(ValueError, match=message):
                project(**{"project": "team-a", "submitters": ["g"], **options(value)})

    @pytest.mark.parametrize("group", GROUPS)
    def test_group_of_a_token_is_valid(self, group: str) -> None:
        """A group that is valid in a token is valid here."""
        claims = {"sub": "alice", "groups": [group]}
        caller = caller_from_claims(claims, token_issuer("https://issuer.example.com"))

        assert subjects(find(project("team-a", [group]), "RoleBinding", "researcher-submitter")) == list(
            caller.kubernetes_groups
        )


class TestCommand:
    """`python -m infra.kubernetes.project`."""

    def test_prints_the_manifests_with_comments(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The output has the manifests that the function returns, each with a comment."""
        options = ["--gpus", "16", "--uploads-bucket", "ups", "--storage", "1Ti", "--secrets", "hub", "wandb"]
        main(["x" * 50, "--submitters", "g", "a b", "--viewers", "v", *options])

        printed = capsys.readouterr().out
        keywords = {"gpus": 16, "uploads_bucket": "ups", "storage": "1Ti", "secrets": ["hub", "wandb"]}
        assert list(yaml.safe_load_all(printed)) == project("x" * 50, ["g", "a b"], ["v"], **keywords)
        assert all(document.startswith("\n# ") for document in printed.split("---")[1:])

    def test_invalid_name_is_reported(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An invalid name prints the usage and no manifests or traceback."""
        with pytest.raises(SystemExit) as ended:
            main(["Team", "--submitters", "g"])

        printed = capsys.readouterr()
        assert (ended.value.code, printed.out) == (2, "")
        assert "The Project 'Team' must be" in printed.err


@pytest.mark.parametrize(
    "domain", ["kai.scheduler", "run.ai", "runai", "volcano.sh", "yunikorn.apache.org", "karpenter.sh"]
)
def test_policy_rejects_the_keys_of_schedulers(domain: str) -> None:
    """The policy rejects the keys of schedulers that the API reserves."""
    assert domain in RESERVED_DOMAINS
    assert f"'{domain}/'" in (BASE / "jobs.yaml").read_text("utf-8")
