"""The restrictions of a Project for users of kubectl; only the control plane evaluates the admission policies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.kubernetes.jobs import NODE_TYPE, QUEUE_LABEL
from infra.kubernetes.project import base_manifests, project_manifests
from infra.local.local_stack import Stack
from infra.localcluster.kinds import SERVICE
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.cluster.json_client import ErrorResponse, JsonClient
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.namespace import NamespaceClient, error_of

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
    """Return the specification of a pod whose container has one environment variable."""
    return {"containers": [{**MAIN, "env": [{"name": name, **(fields or {"value": value})}]}]}


def resources(kind: str, name: str) -> Document:
    """Return the specification of a pod whose container has one of a resource, or 2 MiB, in *kind*."""
    amounts = {name: "1" if "/" in name else "2Mi", **({"cpu": "1"} if name.startswith("hugepages") else {})}
    return {"containers": [{**MAIN, "resources": {kind: amounts}}]}


def init(pod: Document) -> Document:
    """Return *pod* with its container as an init container."""
    return {"initContainers": [{**pod["containers"][0], "name": "init"}]}


def volume(**fields: Any) -> Document:  # noqa: ANN401 - JSON
    """Return the specification of a pod with one volume."""
    return {"volumes": [{"name": "v", **fields}]}


def ephemeral_volume(**fields: Any) -> Document:  # noqa: ANN401 - JSON
    """Return the specification of a pod with an ephemeral volume."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **fields}
    return volume(ephemeral={"volumeClaimTemplate": {"spec": spec}})


def secret(name: str) -> Document:
    """Return the fields of an environment variable from a Secret."""
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}


def job(name: str, pod: Document | None = None, **spec: Any) -> Document:  # noqa: ANN401 - JSON
    """Return a Job as a user of kubectl writes it."""
    template = {"spec": {**POD, **(pod or {})}}
    return {"metadata": {"name": name}, "spec": {"suspend": True, "template": template, **spec}}


REJECTED: dict[str, tuple[Document, str]] = {
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
    "fraction of a GPU": (init(resources("limits", "nvidia.com/mig-1g.10gb")), "nvidia.com/gpu for a Job"),
    "huge pages": (resources("limits", "hugepages-2Mi"), "nvidia.com/gpu for a Job"),
    "claimed device": ({"resourceClaims": [{"name": "c", "resourceClaimName": "gpu"}]}, "nvidia.com/gpu for a Job"),
    "projected token": (
        volume(projected={"sources": [{"serviceAccountToken": {"audience": "pods.eks.amazonaws.com", "path": "t"}}]}),
        "project other sources",
    ),
    "inline CSI": (volume(csi={"driver": "secrets-store.csi.k8s.io", "readOnly": True}), "csi"),
    "devices": (variable("NVIDIA_VISIBLE_DEVICES"), "devices"),
    "devices from a Secret": (variable("NVIDIA_VISIBLE_DEVICES", **secret("hub")), "devices"),
    "devices by prefix": (variable("HABANA_VISIBLE_DEVICES_", "all"), "devices"),
    "devices of swarm": (variable("DOCKER_RESOURCE_GPU"), "devices"),
    "devices of an init container": (init(variable("AMD_VISIBLE_DEVICES")), "devices"),
    "Secret in a variable": (variable("A", **secret("other")), "lists: hub, wandb"),
    "all variables of a Secret": ({"containers": [{**MAIN, "envFrom": [{"secretRef": {"name": "hub"}}]}]}, "envFrom"),
    "node by selector": ({"nodeSelector": {"kubernetes.io/hostname": "gpu-node-0"}}, "nodeSelector"),
    "node by affinity": ({"affinity": {"nodeAffinity": {}}}, "affinity"),
    "long grace period": ({"terminationGracePeriodSeconds": 601}, "terminationGracePeriodSeconds"),
    "GPU of an init container": (init(resources("limits", "nvidia.com/gpu")), "initContainers"),
    "volume by name": (ephemeral_volume(volumeName="pv-team-b"), "scratch volume"),
    "volume by selector": (ephemeral_volume(selector={}), "scratch volume"),
    "copy of a volume": (ephemeral_volume(dataSource={"kind": "PersistentVolumeClaim", "name": "c"}), "scratch volume"),
    "Secret of an init container": (init(variable("A", **secret("other"))), "lists: hub, wandb"),
    "mounted Secret": (volume(secret={"secretName": "other"}), "lists: hub, wandb"),
    "projected Secret": (volume(projected={"sources": [{"secret": {"name": "other"}}]}), "lists: hub, wandb"),
    "pull Secret": ({"imagePullSecrets": [{"name": "other"}]}, "lists: hub, wandb"),
}
ACCEPTED: dict[str, Document] = {
    "plain": {},
    "preemptible": {"priorityClassName": "researcher-preemptible"},
    "default account": {"serviceAccountName": "default"},
    "instance type": {"nodeSelector": {NODE_TYPE: "p5.48xlarge"}},
    "grace of ten minutes": {"terminationGracePeriodSeconds": 600},
    "scratch volume": ephemeral_volume(),
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
REJECTED_SERVICES: dict[str, Document] = {
    "cluster address": {"ports": [{"port": 80}]},
    "load balancer": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    "node port": {"type": "NodePort", "ports": [{"port": 80}]},
    "external addresses": {"clusterIP": "None", "externalIPs": ["8.8.8.8"], "ports": [{"port": 80}]},
    "external name": {"type": "ExternalName", "externalName": "example.com"},
}


@pytest.fixture(scope="module")
def stack(assets: object) -> Iterator[Stack[RealCluster]]:
    """Start the local cloud on a control plane of its own."""
    del assets  # fails the test if the binaries are missing
    with Stack(partial(RealCluster, run_seconds=0.5)) as stack:
        yield stack


@pytest.fixture(scope="module")
def existing(stack: Stack[RealCluster]) -> Document:
    """Create a Job that violates the policy in many ways, by an administrator, and return it."""
    admin = stack.cluster.plane.admin
    pod = {**variable("A", **secret("other")), "tolerations": [{"operator": "Exists"}], "serviceAccountName": "trainer"}
    return NamespaceClient(admin, NAMESPACE).submit(job("existing", {**pod, "automountServiceAccountToken": True}))


@pytest.fixture(scope="module")
def kubectl(stack: Stack[RealCluster], existing: Document) -> Iterator[NamespaceClient]:
    """Return the Project's namespace as a submitter uses it with kubectl, when the policies are effective."""
    del existing
    client = stack.cluster.plane.client("carol", ["researcher:team-a"])
    namespace = NamespaceClient(client, NAMESPACE)
    probe = job("probe", REJECTED["node"][0])
    eventually(lambda: _is_ok(lambda: namespace.submit(probe, "?dryRun=All")), lambda ok: not ok)
    with_label = {**job("probe"), "metadata": {"name": "probe", "labels": {"priorityClassName": "production"}}}
    eventually(lambda: _is_ok(lambda: namespace.submit(with_label, "?dryRun=All")), lambda ok: not ok)
    eventually(lambda: _is_ok(lambda: _service(client, REJECTED_SERVICES["load balancer"])), lambda ok: not ok)
    yield namespace
    client.close()


def _is_ok(action: Callable[[], object]) -> bool:
    try:
        action()
    except ErrorResponse:
        return False
    return True


def _service(client: JsonClient, spec: Document) -> Document:
    return client.create(
        f"{SERVICES}?dryRun=All", {"metadata": {"generateName": "s-", "ownerReferences": [OWNER]}, "spec": spec}
    )


class TestJobs:
    """The policy for Jobs of Projects."""

    @pytest.mark.parametrize(("pod", "why"), REJECTED.values(), ids=REJECTED)
    def test_rejects_jobs_that_the_api_would_not_create(
        self, kubectl: NamespaceClient, pod: Document, why: str
    ) -> None:
        """A Job with a field that the API never sets is rejected at its creation."""
        created = error_of(lambda: kubectl.submit(job("new", pod), "?dryRun=All"))

        assert created[:2] == (403, "Forbidden")
        assert "'researcher-jobs'" in created.message
        assert why in created.message

    def test_rejects_changes_of_a_suspended_job(self, kubectl: NamespaceClient) -> None:
        """The policy also applies to changes of the pod template of a suspended Job."""
        kubectl.submit(job("mutable"))
        change = {"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}

        error = error_of(lambda: kubectl.client.patch(f"{kubectl.jobs}/mutable", change))

        assert (error.status, "tolerations" in error.message) == (403, True)
        allowed = {"spec": {"template": {"spec": {"nodeSelector": {NODE_TYPE: "p5.48xlarge"}}}}}
        assert kubectl.client.patch(f"{kubectl.jobs}/mutable", allowed)

    @pytest.mark.parametrize("pod", ACCEPTED.values(), ids=ACCEPTED)
    def test_accepts_resources_of_the_project(self, kubectl: NamespaceClient, pod: Document) -> None:
        """Listed Secrets, the Project's PriorityClasses and similar fields are accepted."""
        assert kubectl.submit(job("new", pod), "?dryRun=All")

    @pytest.mark.parametrize(
        "metadata", [{"finalizers": ["example.com/x"]}, {"annotations": {"k8s.v1.cni.cncf.io/networks": "host"}}]
    )
    def test_pods_have_neither_finalizers_nor_annotations(self, kubectl: NamespaceClient, metadata: Document) -> None:
        """Finalizers would keep pods forever, and annotations may configure networks and devices."""
        manifest = job("new")
        manifest["spec"]["template"]["metadata"] = metadata

        error = error_of(lambda: kubectl.submit(manifest, "?dryRun=All"))

        assert (error.status, "template.metadata" in error.message) == (403, True)

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
    def test_rejects_metadata_of_schedulers(self, kubectl: NamespaceClient, metadata: Document) -> None:
        """Scheduler metadata is rejected at creation and later; a queue may be chosen, and other labels may change."""
        manifest = job("new")
        manifest["metadata"] |= metadata
        plain = kubectl.submit({**job("x"), "metadata": {"generateName": "m-", "labels": {QUEUE_LABEL: "default"}}})
        path = f"{kubectl.jobs}/{plain['metadata']['name']}"

        errors = [
            error_of(lambda: kubectl.submit(manifest, "?dryRun=All")),
            error_of(lambda: kubectl.client.patch(path, {"metadata": metadata})),
        ]

        assert [(each.status, "schedulers" in each.message) for each in errors] == [(403, True)] * 2
        assert kubectl.client.patch(path, {"metadata": {"labels": {"team": "vision"}}})

    def test_ignores_existing_jobs(self, kubectl: NamespaceClient, existing: Document) -> None:
        """A submitter may label, suspend, resume and delete an existing Job that violates the policy."""
        path = f"{kubectl.jobs}/existing"

        kubectl.client.patch(path, {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}})
        kubectl.client.patch(path, {"spec": {"suspend": False}})
        kubectl.client.patch(path, {"spec": {"suspend": True}})
        kubectl.client.delete(path, propagationPolicy="Foreground")

        namespace = NamespaceClient(kubectl.client, NAMESPACE)
        eventually(lambda: _is_ok(lambda: namespace.job("existing")), lambda found: not found)
        assert existing["metadata"]["uid"]

    def test_queue_controller_may_add_tolerations(self, stack: Stack[RealCluster], kubectl: NamespaceClient) -> None:
        """A controller that may write the status of Jobs, such as Kueue, may add tolerations when it starts one."""
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

        placed = eventually(lambda: _is_ok(lambda: controller.patch(f"{kubectl.jobs}/queued", change)), bool)

        assert placed
        controller.close()

    def test_project_without_secrets_annotation(self, stack: Stack[RealCluster], kubectl: NamespaceClient) -> None:
        """Without the annotation, as in older manifests, no Secret is allowed; policy and API name the annotation."""
        manifests: list[dict[str, Any]] = project_manifests("team-old", ["team-a"])
        del manifests[0]["metadata"]["annotations"]
        stack.cluster.apply(manifests)
        namespace = NamespaceClient(kubectl.client, "researcher-team-old")

        error = error_of(lambda: namespace.submit(job("new", variable("A", **secret("hub"))), "?dryRun=All"))

        assert error.message.endswith("that the annotation researcher.dev/secrets of its namespace lists: none")
        assert namespace.submit(job("new"), "?dryRun=All")
        with Api(stack) as alice:
            response = alice.submit("team-old", environment={"A": {"secret": {"name": "hub", "key": "k"}}})
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/environment/A/secret/name")

    def test_other_namespaces_are_not_affected(self, stack: Stack[RealCluster]) -> None:
        """The policy applies to Projects only."""
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
        namespace = NamespaceClient(client, "default")

        assert eventually(
            lambda: _is_ok(lambda: namespace.submit(job("new", REJECTED["node"][0]), "?dryRun=All")), bool
        )
        client.close()


class TestServices:
    """The policy for Services of Projects."""

    @pytest.mark.parametrize("spec", REJECTED_SERVICES.values(), ids=REJECTED_SERVICES)
    def test_only_headless_services(self, kubectl: NamespaceClient, spec: Document) -> None:
        """Only headless Services are allowed; others could expose pods or intercept traffic."""
        error = error_of(lambda: _service(kubectl.client, spec))

        assert (error.status, error.reason) == (403, "Forbidden")
        assert "a Service in a Project is headless" in error.message

    @pytest.mark.parametrize(
        "metadata",
        [{}, {"ownerReferences": [OWNER], "annotations": {"external-dns.alpha.kubernetes.io/hostname": "x"}}],
    )
    def test_owner_must_be_a_job(self, kubectl: NamespaceClient, metadata: Document) -> None:
        """A Service without a Job as owner, or with annotations for other controllers, is rejected."""
        body = {"metadata": {"generateName": "s-", **metadata}, "spec": {"clusterIP": "None"}}

        error = error_of(lambda: kubectl.client.create(f"{SERVICES}?dryRun=All", body))

        assert (error.status, "belongs to a Job" in error.message) == (403, True)

    def test_rejects_changes_to_other_types(self, stack: Stack[RealCluster], kubectl: NamespaceClient) -> None:
        """The policy also applies to changes and to administrators; submitters may not change Services."""
        admin = stack.cluster.plane.admin
        owner = {**OWNER, "name": "owner", "uid": kubectl.submit(job("owner"))["metadata"]["uid"]}
        service = kubectl.client.create(
            SERVICES,
            {
                "metadata": {"generateName": "s-", "ownerReferences": [owner]},
                "spec": {"clusterIP": "None", "ports": [{"port": 80}]},
            },
        )
        path = f"{SERVICES}/{service['metadata']['name']}"

        error = error_of(lambda: admin.patch(path, {"spec": {"externalIPs": ["8.8.8.8"]}}))

        assert "a Service in a Project is headless" in error.message
        assert admin.patch(path, {"metadata": {"labels": {"a": "b"}}})
        admin.delete(path)


class TestQuotas:
    """Restrictions that the quotas enforce independently of the policies."""

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
    def test_reject_pods(self, stack: Stack[RealCluster], kubectl: NamespaceClient, pod: Document, quota: str) -> None:
        """Pods that would preempt others, or repel them by anti-affinity, are rejected."""
        del kubectl
        resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
        spec = {**POD, **pod, "containers": [{**MAIN, "resources": resources}]}

        error = error_of(
            lambda: stack.cluster.plane.admin.create(
                f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All", {"metadata": {"name": "p"}, "spec": spec}
            )
        )

        assert f"exceeded quota: {quota}, requested: pods=1" in error.message

    def test_reject_load_balancers(self, stack: Stack[RealCluster]) -> None:
        """Load balancers and node ports are rejected even without the policy."""
        hard = stack.cluster.plane.admin.get(f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/researcher-project")[
            "spec"
        ]["hard"]

        assert {name: hard[name] for name in ("services.loadbalancers", "services.nodeports")} == {
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }


class TestDefaults:
    """The defaults of the LimitRange for pods."""

    @pytest.mark.parametrize(
        ("fields", "requests", "limits"),
        [
            pytest.param({}, "4Gi", "16Gi", id="defaults"),
            pytest.param({"memory": "64Gi"}, "64Gi", "64Gi", id="above the default"),
            pytest.param({"memory": "1Gi", "memoryLimit": "2Gi"}, "1Gi", "2Gi", id="both"),
            pytest.param({"memoryLimit": "2Gi"}, "2Gi", "2Gi", id="a limit below the default request"),
        ],
    )
    def test_memory(
        self, stack: Stack[RealCluster], kubectl: NamespaceClient, fields: dict[str, Any], requests: str, limits: str
    ) -> None:
        """Each container has a memory limit, and the defaults conflict with no Job of the API."""
        name = f"memory-{requests}-{limits}".lower()
        with Api(stack) as alice:
            assert alice.submit(name=name, **fields).status_code == 201

        (pod,) = eventually(lambda: kubectl.pods_of(name), bool)
        resources = pod["spec"]["containers"][0]["resources"]
        assert (resources["requests"]["memory"], resources["limits"]["memory"]) == (requests, limits)
        assert resources["limits"]["ephemeral-storage"] == "50Gi"
        kubectl.client.delete(f"{kubectl.jobs}/{name}", propagationPolicy="Background")


class TestApi:
    """The API's own Jobs under the policies."""

    def test_all_kinds_of_jobs_are_accepted(self, stack: Stack[RealCluster], kubectl: NamespaceClient) -> None:
        """Every kind of Job that the API creates is accepted, and can be suspended, resumed and deleted."""
        del kubectl
        secret = {"TOKEN": {"secret": {"name": "hub", "key": "token"}}}
        failing, forever = ({SIMULATE_VARIABLE: simulated} for simulated in ("exit-3@1", "run-forever"))
        with Api(stack) as alice:
            created = [
                alice.submit(name="one", environment=secret, largeShm=True, preemptible=True),
                alice.submit(name="array", indexed=True, completions=2, backoffLimitPerIndex=0, environment=failing),
                alice.submit(name="nodes", nodes=2, environment=forever),
                alice.request("POST", "/jobs/team-a/one/clone", json={"name": "clone"}),
            ]
            alice.await_status("array", "Failed")
            created.append(alice.request("POST", "/jobs/team-a/array/retry"))
            resumed = [alice.request("POST", f"/jobs/team-a/nodes/{verb}") for verb in ("suspend", "resume")]
            deleted = [alice.request("DELETE", f"/jobs/team-a/{name}") for name in ("one", "array", "nodes", "clone")]

        assert [response.status_code for response in (*created, *resumed, *deleted)] == [201] * 5 + [202] * 2 + [
            200
        ] * 4
        eventually(lambda: stack.cluster.find(SERVICE, NAMESPACE), lambda services: not services)

    def test_project_can_be_deleted(self, stack: Stack[RealCluster], kubectl: NamespaceClient) -> None:
        """A Project with Jobs and Services can be deleted, and base/ applied again."""
        del kubectl
        stack.cluster.apply([*base_manifests(), *project_manifests("team-gone", ["team-a"])])
        with Api(stack) as alice:
            eventually(lambda: alice.submit("team-gone", nodes=2).status_code, lambda status: status == 201)
        admin = stack.cluster.plane.admin

        admin.delete("/api/v1/namespaces/researcher-team-gone")

        eventually(
            lambda: _is_ok(lambda: admin.get("/api/v1/namespaces/researcher-team-gone")), lambda found: not found
        )
