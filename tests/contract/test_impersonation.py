"""The impersonation headers on a real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.permissions import (
    NAMESPACE,
    OTHER_NAMESPACE,
    OTHER_SUBMITTERS,
    SUBMITTERS,
    VIEWERS,
    as_caller,
    error_of_get,
)

if TYPE_CHECKING:
    from tests.cluster.json_client import Header, JsonClient
    from tests.cluster.target import Target


JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


class TestHeaders:
    """Requests with impersonation headers."""

    def test_several_groups_are_several_header_lines(self, own_identity: JsonClient) -> None:
        """Two groups in two header lines have the permissions of both."""
        headers = as_caller(SUBMITTERS, OTHER_SUBMITTERS)

        for namespace in (NAMESPACE, OTHER_NAMESPACE):
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
            pytest.param(
                [*as_caller(SUBMITTERS), ("Impersonate-Group", "system:masters")], id="a listed group and masters"
            ),
            pytest.param(as_caller(SUBMITTERS, "rbac-unlisted"), id="a listed and an unlisted group"),
            pytest.param(as_caller(f"{SUBMITTERS},researcher:{VIEWERS}"), id="two groups in one line"),
            pytest.param([*as_caller(SUBMITTERS), ("Impersonate-Extra-Scopes", "all")], id="another extra"),
            pytest.param([*as_caller(SUBMITTERS), ("Impersonate-Uid", "1")], id="a uid"),
        ],
    )
    def test_other_identities_are_rejected(self, own_identity: JsonClient, headers: list[Header]) -> None:
        """One identity that may not be impersonated makes the whole request 403."""
        assert error_of_get(own_identity, JOBS, headers).status == 403

    def test_message_of_a_rejected_impersonation(self, own_identity: JsonClient) -> None:
        """The message has the text by which the API detects that its list of groups is outdated."""
        own_identity.request("GET", JOBS, headers=as_caller(SUBMITTERS))

        response = error_of_get(own_identity, JOBS, as_caller(SUBMITTERS, "rbac-unlisted"))

        assert "cannot impersonate resource" in response.body

    def test_message_of_the_first_rejected_impersonation(self, cluster_target: Target) -> None:
        """Since 1.36 the first error of an identity names the constrained verb instead of the group."""
        stranger = cluster_target.client("researcher-api:stranger", ["researcher-api"])

        response = error_of_get(stranger, JOBS, as_caller(SUBMITTERS, "rbac-unlisted"))

        stranger.close()
        assert (response.status, "cannot impersonate" in response.body) == (403, True)

    def test_groups_without_a_user_are_rejected(self, own_identity: JsonClient) -> None:
        """A request that lost the user header is an error; before 1.36 it is a 500."""
        headers = [("Impersonate-Group", f"researcher:{SUBMITTERS}")]

        assert error_of_get(own_identity, JOBS, headers).status in {400, 500}

    def test_missing_project_is_like_a_forbidden_one(self, own_identity: JsonClient) -> None:
        """The errors for a missing and a forbidden Project differ only in the name, so existence is not disclosed."""
        missing = OTHER_NAMESPACE + "-missing"

        responses = [
            error_of_get(own_identity, f"/apis/batch/v1/namespaces/{namespace}/jobs", as_caller(SUBMITTERS))
            for namespace in (OTHER_NAMESPACE, missing)
        ]

        assert [response.status for response in responses] == [403, 403]
        assert responses[0].body.replace(OTHER_NAMESPACE, missing) == responses[1].body
