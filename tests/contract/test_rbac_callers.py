"""What callers can do under the manifests that platform engineers apply, by a real API server's own verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.rights import OTHERS, OURS, SUBMITTERS, UPLOADS, VIEWERS, Ask, as_caller, may, rows

if TYPE_CHECKING:
    from tests.cluster.json_client import JsonClient

JOB_READS = [f"{verb} jobs.batch @ {OURS}" for verb in ("get", "list", "watch")]
JOB_WRITES = [*(f"{verb} jobs.batch @ {OURS}" for verb in ("create", "patch", "delete")), f"create services @ {OURS}"]
OTHER_READS = [
    f"list pods @ {OURS}",
    f"get pods:log @ {OURS}",
    f"list events @ {OURS}",
    f"get resourcequotas @ {OURS}",
]
NOBODYS = [
    f"deletecollection jobs.batch @ {OURS}",
    f"update jobs.batch:status @ {OURS}",
    f"create pods @ {OURS}",
    f"delete pods @ {OURS}",
    f"create pods:exec @ {OURS}",
    f"create pods:portforward @ {OURS}",
    *(f"{verb} services @ {OURS}" for verb in ("get", "list", "patch", "delete")),
    f"get secrets @ {OURS}",
    f"list secrets @ {OURS}",
    f"get configmaps @ {OURS}",
    f"patch resourcequotas @ {OURS}",
    f"create rolebindings.rbac.authorization.k8s.io @ {OURS}",
    f"create serviceaccounts:token @ {OURS}",
    f"list jobs.batch @ {OTHERS}",
    f"create jobs.batch @ {OTHERS}",
    "list jobs.batch @ kube-system",
    "list pods @ kube-system",
    "list jobs.batch",
    "list namespaces",
    "impersonate groups/system:masters",
    "impersonate users/researcher:api",
]


class TestCallers:
    """The API with a caller: the groups of a Project."""

    @pytest.mark.parametrize("ask", rows(*JOB_READS, *JOB_WRITES, *OTHER_READS))
    def test_submitters_work_in_their_project(self, own_identity: JsonClient, ask: Ask) -> None:
        """They submit, follow and delete Jobs."""
        assert may(own_identity, ask, as_caller(SUBMITTERS))

    @pytest.mark.parametrize("ask", rows(*JOB_READS, *OTHER_READS))
    def test_viewers_look(self, own_identity: JsonClient, ask: Ask) -> None:
        """They follow Jobs and read their logs."""
        assert may(own_identity, ask, as_caller(VIEWERS))

    @pytest.mark.parametrize("ask", rows(*JOB_WRITES))
    def test_viewers_change_nothing(self, own_identity: JsonClient, ask: Ask) -> None:
        """They cannot submit or delete."""
        assert not may(own_identity, ask, as_caller(VIEWERS))

    @pytest.mark.parametrize("ask", rows(*JOB_WRITES, *JOB_READS))
    def test_uploads_submit(self, own_identity: JsonClient, ask: Ask) -> None:
        """The bucket's group may do what submitters may."""
        assert may(own_identity, ask, as_caller(UPLOADS))

    @pytest.mark.parametrize(
        "ask",
        rows(
            *(f"{verb} jobs.batch @ {OURS}" for verb in ("get", "list", "patch", "delete")),
            f"list pods @ {OTHERS}",
            f"get pods:log @ {OURS}",
        ),
    )
    def test_janitor_cleans_every_project(self, own_identity: JsonClient, ask: Ask) -> None:
        """Finished Jobs are found, marked once they are announced, and removed with the end of their logs kept."""
        assert may(own_identity, ask, as_caller("janitor"))

    @pytest.mark.parametrize(
        "ask",
        rows(
            f"create jobs.batch @ {OURS}",
            f"update jobs.batch @ {OURS}",
            f"deletecollection jobs.batch @ {OURS}",
            f"delete pods @ {OURS}",
            f"get secrets @ {OURS}",
            "delete jobs.batch @ kube-system",
            "delete jobs.batch @ default",
            "list jobs.batch",
        ),
    )
    def test_janitor_does_nothing_else(self, own_identity: JsonClient, ask: Ask) -> None:
        """The cleanup submits nothing, and reaches no namespace that is not a Project."""
        assert not may(own_identity, ask, as_caller("janitor"))

    @pytest.mark.parametrize("ask", rows(*NOBODYS))
    def test_nobody_reaches_further(self, own_identity: JsonClient, ask: Ask) -> None:
        """All groups of a Project together cannot leave it, nor read its Secrets, nor empty it at once."""
        assert not may(own_identity, ask, as_caller(SUBMITTERS, VIEWERS, UPLOADS))

    @pytest.mark.parametrize("ask", rows(*JOB_READS, *JOB_WRITES, *OTHER_READS, "list namespaces"))
    def test_a_caller_without_groups_may_nothing(self, own_identity: JsonClient, ask: Ask) -> None:
        """The user that all callers share has no rights of its own."""
        assert not may(own_identity, ask, as_caller())
