"""What the bounds of a Project refuse to those who use kubectl; only the control plane evaluates the policies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.kubernetes.jobs import NODE_TYPE, QUEUE_LABEL
from infra.kubernetes.project import base_manifests, project_manifests
from infra.local.local_stack import Stack
from infra.localcluster.kinds import SERVICE
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.cluster.json_client import JsonClient, Refused
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.namespace import TestNamespace, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.json_client import Document

NAMESPACE = "researcher-team-a"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
OWNER = {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "0d9e8f7a-1111-2222-3333-444455556666"}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
MAIN: Document = {"name": "main", "image": "busybox", "securityContext": RESTRICTED}
POD: Document = {
    "restartPolicy": "Never",
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [MAIN],
}


def variable(name: str, value: str = "all", **fields: Any) -> Document:  # noqa: ANN401 - JSON
    """The specification of a pod whose container has one variable."""
    return {"containers": [{**MAIN, "env": [{"name": name, **(fields or {"value": value})}]}]}


def resources(kind: str, name: str) -> Document:
    """The specification of a pod whose container has one of a resource, or 1 MiB, in its requests or limits."""
    amounts = {name: "1" if "/" in name else "2Mi", **({"cpu": "1"} if name.startswith("hugepages") else {})}
    return {"containers": [{**MAIN, "resources": {kind: amounts}}]}


def init(pod: Document) -> Document:
    """The same container as *pod* has, but one that runs first."""
    return {"initContainers": [{**pod["containers"][0], "name": "init"}]}


def volume(**fields: Any) -> Document:  # noqa: ANN401 - JSON
    """The specification of a pod with one volume."""
    return {"volumes": [{"name": "v", **fields}]}


def scratch(**fields: Any) -> Document:  # noqa: ANN401 - JSON
    """The specification of a pod with a volume that goes with it."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **fields}
    return volume(ephemeral={"volumeClaimTemplate": {"spec": spec}})


def secret(name: str) -> Document:
    """The fields of a variable from a Secret."""
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}


def job(name: str, pod: Document | None = None, **spec: Any) -> Document:  # noqa: ANN401 - JSON
    """A Job as somebody writes it for kubectl."""
    template = {"spec": {**POD, **(pod or {})}}
    return {"metadata": {"name": name}, "spec": {"suspend": True, "template": template, **spec}}


REFUSED: dict[str, tuple[Document, str]] = {
    "system priority": ({"priorityClassName": "system-node-critical"}, "priorityClassName"),
    "another priority": ({"priorityClassName": "platform"}, "priorityClassName"),
    "node": ({"nodeName": "gpu-node-0"}, "nodeName"),
    "scheduler": ({"schedulerName": "kai-scheduler"}, "schedulerName"),
    "tolerations": ({"tolerations": [{"operator": "Exists"}]}, "tolerations"),
    "runtime": ({"runtimeClassName": "nvidia"}, "runtimeClassName"),
    "mounted token": ({"automountServiceAccountToken": True}, "automountServiceAccountToken"),
    "token by default": ({"automountServiceAccountToken": None}, "automountServiceAccountToken"),
    "account": ({"serviceAccountName": "trainer"}, "service account"),
    "another device": (resources("limits", "aws.amazon.com/neuron"), "nvidia.com/gpu for a Job"),
    "a part of a GPU": (init(resources("limits", "nvidia.com/mig-1g.10gb")), "nvidia.com/gpu for a Job"),
    "huge pages": (resources("limits", "hugepages-2Mi"), "nvidia.com/gpu for a Job"),
    "claimed device": ({"resourceClaims": [{"name": "c", "resourceClaimName": "gpu"}]}, "nvidia.com/gpu for a Job"),
    "projected token": (
        volume(projected={"sources": [{"serviceAccountToken": {"audience": "pods.eks.amazonaws.com", "path": "t"}}]}),
        "project other sources",
    ),
    "inline CSI": (volume(csi={"driver": "secrets-store.csi.k8s.io", "readOnly": True}), "csi"),
    "devices": (variable("NVIDIA_VISIBLE_DEVICES"), "devices"),
    "devices by a Secret": (variable("NVIDIA_VISIBLE_DEVICES", **secret("hub")), "devices"),
    "devices by prefix": (variable("HABANA_VISIBLE_DEVICES_", "all"), "devices"),
    "devices of swarm": (variable("DOCKER_RESOURCE_GPU"), "devices"),
    "devices of an init container": (init(variable("AMD_VISIBLE_DEVICES")), "devices"),
    "Secret in a variable": (variable("A", **secret("other")), "lists: hub, wandb"),
    "all variables of a Secret": ({"containers": [{**MAIN, "envFrom": [{"secretRef": {"name": "hub"}}]}]}, "envFrom"),
    "node by selector": ({"nodeSelector": {"kubernetes.io/hostname": "gpu-node-0"}}, "nodeSelector"),
    "node by affinity": ({"affinity": {"nodeAffinity": {}}}, "affinity"),
    "grace without end": ({"terminationGracePeriodSeconds": 601}, "terminationGracePeriodSeconds"),
    "GPU of an init container": (init(resources("limits", "nvidia.com/gpu")), "initContainers"),
    "volume of another": (scratch(volumeName="pv-team-b"), "scratch volume"),
    "volume by selector": (scratch(selector={}), "scratch volume"),
    "copy of a volume": (scratch(dataSource={"kind": "PersistentVolumeClaim", "name": "c"}), "scratch volume"),
    "Secret of an init container": (init(variable("A", **secret("other"))), "lists: hub, wandb"),
    "mounted Secret": (volume(secret={"secretName": "other"}), "lists: hub, wandb"),
    "projected Secret": (volume(projected={"sources": [{"secret": {"name": "other"}}]}), "lists: hub, wandb"),
    "pull Secret": ({"imagePullSecrets": [{"name": "other"}]}, "lists: hub, wandb"),
}
TAKEN: dict[str, Document] = {
    "plain": {},
    "preemptible": {"priorityClassName": "researcher-preemptible"},
    "default account": {"serviceAccountName": "default"},
    "instance type": {"nodeSelector": {NODE_TYPE: "p5.48xlarge"}},
    "grace of ten minutes": {"terminationGracePeriodSeconds": 600},
    "scratch volume": scratch(),
    "GPUs": resources("limits", "nvidia.com/gpu"),
    "disk": resources("requests", "ephemeral-storage"),
    "no devices": variable("NVIDIA_VISIBLE_DEVICES", "void"),
    "other variables": variable("NVIDIA_DRIVER_CAPABILITIES"),
    "listed Secret": variable("A", **secret("wandb")),
    "listed Secrets in volumes": volume(
        projected={"sources": [{"secret": {"name": "hub"}}, {"downwardAPI": {}}, {"configMap": {"name": "c"}}]}
    ),
    "listed pull Secret": {"imagePullSecrets": [{"name": "hub"}]},
}
SERVICE_REFUSED: dict[str, Document] = {
    "cluster address": {"ports": [{"port": 80}]},
    "load balancer": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    "node port": {"type": "NodePort", "ports": [{"port": 80}]},
    "external addresses": {"clusterIP": "None", "externalIPs": ["8.8.8.8"], "ports": [{"port": 80}]},
    "external name": {"type": "ExternalName", "externalName": "example.com"},
}


@pytest.fixture(scope="module")
def stack(assets: object) -> Iterator[Stack[RealCluster]]:
    """The local cloud on a control plane of its own."""
    del assets  # must be there
    with Stack(partial(RealCluster, run_seconds=0.5)) as stack:
        yield stack


@pytest.fixture(scope="module")
def old(stack: Stack[RealCluster]) -> Document:
    """A Job that breaks the policy in many ways; its author made it before there was one."""
    admin = stack.cluster.plane.admin
    pod = {**variable("A", **secret("other")), "tolerations": [{"operator": "Exists"}], "serviceAccountName": "trainer"}
    return TestNamespace(admin, NAMESPACE).submit(job("old", {**pod, "automountServiceAccountToken": True}))


@pytest.fixture(scope="module")
def kubectl(stack: Stack[RealCluster], old: Document) -> Iterator[TestNamespace]:
    """The Project as a submitter sees it who uses kubectl, once the API server acts by the policies."""
    del old
    client = stack.cluster.plane.client("carol", ["researcher:team-a"])
    space = TestNamespace(client, NAMESPACE)
    probe = job("probe", REFUSED["node"][0])
    eventually(lambda: _takes(lambda: space.submit(probe, "?dryRun=All")), lambda takes: not takes)
    labelled = {**job("probe"), "metadata": {"name": "probe", "labels": {"priorityClassName": "production"}}}
    eventually(lambda: _takes(lambda: space.submit(labelled, "?dryRun=All")), lambda takes: not takes)
    eventually(lambda: _takes(lambda: _service(client, SERVICE_REFUSED["load balancer"])), lambda takes: not takes)
    yield space
    client.close()


def _takes(action: Callable[[], object]) -> bool:
    try:
        action()
    except Refused:
        return False
    return True


def _service(client: JsonClient, spec: Document) -> Document:
    return client.create(
        f"{SERVICES}?dryRun=All", {"metadata": {"generateName": "s-", "ownerReferences": [OWNER]}, "spec": spec}
    )


class TestJobs:
    """The policy for Jobs of Projects."""

    @pytest.mark.parametrize(("pod", "why"), REFUSED.values(), ids=REFUSED)
    def test_refuses_what_the_api_would_not_render(self, kubectl: TestNamespace, pod: Document, why: str) -> None:
        """To submitters, when they create a Job and when they change the pods of one that is suspended."""
        created = outcome_of(lambda: kubectl.submit(job("new", pod), "?dryRun=All"))

        assert created[:2] == (403, "Forbidden")
        assert "'researcher-jobs'" in created.message
        assert why in created.message

    def test_refuses_a_change_of_suspended_pods(self, kubectl: TestNamespace) -> None:
        """The template of a Job that has not started can be changed."""
        kubectl.submit(job("mutable"))
        change = {"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}

        told = outcome_of(lambda: kubectl.client.patch(f"{kubectl.jobs}/mutable", change))

        assert (told.status, "tolerations" in told.message) == (403, True)
        selected = {"spec": {"template": {"spec": {"nodeSelector": {NODE_TYPE: "p5.48xlarge"}}}}}
        assert kubectl.client.patch(f"{kubectl.jobs}/mutable", selected)

    @pytest.mark.parametrize("pod", TAKEN.values(), ids=TAKEN)
    def test_takes_what_the_project_was_given(self, kubectl: TestNamespace, pod: Document) -> None:
        """Listed Secrets, the Project's own PriorityClass."""
        assert kubectl.submit(job("new", pod), "?dryRun=All")

    @pytest.mark.parametrize(
        "metadata", [{"finalizers": ["example.com/x"]}, {"annotations": {"k8s.v1.cni.cncf.io/networks": "host"}}]
    )
    def test_pods_have_neither_finalizers_nor_annotations(self, kubectl: TestNamespace, metadata: Document) -> None:
        """The former would stay for ever, the latter reach networks and devices."""
        odd = job("new")
        odd["spec"]["template"]["metadata"] = metadata

        told = outcome_of(lambda: kubectl.submit(odd, "?dryRun=All"))

        assert (told.status, "template.metadata" in told.message) == (403, True)

    @pytest.mark.parametrize(
        "metadata",
        [
            {"labels": {"kueue.x-k8s.io/priority-class": "production"}},
            {"labels": {"priorityClassName": "production"}},
            {"labels": {"project": "team-b"}},
            {"labels": {"kai.scheduler/queue": "team-b"}},
            {"annotations": {"kueue.x-k8s.io/job-min-parallelism": "1"}},
            {"annotations": {"scheduling.volcano.sh/queue-name": "team-b"}},
        ],
    )
    def test_metadata_gives_no_priority(self, kubectl: TestNamespace, metadata: Document) -> None:
        """Neither when the Job is created nor later; what somebody else wrote may stay, and a queue may be chosen."""
        odd = job("new")
        odd["metadata"] |= metadata
        plain = kubectl.submit({**job("x"), "metadata": {"generateName": "m-", "labels": {QUEUE_LABEL: "default"}}})
        path = f"{kubectl.jobs}/{plain['metadata']['name']}"

        told = [
            outcome_of(lambda: kubectl.submit(odd, "?dryRun=All")),
            outcome_of(lambda: kubectl.client.patch(path, {"metadata": metadata})),
        ]

        assert [(one.status, "schedulers" in one.message) for one in told] == [(403, True)] * 2
        assert kubectl.client.patch(path, {"metadata": {"labels": {"team": "vision"}}})

    def test_leaves_older_jobs_alone(self, kubectl: TestNamespace, old: Document) -> None:
        """One that breaks it can be labelled, suspended, resumed and deleted by submitters."""
        path = f"{kubectl.jobs}/old"

        kubectl.client.patch(path, {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}})
        kubectl.client.patch(path, {"spec": {"suspend": False}})
        kubectl.client.patch(path, {"spec": {"suspend": True}})
        kubectl.client.delete(path, propagationPolicy="Foreground")

        there = TestNamespace(kubectl.client, NAMESPACE)
        eventually(lambda: _takes(lambda: there.job("old")), lambda found: not found)
        assert old["metadata"]["uid"]

    def test_lets_a_queue_place_jobs(self, stack: Stack[RealCluster], kubectl: TestNamespace) -> None:
        """A controller that may write the status of Jobs, as Kueue may, adds tolerations when it starts one."""
        admin = stack.cluster.plane.admin
        rules = [
            {"apiGroups": ["batch"], "resources": ["jobs", "jobs/status"], "verbs": ["get", "update", "patch"]},
        ]
        rbac = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "queue"}
        user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "queue"}
        admin.apply({**rbac, "kind": "ClusterRole", "metadata": {"name": "queue"}, "rules": rules})
        admin.apply(
            {**rbac, "kind": "ClusterRoleBinding", "metadata": {"name": "queue"}, "roleRef": role, "subjects": [user]}
        )
        kubectl.submit(job("queued"))
        controller = stack.cluster.plane.client("queue", [])
        change = {"spec": {"suspend": False, "template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}

        placed = eventually(lambda: _takes(lambda: controller.patch(f"{kubectl.jobs}/queued", change)), bool)

        assert placed
        controller.close()

    def test_of_a_project_without_a_list_name_no_secret(
        self, stack: Stack[RealCluster], kubectl: TestNamespace
    ) -> None:
        """As older manifests leave it: the refusal and the API both say what to apply."""
        manifests: list[dict[str, Any]] = project_manifests("team-old", ["team-a"])
        del manifests[0]["metadata"]["annotations"]
        stack.cluster.apply(manifests)
        space = TestNamespace(kubectl.client, "researcher-team-old")

        told = outcome_of(lambda: space.submit(job("new", variable("A", **secret("hub"))), "?dryRun=All"))

        assert told.message.endswith("that the annotation researcher.dev/secrets of its namespace lists: none")
        assert space.submit(job("new"), "?dryRun=All")
        with Api(stack) as alice:
            answer = alice.submit("team-old", environment={"A": {"secret": {"name": "hub", "key": "k"}}})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/environment/A/secret/name")

    def test_of_other_namespaces_are_nobodys_business(self, stack: Stack[RealCluster]) -> None:
        """The policy binds Projects."""
        client = stack.cluster.plane.client("dave", ["platform"])
        binding = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dave"}
        metadata = {"name": "dave", "namespace": "default"}
        stack.cluster.plane.admin.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                **binding,
                "subjects": [subject],
            }
        )
        space = TestNamespace(client, "default")

        assert eventually(lambda: _takes(lambda: space.submit(job("new", REFUSED["node"][0]), "?dryRun=All")), bool)
        client.close()


class TestServices:
    """The policy for Services of Projects."""

    @pytest.mark.parametrize("spec", SERVICE_REFUSED.values(), ids=SERVICE_REFUSED)
    def test_refuses_all_but_headless_ones(self, kubectl: TestNamespace, spec: Document) -> None:
        """None publishes pods, or takes the traffic of others."""
        told = outcome_of(lambda: _service(kubectl.client, spec))

        assert (told.status, told.reason) == (403, "Forbidden")
        assert "a Service in a Project is headless" in told.message

    @pytest.mark.parametrize(
        "metadata",
        [{}, {"ownerReferences": [OWNER], "annotations": {"external-dns.alpha.kubernetes.io/hostname": "x"}}],
    )
    def test_refuses_one_that_goes_with_no_job(self, kubectl: TestNamespace, metadata: Document) -> None:
        """Its author could not delete it; nor does a Service say what other controllers should do."""
        body = {"metadata": {"generateName": "s-", **metadata}, "spec": {"clusterIP": "None"}}

        told = outcome_of(lambda: kubectl.client.create(f"{SERVICES}?dryRun=All", body))

        assert (told.status, "belongs to a Job" in told.message) == (403, True)

    def test_refuses_a_change_to_another_kind(self, stack: Stack[RealCluster], kubectl: TestNamespace) -> None:
        """To administrators, too; submitters may change none."""
        admin = stack.cluster.plane.admin
        owner = {**OWNER, "name": "owner", "uid": kubectl.submit(job("owner"))["metadata"]["uid"]}
        made = kubectl.client.create(
            SERVICES,
            {
                "metadata": {"generateName": "s-", "ownerReferences": [owner]},
                "spec": {"clusterIP": "None", "ports": [{"port": 80}]},
            },
        )
        path = f"{SERVICES}/{made['metadata']['name']}"

        told = outcome_of(lambda: admin.patch(path, {"spec": {"externalIPs": ["8.8.8.8"]}}))

        assert "a Service in a Project is headless" in told.message
        assert admin.patch(path, {"metadata": {"labels": {"a": "b"}}})
        admin.delete(path)


class TestQuotas:
    """What the quotas hold, whatever a policy says."""

    @pytest.mark.parametrize(
        ("pod", "quota"),
        [
            pytest.param({"priorityClassName": name}, "researcher-project-priorities", id=name)
            for name in ("system-cluster-critical", "system-node-critical")
        ]
        + [
            pytest.param(
                {
                    "affinity": {
                        "podAntiAffinity": {
                            "requiredDuringSchedulingIgnoredDuringExecution": [
                                {"topologyKey": "topology.kubernetes.io/zone", "namespaceSelector": {}}
                            ]
                        }
                    }
                },
                "researcher-project-affinity",
                id="affinity",
            )
        ],
    )
    def test_refuse_pods(self, stack: Stack[RealCluster], kubectl: TestNamespace, pod: Document, quota: str) -> None:
        """Those that would preempt, or keep away, the pods of others."""
        del kubectl
        resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
        spec = {**POD, **pod, "containers": [{**MAIN, "resources": resources}]}

        told = outcome_of(
            lambda: stack.cluster.plane.admin.create(
                f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", {"metadata": {"name": "p"}, "spec": spec}
            )
        )

        assert f"exceeded quota: {quota}, requested: pods=1" in told.message

    def test_refuse_load_balancers(self, stack: Stack[RealCluster]) -> None:
        """Where the policy is missing, too."""
        hard = stack.cluster.plane.admin.get(f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/researcher-project")[
            "spec"
        ]["hard"]

        assert {name: hard[name] for name in ("services.loadbalancers", "services.nodeports")} == {
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }


class TestDefaults:
    """The LimitRange, in the pods that the cluster makes."""

    @pytest.mark.parametrize(
        ("asked", "requests", "limits"),
        [
            pytest.param({}, "4Gi", "16Gi", id="nothing"),
            pytest.param({"memory": "64Gi"}, "64Gi", "64Gi", id="more than the default"),
            pytest.param({"memory": "1Gi", "memoryLimit": "2Gi"}, "1Gi", "2Gi", id="both"),
            pytest.param({"memoryLimit": "2Gi"}, "2Gi", "2Gi", id="a limit below the default request"),
        ],
    )
    def test_memory(
        self, stack: Stack[RealCluster], kubectl: TestNamespace, asked: dict[str, Any], requests: str, limits: str
    ) -> None:
        """Each container has a limit, and no Job of the API's is refused for the defaults."""
        name = f"memory-{requests}-{limits}".lower()
        with Api(stack) as alice:
            assert alice.submit(name=name, **asked).status_code == 201

        (pod,) = eventually(lambda: kubectl.pods_of(name), bool)
        resources = pod["spec"]["containers"][0]["resources"]
        assert (resources["requests"]["memory"], resources["limits"]["memory"]) == (requests, limits)
        assert resources["limits"]["ephemeral-storage"] == "50Gi"
        kubectl.client.delete(f"{kubectl.jobs}/{name}", propagationPolicy="Background")


class TestApi:
    """The API's own Jobs under the policies."""

    def test_all_forms_are_taken(self, stack: Stack[RealCluster], kubectl: TestNamespace) -> None:
        """One pod with a Secret, an array and its retry, several nodes, a clone; each is deleted again."""
        del kubectl
        secret = {"TOKEN": {"secret": {"name": "hub", "key": "token"}}}
        failing, forever = ({SIMULATE_VARIABLE: simulated} for simulated in ("exit-3@1", "run-forever"))
        with Api(stack) as alice:
            asked = [
                alice.submit(name="one", environment=secret, largeShm=True, preemptible=True),
                alice.submit(name="array", indexed=True, completions=2, backoffLimitPerIndex=0, environment=failing),
                alice.submit(name="nodes", nodes=2, environment=forever),
                alice.ask("POST", "/jobs/team-a/one/clone", json={"name": "clone"}),
            ]
            alice.await_status("array", "Failed")
            asked.append(alice.ask("POST", "/jobs/team-a/array/retry"))
            again = [alice.ask("POST", f"/jobs/team-a/nodes/{verb}") for verb in ("suspend", "resume")]
            gone = [alice.ask("DELETE", f"/jobs/team-a/{name}") for name in ("one", "array", "nodes", "clone")]

        assert [answer.status_code for answer in (*asked, *again, *gone)] == [201] * 5 + [202] * 2 + [200] * 4
        eventually(lambda: stack.cluster.find(SERVICE, NAMESPACE), lambda services: not services)

    def test_a_project_can_be_deleted(self, stack: Stack[RealCluster], kubectl: TestNamespace) -> None:
        """With Jobs, Services and claims in it; base/ can be applied again."""
        del kubectl
        stack.cluster.apply([*base_manifests(), *project_manifests("team-gone", ["team-a"])])
        with Api(stack) as alice:
            eventually(lambda: alice.submit("team-gone", nodes=2).status_code, lambda status: status == 201)
        admin = stack.cluster.plane.admin

        admin.delete("/api/v1/namespaces/researcher-team-gone")

        eventually(
            lambda: _takes(lambda: admin.get("/api/v1/namespaces/researcher-team-gone")), lambda there: not there
        )
