"""The identity of the API on the cluster: what it asks, and how it reads the answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.adapters.kubernetes.own_identity import OwnIdentity
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable, CredentialsUnavailable
from tests.support.scripted_server import ScriptedServer, api_at, json_reply, status_reply

if TYPE_CHECKING:
    from infra.local.wire import HttpResponse

REVIEW, JOBS = "/apis/authentication.k8s.io/v1/selfsubjectreviews", "/apis/batch/v1/jobs"
REVIEWED = json_reply({"status": {"userInfo": {"username": "researcher-api:x", "groups": ["researcher-api"]}}}, 201)


@pytest.fixture
def identity(site: ScriptedServer) -> OwnIdentity:
    """Return the identity on the scripted server."""
    return OwnIdentity(Cluster(api_at(site.url)), Deadline.after(60))


def test_groups_are_those_that_the_cluster_sees(site: ScriptedServer, identity: OwnIdentity) -> None:
    """The review is sent without impersonation."""
    site.on(REVIEW, REVIEWED)

    assert identity.groups() == {"researcher-api"}
    (request,) = site.at(REVIEW)
    assert request.values("Impersonate-User") == []
    assert json.loads(request.body) == {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@pytest.mark.parametrize(
    ("reply", "lists"),
    [
        pytest.param(status_reply(403, "jobs.batch is forbidden"), False, id="forbidden"),
        pytest.param(json_reply({"items": []}), True, id="listed"),
    ],
)
def test_own_rights(site: ScriptedServer, identity: OwnIdentity, reply: HttpResponse, lists: bool) -> None:
    """Only a list of Jobs shows rights; the list has at most one."""
    site.on(JOBS, reply)

    assert identity.may_list_jobs() is lists
    assert "limit=1" in site.at(JOBS)[0].target


@pytest.mark.parametrize(("reply", "may"), [(REVIEWED, True), (status_reply(403, "cannot impersonate"), False)])
def test_impersonation(site: ScriptedServer, identity: OwnIdentity, reply: HttpResponse, may: bool) -> None:
    """The impersonated user asks only who it is."""
    site.on(REVIEW, reply)

    assert identity.may_impersonate("researcher:api", "researcher:team-a") is may
    (request,) = site.at(REVIEW)
    assert (request.values("Impersonate-User"), request.values("Impersonate-Group")) == (
        ["researcher:api"],
        ["researcher:team-a"],
    )


@pytest.mark.parametrize("path", [REVIEW, JOBS])
@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_other_answers_are_errors(site: ScriptedServer, identity: OwnIdentity, path: str, status: int) -> None:
    """A server that is not an API server neither allows nor forbids; the log has its status."""
    site.on(path, status_reply(201 if (path, status) == (JOBS, 200) else status))
    action = identity.may_list_jobs if path == JOBS else lambda: identity.may_impersonate("researcher:api")

    with pytest.raises(ClusterUnavailable) as raised:
        action()

    assert (raised.value.why or "").startswith("status_")


def test_rejected_token_is_not_an_unexpected_answer(site: ScriptedServer, identity: OwnIdentity) -> None:
    """A 401 is about the token, and has an error of its own."""
    site.on(REVIEW, status_reply(401))

    with pytest.raises(CredentialsUnavailable):
        identity.groups()


def test_user_alone_is_impersonated_without_groups(site: ScriptedServer, identity: OwnIdentity) -> None:
    """Without a group there is no header for one."""
    site.on(REVIEW, REVIEWED)

    assert identity.may_impersonate("researcher:preflight")
    assert site.at(REVIEW)[0].values("Impersonate-Group") == []
