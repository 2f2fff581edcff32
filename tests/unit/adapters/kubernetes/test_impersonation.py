"""The headers by which the cluster takes a call as the caller's."""

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
    """The groups in the headers for *caller*."""
    lines = impersonation.headers(caller, Deadline.after(60), fresh=fresh)
    return [value for name, value in lines if name == "Impersonate-Group"]


class TestHeaders:
    """Who acts."""

    def test_lines_are_made_from_the_caller(self, site: ScriptedServer) -> None:
        """One user without rights, the caller's name for the audit log, and a line for each group, in order.

        Each Project brings a ClusterRole of its own, whose rules add up.
        """
        rule: dict[str, object] = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["groups"]}
        site.on(REVIEW, rules_reply(*({**rule, "resourceNames": [f"researcher:team-{one}"]} for one in "ba")))
        caller = Caller("alice@example.com", ("team-b", "team-a"))

        lines = Impersonation(api_at(site.url)).headers(caller, Deadline.after(60))

        assert lines == [
            ("Impersonate-User", "researcher:api"),
            ("Impersonate-Extra-Subject", "researcher:alice@example.com"),
            ("Impersonate-Group", "researcher:team-a"),
            ("Impersonate-Group", "researcher:team-b"),
        ]

    def test_group_we_may_not_impersonate_is_left_out(self, site: ScriptedServer) -> None:
        """One of them would refuse the whole call, also for the caller's other groups."""
        assert groups(Impersonation(api_at(site.url)), Caller("alice", ("team-a", "team-z"))) == ["researcher:team-a"]

    @pytest.mark.parametrize("caller", [Caller("alice", ()), Caller("alice", ("team-z",))])
    def test_caller_without_a_usable_group(self, site: ScriptedServer, caller: Caller) -> None:
        """Acts as the user without rights: never as ourselves."""
        assert Impersonation(api_at(site.url)).headers(caller, Deadline.after(60)) == [
            ("Impersonate-User", "researcher:api"),
            ("Impersonate-Extra-Subject", "researcher:alice"),
        ]

    def test_callers_are_kept_apart(self, site: ScriptedServer) -> None:
        """The list is shared, the headers never are."""
        impersonation = Impersonation(api_at(site.url))

        subjects = [dict(impersonation.headers(caller, Deadline.after(60))) for caller in (ALICE, BOB)]

        assert [lines["Impersonate-Extra-Subject"] for lines in subjects] == ["researcher:alice", "researcher:bob"]


class TestOurGroups:
    """Which groups we may impersonate, by the cluster's own word."""

    def test_question_is_ours(self, site: ScriptedServer) -> None:
        """Asked without impersonation, as the RBAC of our own identity is meant."""
        groups(Impersonation(api_at(site.url)))

        (asked,) = site.at(REVIEW)
        assert asked.method == "POST"
        assert not [name for name, _ in asked.headers if name.lower().startswith("impersonate-")]
        assert json.loads(asked.body)["spec"] == {"namespace": "default"}

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param({"verbs": ["get"], "resources": ["groups"]}, id="another verb"),
            pytest.param({"verbs": ["impersonate"], "resources": ["users"]}, id="another resource"),
            pytest.param({"verbs": ["*"], "resources": ["*"]}, id="everything"),
            pytest.param({}, id="an empty rule"),
            pytest.param({"verbs": ["impersonate"], "resources": ["groups"], "resourceNames": []}, id="every group"),
        ],
    )
    def test_rule_that_names_no_groups_to_impersonate(self, site: ScriptedServer, rule: dict[str, object]) -> None:
        """Gives none: a cluster-admin among our roles changes nothing, and a right to system:masters is not used."""
        site.on(REVIEW, rules_reply({"apiGroups": [""], "resourceNames": ["researcher:team-a"], **rule}))

        assert groups(Impersonation(api_at(site.url))) == []

    def test_group_of_the_system_is_never_impersonated(self, site: ScriptedServer) -> None:
        """Whatever a role names, and whatever an issuer calls a group."""
        site.on(REVIEW, groups_reply("system:masters", "researcher:system:masters", "team-a"))

        found = groups(Impersonation(api_at(site.url)), Caller("mallory", ("system:masters", "team-a")))

        assert found == ["researcher:system:masters"]


class TestKept:
    """How often the cluster is asked."""

    def test_list_is_kept(self, site: ScriptedServer) -> None:
        """Five minutes, for all callers; after that a new Project is known, and a lost one is not."""
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

    def test_fresh_list_is_kept_too(self, site: ScriptedServer) -> None:
        """Its five minutes begin anew."""
        clock = Clock()
        impersonation = Impersonation(api_at(site.url), clock)
        groups(impersonation)
        clock.now += GROUPS_TTL_SECONDS - 1

        assert groups(impersonation, fresh=True) == ["researcher:team-a"]
        clock.now += GROUPS_TTL_SECONDS - 1
        assert groups(impersonation) == ["researcher:team-a"]
        assert len(site.at(REVIEW)) == 2

    def test_list_is_read_again_for_a_group_that_is_not_in_it(self, site: ScriptedServer) -> None:
        """Its Project may be new; but a group that nobody knows is not looked for all the time."""
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
    """When the cluster does not tell."""

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            pytest.param(json_reply({}, 401), CredentialsUnavailable, id="our token is refused"),
            pytest.param(json_reply({}, 302), ClusterUnavailable, id="redirect"),
            pytest.param(HttpResponse(201, [], b"<html>"), ClusterUnavailable, id="no JSON"),
            pytest.param(json_reply({}, 201), ClusterUnavailable, id="no status"),
            pytest.param(json_reply({"status": {"resourceRules": None}}, 201), ClusterUnavailable, id="odd status"),
        ],
    )
    def test_call_is_refused(self, site: ScriptedServer, reply: HttpResponse, kind: type[ResearcherError]) -> None:
        """As a fault of the cluster: nobody acts while it is not known as whom. The next call asks again."""
        impersonation = Impersonation(api_at(site.url))
        site.on(REVIEW, reply)
        with pytest.raises(kind):
            groups(impersonation)

        site.on(REVIEW, groups_reply("researcher:team-a"))

        assert groups(impersonation) == ["researcher:team-a"]
