"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import urllib3
from urllib3.exceptions import HTTPError

from tests.cluster import commands
from tests.cluster.certificates import Authority, KeyPair
from tests.cluster.json_client import JsonClient
from tests.cluster.kubeconfig import write_kubeconfig
from tests.cluster.processes import Processes, free_port
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cluster.json_client import Document


@dataclass(frozen=True)
class TokenWebhook:
    """The webhook that authenticates bearer tokens for the API server, and its certificate authority."""

    url: str
    ca_pem: str


class ControlPlane:
    """A control plane from the binaries in *assets*, with its data in *workdir*; a context manager."""

    def __init__(self, assets: Path, workdir: Path, token_webhook: TokenWebhook | None = None) -> None:
        self._authority = Authority(workdir)
        self._files = commands.Files(
            assets,
            workdir,
            KeyPair(self._authority.certificate, self._authority.key),
            self._authority.server("control-plane"),
            self._authority.signing_key(),
        )
        self._webhook = token_webhook
        admin = self._authority.client("admin", ["system:masters"])
        self.url = _free_url()
        self.ca_pem = self._authority.pem
        self.admin_kubeconfig = write_kubeconfig(workdir / "admin.kubeconfig", self.url, self.ca_pem, admin)
        self.admin = JsonClient(self.url, self._authority.certificate, admin)

    def client(self, user: str, groups: Sequence[str]) -> JsonClient:
        """Return a client with a certificate for *user* in *groups*; the caller closes it."""
        return JsonClient(self.url, self._authority.certificate, self._authority.client(user, groups))

    def audit_lines(self) -> list[Document]:
        """Return the events of the audit log so far."""
        return [json.loads(line) for line in self._files.audit_log.read_text("utf-8").splitlines()]

    def __enter__(self) -> Self:
        """Start all processes, and return the control plane when it is ready."""
        self._processes = Processes(self._files.workdir)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all processes, and wait until they have ended."""
        self._stop()

    def _start(self) -> None:
        files, database = self._files, _free_url("http")
        controllers, scheduler = _free_url(), _free_url()
        self._processes.start("etcd", *commands.etcd(files, database, _free_url("http")))
        self._processes.start("kube-apiserver", *commands.api_server(files, self.url, database, self._webhook_file()))
        self._wait_for(self.url)
        self._processes.start(
            "kube-controller-manager", *commands.controller_manager(files, controllers, self.admin_kubeconfig)
        )
        self._processes.start("kube-scheduler", *commands.scheduler(files, scheduler, self.admin_kubeconfig))
        self._wait_for(controllers, "/healthz")
        self._wait_for(scheduler)

    def _webhook_file(self) -> Path | None:
        if self._webhook is None:
            return None
        return write_kubeconfig(self._files.workdir / "webhook.kubeconfig", self._webhook.url, self._webhook.ca_pem)

    def _wait_for(self, url: str, path: str = "/readyz") -> None:
        with urllib3.PoolManager(ca_certs=str(self._authority.certificate), retries=False, timeout=2) as pool:
            eventually(lambda: self._is_ready(pool, url + path))

    def _is_ready(self, pool: urllib3.PoolManager, url: str) -> bool:
        """Return whether *url* responds with 200; raise the end of its log if a process has ended."""
        self._processes.check()
        return _is_ok(pool, url)

    def _stop(self) -> None:
        self.admin.close()
        self._processes.stop()


def _is_ok(pool: urllib3.PoolManager, url: str) -> bool:
    try:
        return pool.request("GET", url).status == 200
    except HTTPError:
        return False


def _free_url(scheme: str = "https") -> str:
    return f"{scheme}://127.0.0.1:{free_port()}"
