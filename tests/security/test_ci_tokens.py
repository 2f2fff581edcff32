"""Tokens of CI services and pods, with the guide's entries: each submits into its own Project, and into no other."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chalicelib.domain.labels import USER_ANNOTATION
from infra.kubernetes.project import project_manifests
from infra.local.issuer import AUDIENCE, Issuer
from infra.localcluster.kinds import JOB
from tests.security.hostile_tokens import bearer
from tests.security.providers import PROVIDERS, guide_entry
from tests.security.sending import send_raw
from tests.security.trusted_issuers import trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

pytestmark = pytest.mark.attack("tokens")

PROJECTS = {
    "ci-github": ("github:74@production", "GitHub Actions"),
    "ci-github-staging": ("github:74@staging", "GitHub Actions"),
    "ci-gitlab": ("gitlab:20@production", "GitLab CI"),
    "ci-pods": ("eks:system:serviceaccount:ci:runner", "The EKS cluster"),
}
"""The group of each Project, and the issuer of its tokens."""


class Services(NamedTuple):
    """The issuers by their names in the guide, and the API that trusts them."""

    stack: Stack[Any]
    issuers: dict[str, Issuer]

    def submits_into(self, name: str, **changes: object) -> set[str]:
        """Return the Projects into which a token of the issuer *name* with *changes* submits; None removes a claim."""
        now = int(time.time())
        issuer = self.issuers[name]
        claims = {"iat": now, "nbf": now, "exp": now + 300, **PROVIDERS[name].claims, "iss": issuer.url, **changes}
        payload = json.dumps({claim: value for claim, value in claims.items() if value is not None})
        headers = bearer(issuer.keys.sign(payload.encode()))
        replies = {
            project: send_raw(self.stack, "POST", "/jobs", headers, {"project": project, "image": "busybox"}).status
            for project in [*PROJECTS, "team-a"]
        }
        assert set(replies.values()) <= {201, 401, 403}
        return {project for project, status in replies.items() if status == 201}


@pytest.fixture(scope="module")
def services(stack: Stack[Any]) -> Iterator[Services]:
    """Trust the issuers of the guide that need no secret, on loopback, beside one for people."""
    with ExitStack() as started:
        issuers = {name: Issuer({}) for name in ("GitHub Actions", "GitLab CI", "The EKS cluster")}
        for issuer in issuers.values():
            issuer.start()
            started.callback(issuer.close)
        for project, (group, _) in PROJECTS.items():
            stack.cluster.apply(project_manifests(project, [group], gpus=16))
        entries = [guide_entry(name) | {"issuer": issuer.url} for name, issuer in issuers.items()]
        people = {"issuer": stack.issuer.url, "audiences": [AUDIENCE], "prefix": "sso:"}
        started.enter_context(trusted(stack, *entries, people))
        yield Services(stack, issuers)


@pytest.mark.parametrize("project", ["ci-github", "ci-gitlab", "ci-pods"])
def test_submits_into_its_own_project(services: Services, project: str) -> None:
    """The documented token submits into the Project that its repository or service account is bound to."""
    assert services.submits_into(PROJECTS[project][1]) == {project}


@pytest.mark.parametrize(
    ("name", "changes", "projects"),
    [
        ("GitHub Actions", {"environment": "staging"}, {"ci-github-staging"}),
        ("GitHub Actions", {"environment": "Production"}, set()),
        ("GitHub Actions", {"environment": "production "}, set()),
        ("GitHub Actions", {"environment": "production@x"}, set()),
        ("GitHub Actions", {"environment": "74@production"}, set()),
        ("GitHub Actions", {"environment": "*"}, set()),
        ("GitHub Actions", {"environment": None}, set()),
        ("GitHub Actions", {"repository_id": "75"}, set()),
        ("GitHub Actions", {"repository_id": "20"}, set()),
        ("GitHub Actions", {"repository_id": "74@production", "environment": ""}, set()),
        ("GitHub Actions", {"repository_id": "75", "repository_owner_id": "74"}, set()),
        ("GitHub Actions", {"repository_id": "75", "groups": ["74@production", "team-a"]}, set()),
        ("GitHub Actions", {"repository_id": "75", "scope": "researcher/74@production"}, set()),
        ("GitHub Actions", {"aud": "https://github.com/acme"}, set()),
        ("GitHub Actions", {"ref": "refs/heads/other", "sub": "repo:acme/train:ref:x"}, {"ci-github"}),
        ("GitHub Actions", {"repository": "renamed/train"}, {"ci-github"}),
        ("GitLab CI", {"project_id": "74"}, set()),
        ("GitLab CI", {"project_id": 20}, {"ci-gitlab"}),
        ("GitLab CI", {"project_id": "21", "groups_direct": ["20@production"]}, set()),
        ("GitLab CI", {"environment": None}, set()),
        ("GitLab CI", {"environment": "review/feature-1"}, set()),
        ("The EKS cluster", {"sub": "system:serviceaccount:ci:other"}, set()),
        ("The EKS cluster", {"sub": "system:serviceaccount:ci"}, set()),
        ("The EKS cluster", {"aud": ["https://kubernetes.default.svc"]}, set()),
    ],
    ids=str,
)
def test_other_claims(services: Services, name: str, changes: dict[str, Any], projects: set[str]) -> None:
    """Another repository or environment is bound to another Project or to none; what is not in the template is free."""
    assert services.submits_into(name, **changes) == projects


def test_job_names_its_repository(services: Services) -> None:
    """The user of a Job is the repository, with the prefix of the issuer."""
    services.submits_into("GitHub Actions")
    people = bearer(services.stack.issuer.mint("alice"))

    jobs = services.stack.cluster.find(JOB, "researcher-ci-github")

    assert "github:acme/train" in {job["metadata"]["annotations"][USER_ANNOTATION] for job in jobs}
    assert send_raw(services.stack, "GET", "/jobs/ci-github", people).status == 403
