"""The interface of a cluster for the contract tests, and the cluster of KUBECONFIG."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import config

from tests.cluster.certificates import KeyPair
from tests.cluster.json_client import JsonClient
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.cluster.json_client import Document

_REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


class Target(Protocol):
    """A cluster that tests may change."""

    @property
    def admin(self) -> JsonClient:
        """A client with all permissions."""

    def client(self, user: str, groups: Sequence[str]) -> JsonClient:
        """Return a client for *user* in *groups*; the caller closes it."""

    def apply(self, documents: Iterable[Document]) -> None:
        """Create or update the objects, as an administrator."""

    def remove(self, documents: Iterable[Document]) -> None:
        """Delete the objects, as an administrator."""


class KubeconfigTarget:
    """The cluster of a kubeconfig, which must sign client certificates, as kubeadm's and kind's do."""

    def __init__(self, kubeconfig: Path, workdir: Path) -> None:
        settings = config.new_client_from_config(str(kubeconfig)).configuration
        self._workdir = workdir
        self._authority = settings.ssl_ca_cert
        identity = KeyPair(settings.cert_file, settings.key_file) if settings.cert_file else None
        token = settings.get_api_key_with_prefix("authorization")
        self.admin = JsonClient(settings.host, self._authority, identity, [("Authorization", token)] if token else ())

    def client(self, user: str, groups: Sequence[str]) -> JsonClient:
        """Return a client with a certificate that the cluster has signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        stem = self._workdir / user.replace(":", "-")
        stem.with_suffix(".key").touch(mode=0o600)
        stem.with_suffix(".key").write_bytes(pem)
        stem.with_suffix(".crt").write_bytes(self._sign(_signing_request(key, user, groups)))
        return JsonClient(self.admin.url, self._authority, KeyPair(stem.with_suffix(".crt"), stem.with_suffix(".key")))

    def _sign(self, request: bytes) -> bytes:
        request_object = self.admin.create(
            _REQUESTS,
            {
                "metadata": {"generateName": "contract-"},
                "spec": {
                    "request": base64.b64encode(request).decode("ascii"),
                    "signerName": "kubernetes.io/kube-apiserver-client",
                    "usages": ["client auth"],
                    "expirationSeconds": 3600,
                },
            },
        )
        path = f"{_REQUESTS}/{request_object['metadata']['name']}"
        approval = {"type": "Approved", "status": "True", "reason": "ContractTests", "message": "for an hour"}
        request_object["status"] = {"conditions": [approval]}
        self.admin.request("PUT", f"{path}/approval", request_object)
        return self._wait_for_certificate(path)

    def _wait_for_certificate(self, path: str) -> bytes:
        """Wait for the certificate, on a cluster that signs client certificates, and return it."""
        certificate = eventually(lambda: self.admin.get(path)["status"].get("certificate"))
        self.admin.delete(path)
        return base64.b64decode(certificate)


def _signing_request(key: ec.EllipticCurvePrivateKey, user: str, groups: Sequence[str]) -> bytes:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, user),
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)
