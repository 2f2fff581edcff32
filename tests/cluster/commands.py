"""The command lines of a control plane, as similar to a managed cluster as loopback allows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.certificates import KeyPair

Command = tuple[str, ...]

CONTROLLERS = (
    "certificatesigningrequest-signing",
    "clusterrole-aggregation",
    "cronjob",
    "ephemeral-volume",
    "garbage-collector",
    "job",
    "namespace",
    "node-lifecycle",
    "persistentvolume-binder",
    "pod-garbage-collector",
    "resourcequota",
    "serviceaccount",
    "taint-eviction",
    "ttl-after-finished",
)

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True)
class Files:
    """The folders of the control plane, and its certificates and keys."""

    assets: Path
    workdir: Path
    authority: KeyPair
    serving: KeyPair
    tokens: KeyPair

    @property
    def audit_log(self) -> Path:
        """The audit log; each line is an event."""
        return self.workdir / "audit.log"


def etcd(files: Files, url: str, peer_url: str) -> Command:
    """Return the command of the database, which listens at *url*."""
    return (
        str(files.assets / "etcd"),
        f"--data-dir={files.workdir / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        # The data does not outlive the process, so it need not reach the disk.
        "--unsafe-no-fsync",
    )


def api_server(files: Files, url: str, database_url: str, webhook: Path | None) -> Command:
    """Return the command of the API server; the file *webhook* configures the authentication of bearer tokens."""
    policy = files.workdir / "audit-policy.json"
    policy.write_text(json.dumps(AUDIT_POLICY), "utf-8")
    return (
        *_server(files, "kube-apiserver", url),
        f"--etcd-servers={database_url}",
        f"--client-ca-file={files.authority.certificate}",
        "--authorization-mode=Node,RBAC",
        # Pod Security, quota, limit ranges, service accounts and priorities are on by default.
        "--enable-admission-plugins=NodeRestriction",
        # A page token expires after twice this interval; a managed cluster compacts every five minutes.
        "--etcd-compaction-interval=5s",
        # As on EKS: Pod Security decides about privileged pods.
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.tokens.certificate}",
        f"--service-account-signing-key-file={files.tokens.key}",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={files.audit_log}",
        # The API server cannot be an endpoint of the cluster on loopback, and would log that every few seconds.
        "--endpoint-reconciler-type=none",
        # A pod is evicted at once from a node that is lost, instead of after five minutes.
        "--default-not-ready-toleration-seconds=0",
        "--default-unreachable-toleration-seconds=0",
        *(_webhook_flags(webhook) if webhook else ()),
    )


def controller_manager(files: Files, url: str, kubeconfig: Path) -> Command:
    """Return the command of the controllers that Jobs and namespaces need, with its health endpoint at *url*."""
    return (
        *_server(files, "kube-controller-manager", url),
        *_client(kubeconfig),
        f"--controllers={','.join(f'{name}-controller' for name in CONTROLLERS)}",
        # A node is lost after ten heartbeats; the default is 50 seconds.
        "--node-monitor-grace-period=10s",
        "--node-monitor-period=1s",
        f"--cluster-signing-cert-file={files.authority.certificate}",
        f"--cluster-signing-key-file={files.authority.key}",
    )


def scheduler(files: Files, url: str, kubeconfig: Path) -> Command:
    """Return the command of the scheduler, with its health endpoint at *url*."""
    return (*_server(files, "kube-scheduler", url), *_client(kubeconfig))


def _server(files: Files, binary: str, url: str) -> Command:
    return (
        str(files.assets / binary),
        "--bind-address=127.0.0.1",
        f"--secure-port={urlsplit(url).port}",
        f"--tls-cert-file={files.serving.certificate}",
        f"--tls-private-key-file={files.serving.key}",
    )


def _client(kubeconfig: Path) -> Command:
    return (f"--kubeconfig={kubeconfig}", "--leader-elect=false")


def _webhook_flags(webhook: Path) -> Command:
    return (
        f"--authentication-token-webhook-config-file={webhook}",
        "--authentication-token-webhook-version=v1",
    )
