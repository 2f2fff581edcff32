"""The limits of a namespace: quotas, Pod Security, priorities and default requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.eventually import eventually
from tests.support.namespace import error_of, job

if TYPE_CHECKING:
    from tests.support.namespace import NamespaceClient

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class TestQuota:
    """A ResourceQuota."""

    def test_count_of_jobs_is_limited(self, namespace: NamespaceClient) -> None:
        """The error names the quota, and the requested, used and allowed amounts."""
        namespace.bound(**{"count/jobs.batch": "1"})
        namespace.submit(job("first", suspend=True))

        error = error_of(lambda: namespace.submit(job("second", suspend=True)))

        assert error[:2] == (403, "Forbidden")
        amounts = "requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: count/jobs.batch=1"
        assert f'jobs.batch "second" is forbidden: exceeded quota: test-quota, {amounts}' == error.message

    def test_count_of_jobs_in_a_dry_run(self, namespace: NamespaceClient) -> None:
        """A dry run is rejected by the quota too."""
        namespace.bound(**{"count/jobs.batch": "0"})

        error = error_of(lambda: namespace.submit(job("dry"), "?dryRun=All"))

        assert "exceeded quota: test-quota" in error.message

    def test_deleted_jobs_are_not_counted(self, namespace: NamespaceClient) -> None:
        """A deleted Job no longer counts."""
        namespace.bound(**{"count/jobs.batch": "1"})
        namespace.submit(job("first", suspend=True))
        eventually(namespace.used, lambda used: used.get("count/jobs.batch") == "1")

        namespace.client.delete(f"{namespace.jobs}/first", propagationPolicy="Background")

        eventually(namespace.used, lambda used: used.get("count/jobs.batch") == "0")
        assert namespace.submit(job("second", suspend=True))

    def test_gpus_of_pods_are_limited(self, namespace: NamespaceClient) -> None:
        """A Job whose pods exceed the quota is accepted and has no pods, and an event has the reason."""
        namespace.bound(**{"requests.nvidia.com/gpu": "1"})

        namespace.submit(job("greedy", gpus=2))

        message = eventually(lambda: namespace.events("FailedCreate"), bool)[0]
        assert "is forbidden: exceeded quota: test-quota, requested: requests.nvidia.com/gpu=2" in message
        assert message.startswith('Error creating: pods "greedy-')
        assert namespace.pods_of("greedy") == []

    def test_some_pods_fit(self, namespace: NamespaceClient) -> None:
        """Only as many pods as fit the quota are created."""
        namespace.bound(**{"requests.nvidia.com/gpu": "1"})

        namespace.submit(job("wide", "run-forever", parallelism=2, completions=2))

        eventually(lambda: namespace.events("FailedCreate"), bool)
        assert len(namespace.await_pods("wide")) == 1


class TestPodSecurity:
    """The restricted profile."""

    def test_rejects_the_pods_of_a_job(self, namespace: NamespaceClient) -> None:
        """A Job with privileged pods is accepted and has no pods, and an event has the reason."""
        namespace.label(**RESTRICTED)
        manifest = job("root")
        manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}

        namespace.submit(manifest)

        message = eventually(lambda: namespace.events("FailedCreate"), bool)[0]
        assert message.startswith('Error creating: pods "root-')
        assert 'is forbidden: violates PodSecurity "restricted:latest": ' in message
        assert "privileged" in message
        assert namespace.pods_of("root") == []

    def test_accepts_restricted_pods(self, namespace: NamespaceClient) -> None:
        """A pod that conforms to the profile runs."""
        namespace.label(**RESTRICTED)
        manifest = job("modest")
        pod = manifest["spec"]["template"]["spec"]
        pod["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        pod["containers"][0]["securityContext"] = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }

        namespace.submit(manifest)

        assert namespace.await_end("modest")["type"] == "Complete"


class TestDefaults:
    """Defaults of pods."""

    def test_limit_range_adds_requests(self, namespace: NamespaceClient) -> None:
        """A container without a memory request gets the default of the LimitRange."""
        limits = [{"type": "Container", "defaultRequest": {"memory": "1Gi", "cpu": "1"}}]
        namespace.client.create(
            f"{namespace.path}/limitranges", {"metadata": {"name": "defaults"}, "spec": {"limits": limits}}
        )

        namespace.submit(job("vague", "run-forever"))

        (pod,) = namespace.await_pods("vague")
        requests = {"memory": "1Gi", "cpu": "1", "nvidia.com/gpu": "1"}
        assert requests == pod["spec"]["containers"][0]["resources"]["requests"]

    def test_unknown_priority_class(self, namespace: NamespaceClient) -> None:
        """A Job with an unknown PriorityClass is accepted and has no pods, and an event has the reason."""
        manifest = job("urgent")
        manifest["spec"]["template"]["spec"]["priorityClassName"] = "contract-missing"

        namespace.submit(manifest)

        message = eventually(lambda: namespace.events("FailedCreate"), bool)[0]
        assert "no PriorityClass with name contract-missing was found" in message
