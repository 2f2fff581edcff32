"""The permissions of callers under the manifests for platform engineers, as an API server decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.permissions import (
    NAMESPACE,
    OTHER_NAMESPACE,
    SUBMITTERS,
    UPLOADS,
    VIEWERS,
    Permission,
    as_caller,
    is_allowed,
    permission_cases,
)

if TYPE_CHECKING:
    from tests.cluster.json_client import JsonClient

JOB_READS = [f"{verb} jobs.batch @ {NAMESPACE}" for verb in ("get", "list", "watch")]
JOB_WRITES = [
    *(f"{verb} jobs.batch @ {NAMESPACE}" for verb in ("create", "patch", "delete")),
    f"create services @ {NAMESPACE}",
]
OTHER_READS = [
    f"list pods @ {NAMESPACE}",
    f"get pods:log @ {NAMESPACE}",
    f"list events @ {NAMESPACE}",
    f"get resourcequotas @ {NAMESPACE}",
]
FORBIDDEN = [
    f"deletecollection jobs.batch @ {NAMESPACE}",
    f"update jobs.batch:status @ {NAMESPACE}",
    f"create pods @ {NAMESPACE}",
    f"delete pods @ {NAMESPACE}",
    f"create pods:exec @ {NAMESPACE}",
    f"create pods:portforward @ {NAMESPACE}",
    *(f"{verb} services @ {NAMESPACE}" for verb in ("get", "list", "patch", "delete")),
    f"get secrets @ {NAMESPACE}",
    f"list secrets @ {NAMESPACE}",
    f"get configmaps @ {NAMESPACE}",
    f"patch resourcequotas @ {NAMESPACE}",
    f"create rolebindings.rbac.authorization.k8s.io @ {NAMESPACE}",
    f"create serviceaccounts:token @ {NAMESPACE}",
    f"list jobs.batch @ {OTHER_NAMESPACE}",
    f"create jobs.batch @ {OTHER_NAMESPACE}",
    "list jobs.batch @ kube-system",
    "list pods @ kube-system",
    "list jobs.batch",
    "list namespaces",
    "impersonate groups/system:masters",
    "impersonate users/researcher:api",
]


class TestCallers:
    """The API with a caller: the groups of a Project."""

    @pytest.mark.parametrize("permission", permission_cases(*JOB_READS, *JOB_WRITES, *OTHER_READS))
    def test_submitters(self, own_identity: JsonClient, permission: Permission) -> None:
        """Submitters may create, read and delete Jobs in their Project."""
        assert is_allowed(own_identity, permission, as_caller(SUBMITTERS))

    @pytest.mark.parametrize("permission", permission_cases(*JOB_READS, *OTHER_READS))
    def test_viewers_may_read(self, own_identity: JsonClient, permission: Permission) -> None:
        """Viewers may read Jobs and their logs."""
        assert is_allowed(own_identity, permission, as_caller(VIEWERS))

    @pytest.mark.parametrize("permission", permission_cases(*JOB_WRITES))
    def test_viewers_may_not_write(self, own_identity: JsonClient, permission: Permission) -> None:
        """Viewers may neither create nor delete Jobs."""
        assert not is_allowed(own_identity, permission, as_caller(VIEWERS))

    @pytest.mark.parametrize("permission", permission_cases(*JOB_WRITES, *JOB_READS))
    def test_uploads(self, own_identity: JsonClient, permission: Permission) -> None:
        """The group of the bucket has the permissions of submitters on Jobs."""
        assert is_allowed(own_identity, permission, as_caller(UPLOADS))

    @pytest.mark.parametrize(
        "permission",
        permission_cases(
            *(f"{verb} jobs.batch @ {NAMESPACE}" for verb in ("get", "list", "patch", "delete")),
            f"list pods @ {OTHER_NAMESPACE}",
            f"get pods:log @ {NAMESPACE}",
        ),
    )
    def test_janitor(self, own_identity: JsonClient, permission: Permission) -> None:
        """The janitor may read, label and delete Jobs and read logs in every Project."""
        assert is_allowed(own_identity, permission, as_caller("janitor"))

    @pytest.mark.parametrize(
        "permission",
        permission_cases(
            f"create jobs.batch @ {NAMESPACE}",
            f"update jobs.batch @ {NAMESPACE}",
            f"deletecollection jobs.batch @ {NAMESPACE}",
            f"delete pods @ {NAMESPACE}",
            f"get secrets @ {NAMESPACE}",
            "delete jobs.batch @ kube-system",
            "delete jobs.batch @ default",
            "list jobs.batch",
        ),
    )
    def test_janitor_has_no_other_permission(self, own_identity: JsonClient, permission: Permission) -> None:
        """The janitor may not create Jobs, and has no permission outside of Projects."""
        assert not is_allowed(own_identity, permission, as_caller("janitor"))

    @pytest.mark.parametrize("permission", permission_cases(*FORBIDDEN))
    def test_no_group_has_more_permissions(self, own_identity: JsonClient, permission: Permission) -> None:
        """All groups of a Project together may not leave it, read its Secrets or delete collections."""
        assert not is_allowed(own_identity, permission, as_caller(SUBMITTERS, VIEWERS, UPLOADS))

    @pytest.mark.parametrize("permission", permission_cases(*JOB_READS, *JOB_WRITES, *OTHER_READS, "list namespaces"))
    def test_caller_without_groups(self, own_identity: JsonClient, permission: Permission) -> None:
        """The user that all callers share has no permissions of its own."""
        assert not is_allowed(own_identity, permission, as_caller())
