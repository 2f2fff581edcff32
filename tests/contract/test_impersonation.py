"""The impersonation headers, as a real API server takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.rights import OTHER_SUBMITTERS, OTHERS, OURS, SUBMITTERS, VIEWERS, as_caller, refusal

if TYPE_CHECKING:
    from tests.cluster.json_client import Header, JsonClient
    from tests.cluster.target import Target


JOBS = f"/apis/batch/v1/namespaces/{OURS}/jobs"


class TestHeaders:
    """Requests as they go to the cluster."""

    def test_several_groups_come_as_lines_of_their_own(self, own_identity: JsonClient) -> None:
        """Two groups give the rights of both."""
        headers = as_caller(SUBMITTERS, OTHER_SUBMITTERS)

        for namespace in (OURS, OTHERS):
            assert (
                own_identity.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs", headers=headers)["items"]
                == []
            )

    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param([], id="none"),
            pytest.param([("Impersonate-User", "admin")], id="another user"),
            pytest.param([("Impersonate-User", "researcher:alice")], id="a caller as user"),
            pytest.param([("Impersonate-User", "system:serviceaccount:kube-system:default")], id="a service account"),
            pytest.param([("Impersonate-User", "system:node:gpu-0")], id="a node"),
            pytest.param([*as_caller(), ("Impersonate-Group", "system:masters")], id="masters"),
            pytest.param([*as_caller(SUBMITTERS), ("Impersonate-Group", "system:masters")], id="ours and masters"),
            pytest.param(as_caller(SUBMITTERS, "rbac-nobody"), id="ours and one that is not listed"),
            pytest.param(as_caller(f"{SUBMITTERS},researcher:{VIEWERS}"), id="two groups in one line"),
            pytest.param([*as_caller(SUBMITTERS), ("Impersonate-Extra-Scopes", "all")], id="another extra"),
            pytest.param([*as_caller(SUBMITTERS), ("Impersonate-Uid", "1")], id="a uid"),
        ],
    )
    def test_others_are_refused(self, own_identity: JsonClient, headers: list[Header]) -> None:
        """One identity too many refuses the whole request."""
        assert refusal(own_identity, JOBS, headers).status == 403

    def test_refused_impersonation_says_so(self, own_identity: JsonClient) -> None:
        """The words by which the API knows that its list of groups is old."""
        own_identity.request("GET", JOBS, headers=as_caller(SUBMITTERS))

        answer = refusal(own_identity, JOBS, as_caller(SUBMITTERS, "rbac-nobody"))

        assert "cannot impersonate resource" in answer.body

    def test_the_first_refusal_says_so_too(self, cluster_target: Target) -> None:
        """Since 1.36 a stranger's first refusal names the constrained verb, and not the group."""
        stranger = cluster_target.client("researcher-api:stranger", ["researcher-api"])

        answer = refusal(stranger, JOBS, as_caller(SUBMITTERS, "rbac-nobody"))

        stranger.close()
        assert (answer.status, "cannot impersonate" in answer.body) == (403, True)

    def test_groups_without_a_user_are_refused(self, own_identity: JsonClient) -> None:
        """A request that lost one header is not answered; servers before 1.36 say 500."""
        headers = [("Impersonate-Group", f"researcher:{SUBMITTERS}")]

        assert refusal(own_identity, JOBS, headers).status in {400, 500}

    def test_a_missing_project_answers_as_a_forbidden_one(self, own_identity: JsonClient) -> None:
        """Nothing but the name differs, so nobody learns which Projects exist."""
        missing = OTHERS + "-missing"

        answers = [
            refusal(own_identity, f"/apis/batch/v1/namespaces/{namespace}/jobs", as_caller(SUBMITTERS))
            for namespace in (OTHERS, missing)
        ]

        assert [answer.status for answer in answers] == [403, 403]
        assert answers[0].body.replace(OTHERS, missing) == answers[1].body
