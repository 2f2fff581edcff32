"""The bounds of a namespace: quotas, Pod Security, priorities and default requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.eventually import eventually
from tests.support.namespace import job, outcome_of

if TYPE_CHECKING:
    from tests.support.namespace import TestNamespace

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class TestQuota:
    """A ResourceQuota."""

    def test_of_jobs_refuses_one_too_many(self, space: TestNamespace) -> None:
        """The refusal names the quota, and what is asked, used and allowed."""
        space.bound(**{"count/jobs.batch": "1"})
        space.submit(job("first", suspend=True))

        refusal = outcome_of(lambda: space.submit(job("second", suspend=True)))

        assert refusal[:2] == (403, "Forbidden")
        told = "requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: count/jobs.batch=1"
        assert f'jobs.batch "second" is forbidden: exceeded quota: room, {told}' == refusal.message

    def test_of_jobs_holds_for_a_dry_run(self, space: TestNamespace) -> None:
        """Whoever asks first learns it."""
        space.bound(**{"count/jobs.batch": "0"})

        refusal = outcome_of(lambda: space.submit(job("dry"), "?dryRun=All"))

        assert "exceeded quota: room" in refusal.message

    def test_of_jobs_has_room_again_after_a_deletion(self, space: TestNamespace) -> None:
        """What is gone counts no longer."""
        space.bound(**{"count/jobs.batch": "1"})
        space.submit(job("first", suspend=True))
        eventually(space.used, lambda used: used.get("count/jobs.batch") == "1")

        space.client.delete(f"{space.jobs}/first", propagationPolicy="Background")

        eventually(space.used, lambda used: used.get("count/jobs.batch") == "0")
        assert space.submit(job("second", suspend=True))

    def test_of_gpus_refuses_pods(self, space: TestNamespace) -> None:
        """The Job is taken, has no pods, and an event says why."""
        space.bound(**{"requests.nvidia.com/gpu": "1"})

        space.submit(job("greedy", gpus=2))

        message = eventually(lambda: space.events("FailedCreate"), bool)[0]
        assert "is forbidden: exceeded quota: room, requested: requests.nvidia.com/gpu=2" in message
        assert message.startswith('Error creating: pods "greedy-')
        assert space.pods_of("greedy") == []

    def test_of_gpus_has_room_for_some(self, space: TestNamespace) -> None:
        """As many pods as fit are there."""
        space.bound(**{"requests.nvidia.com/gpu": "1"})

        space.submit(job("wide", "run-forever", parallelism=2, completions=2))

        eventually(lambda: space.events("FailedCreate"), bool)
        assert len(space.await_pods("wide")) == 1


class TestPodSecurity:
    """The restricted profile."""

    def test_refuses_the_pods_of_a_job(self, space: TestNamespace) -> None:
        """The Job is taken, has no pods, and an event says why."""
        space.label(**RESTRICTED)
        manifest = job("root")
        manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}

        space.submit(manifest)

        message = eventually(lambda: space.events("FailedCreate"), bool)[0]
        assert message.startswith('Error creating: pods "root-')
        assert 'is forbidden: violates PodSecurity "restricted:latest": ' in message
        assert "privileged" in message
        assert space.pods_of("root") == []

    def test_takes_pods_that_ask_for_nothing(self, space: TestNamespace) -> None:
        """A pod by the profile's rules runs."""
        space.label(**RESTRICTED)
        manifest = job("modest")
        pod = manifest["spec"]["template"]["spec"]
        pod["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        pod["containers"][0]["securityContext"] = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }

        space.submit(manifest)

        assert space.await_end("modest")["type"] == "Complete"


class TestDefaults:
    """What pods get or miss."""

    def test_limit_range_adds_requests(self, space: TestNamespace) -> None:
        """A container that asks for no memory gets the namespace's default."""
        limits = [{"type": "Container", "defaultRequest": {"memory": "1Gi", "cpu": "1"}}]
        space.client.create(f"{space.path}/limitranges", {"metadata": {"name": "defaults"}, "spec": {"limits": limits}})

        space.submit(job("vague", "run-forever"))

        (pod,) = space.await_pods("vague")
        requests = {"memory": "1Gi", "cpu": "1", "nvidia.com/gpu": "1"}
        assert requests == pod["spec"]["containers"][0]["resources"]["requests"]

    def test_unknown_priority_refuses_pods(self, space: TestNamespace) -> None:
        """The Job is taken, has no pods, and an event says why."""
        manifest = job("urgent")
        manifest["spec"]["template"]["spec"]["priorityClassName"] = "contract-missing"

        space.submit(manifest)

        message = eventually(lambda: space.events("FailedCreate"), bool)[0]
        assert "no PriorityClass with name contract-missing was found" in message
