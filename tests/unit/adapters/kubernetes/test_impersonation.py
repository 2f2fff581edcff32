"""The impersonation headers."""

from __future__ import annotations

import json

import pytest

from chalicelib.adapters.kubernetes.impersonation import GROUPS_TTL_SECONDS, UNKNOWN_GROUP_TTL_SECONDS, Impersonation
from chalicelib.deadline import Deadline
from chalicelib.domain.caller import Caller
from chalicelib.domain.errors import ClusterUnavailable, CredentialsUnavailable, ResearcherError
from infra.local.wire import HttpResponse
from tests.support.builders import ALICE, BOB
from tests.support.scripted_server import Clock, ScriptedServer, api_at, groups_reply, json_reply, rules_reply

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


def groups(impersonation: Impersonation, caller: Caller = ALICE, *, fresh: bool = False) -> list[str]:
    """Return the groups in the headers for *caller*."""
    lines = impersonation.headers(caller, Deadline.after(60), fresh=fresh)
    return [value for name, value in lines if name == "Impersonate-Group"]


class TestHeaders:
    """The headers for a caller."""

    def test_headers_are_built_from_the_caller(self, site: ScriptedServer) -> None:
        """The user has no permissions, the extra has the caller's name, and each group has a line.

        Each Project has its own ClusterRole, whose rules are combined.
        """
        rule: dict[str, object] = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["groups"]}
        site.on(REVIEW, rules_reply(*({**rule, "resourceNames": [f"researcher:team-{letter}"]} for letter in "ba")))
        caller = Caller("alice@example.com", ("team-b", "team-a"))

        lines = Impersonation(api_at(site.url)).headers(caller, Deadline.after(60))

        assert lines == [
            ("Impersonate-User", "researcher:api"),
            ("Impersonate-Extra-Subject", "researcher:alice@example.com"),
            ("Impersonate-Group", "researcher:team-a"),
            ("Impersonate-Group", "researcher:team-b"),
        ]

    def test_group_that_may_not_be_impersonated_is_omitted(self, site: ScriptedServer) -> None:
        """The cluster would reject the whole request because of one such group."""
        assert groups(Impersonation(api_at(site.url)), Caller("alice", ("team-a", "team-z"))) == ["researcher:team-a"]

    @pytest.mark.parametrize("caller", [Caller("alice", ()), Caller("alice", ("team-z",))])
    def test_caller_without_a_group(self, site: ScriptedServer, caller: Caller) -> None:
        """The request is sent as the user without permissions, never as the API itself."""
        assert Impersonation(api_at(site.url)).headers(caller, Deadline.after(60)) == [
            ("Impersonate-User", "researcher:api"),
            ("Impersonate-Extra-Subject", "researcher:alice"),
        ]

    def test_headers_are_not_cached(self, site: ScriptedServer) -> None:
        """The list of groups is shared by all callers, the headers are not."""
        impersonation = Impersonation(api_at(site.url))

        subjects = [dict(impersonation.headers(caller, Deadline.after(60))) for caller in (ALICE, BOB)]

        assert [lines["Impersonate-Extra-Subject"] for lines in subjects] == ["researcher:alice", "researcher:bob"]


class TestOwnGroups:
    """The groups that the API may impersonate."""

    def test_are_reviewed_as_the_api_itself(self, site: ScriptedServer) -> None:
        """The review is sent without impersonation."""
        groups(Impersonation(api_at(site.url)))

        (request,) = site.at(REVIEW)
        assert request.method == "POST"
        assert not [name for name, _ in request.headers if name.lower().startswith("impersonate-")]
        assert json.loads(request.body)["spec"] == {"namespace": "default"}

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param({"verbs": ["get"], "resources": ["groups"]}, id="another verb"),
            pytest.param({"verbs": ["impersonate"], "resources": ["users"]}, id="another resource"),
            pytest.param({"verbs": ["*"], "resources": ["*"]}, id="everything"),
            pytest.param({}, id="empty rule"),
            pytest.param({"verbs": ["impersonate"], "resources": ["groups"], "resourceNames": []}, id="every group"),
        ],
    )
    def test_rule_without_group_names(self, site: ScriptedServer, rule: dict[str, object]) -> None:
        """A rule for all groups adds none, so a cluster-admin role does not allow system:masters."""
        site.on(REVIEW, rules_reply({"apiGroups": [""], "resourceNames": ["researcher:team-a"], **rule}))

        assert groups(Impersonation(api_at(site.url))) == []

    def test_system_groups_are_never_impersonated(self, site: ScriptedServer) -> None:
        """Groups without the prefix are omitted, whatever a role or a token contains."""
        site.on(REVIEW, groups_reply("system:masters", "researcher:system:masters", "team-a"))

        found = groups(Impersonation(api_at(site.url)), Caller("mallory", ("system:masters", "team-a")))

        assert found == ["researcher:system:masters"]


class TestCache:
    """The caching of the groups."""

    def test_list_is_cached(self, site: ScriptedServer) -> None:
        """The list is cached for five minutes for all callers, and then read again."""
        clock = Clock()
        impersonation = Impersonation(api_at(site.url), clock)
        groups(impersonation, ALICE)
        site.on(REVIEW, groups_reply())
        clock.now += GROUPS_TTL_SECONDS - 1

        assert groups(impersonation, BOB) == ["researcher:team-a"]
        assert len(site.at(REVIEW)) == 1

        site.on(REVIEW, groups_reply("researcher:team-b"))
        clock.now += 1
        assert groups(impersonation, Caller("alice", ("team-a", "team-b"))) == ["researcher:team-b"]

    def test_fresh_list_is_cached(self, site: ScriptedServer) -> None:
        """A fresh read starts a new TTL."""
        clock = Clock()
        impersonation = Impersonation(api_at(site.url), clock)
        groups(impersonation)
        clock.now += GROUPS_TTL_SECONDS - 1

        assert groups(impersonation, fresh=True) == ["researcher:team-a"]
        clock.now += GROUPS_TTL_SECONDS - 1
        assert groups(impersonation) == ["researcher:team-a"]
        assert len(site.at(REVIEW)) == 2

    def test_unknown_group_has_a_shorter_ttl(self, site: ScriptedServer) -> None:
        """The group may be that of a new Project; an unknown group does not cause a read for each request."""
        clock = Clock()
        impersonation = Impersonation(api_at(site.url), clock)
        caller = Caller("alice", ("team-a", "team-new"))
        groups(impersonation, caller)
        site.on(REVIEW, groups_reply("researcher:team-a", "researcher:team-new"))
        clock.now += UNKNOWN_GROUP_TTL_SECONDS - 1

        assert groups(impersonation, caller) == ["researcher:team-a"]
        clock.now += 1
        assert groups(impersonation, caller) == ["researcher:team-a", "researcher:team-new"]
        assert len(site.at(REVIEW)) == 2


class TestErrors:
    """When the review fails."""

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            pytest.param(json_reply({}, 401), CredentialsUnavailable, id="rejected token"),
            pytest.param(json_reply({}, 302), ClusterUnavailable, id="redirect"),
            pytest.param(HttpResponse(201, [], b"<html>"), ClusterUnavailable, id="not JSON"),
            pytest.param(json_reply({}, 201), ClusterUnavailable, id="no status"),
            pytest.param(json_reply({"status": {"resourceRules": None}}, 201), ClusterUnavailable, id="null rules"),
        ],
    )
    def test_error_is_raised(self, site: ScriptedServer, reply: HttpResponse, kind: type[ResearcherError]) -> None:
        """No request is sent without a list of groups, and the next request reads it again."""
        impersonation = Impersonation(api_at(site.url))
        site.on(REVIEW, reply)
        with pytest.raises(kind):
            groups(impersonation)

        site.on(REVIEW, groups_reply("researcher:team-a"))

        assert groups(impersonation) == ["researcher:team-a"]
