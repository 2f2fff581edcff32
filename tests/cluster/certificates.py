"""A certificate authority that is created for one control plane."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.localcluster.certificates import authority_key_usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


@dataclass(frozen=True)
class KeyPair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates, and writes them to files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = _new_key()
        self._name = _distinguished_name("test-ca", ())
        builder = _builder(self._name, self._key, authority=True)
        certificate = self._sign(builder.add_extension(authority_key_usage(), critical=True))
        self.certificate = _write(folder / "ca.crt", _pem(certificate))
        self.key = _write(folder / "ca.key", _key_pem(self._key))

    @property
    def pem(self) -> str:
        """The certificate of this authority in PEM."""
        return self.certificate.read_text("ascii")

    def server(self, name: str) -> KeyPair:
        """Issue a certificate for a server on loopback."""
        names = x509.SubjectAlternativeName(_LOOPBACK)
        return self._issue(name, (), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, user: str, groups: Sequence[str]) -> KeyPair:
        """Issue a client certificate for *user* in *groups*."""
        return self._issue(user, groups, ExtendedKeyUsageOID.CLIENT_AUTH)

    def signing_key(self) -> KeyPair:
        """Return a key pair for service account tokens: the API server signs and verifies them with it."""
        key = _new_key()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return KeyPair(_write(self.folder / "tokens.pub", public), _write(self.folder / "tokens.key", _key_pem(key)))

    def _issue(
        self, name: str, groups: Sequence[str], usage: x509.ObjectIdentifier, *extensions: x509.ExtensionType
    ) -> KeyPair:
        key = _new_key()
        builder = _builder(_distinguished_name(name, groups), key, authority=False)
        for extension in (x509.ExtendedKeyUsage([usage]), *extensions):
            builder = builder.add_extension(extension, critical=False)
        stem = f"{len(list(self.folder.glob('*.crt')))}-{name.replace(':', '-')}"
        certificate = _write(self.folder / f"{stem}.crt", _pem(self._sign(builder)))
        return KeyPair(certificate, _write(self.folder / f"{stem}.key", _key_pem(key)))

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.issuer_name(self._name).add_extension(signer, critical=False).sign(self._key, hashes.SHA256())


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _distinguished_name(name: str, groups: Sequence[str]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), *organizations])


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(hours=1))
        .not_valid_after(today + timedelta(days=7))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # kube-apiserver reads service account keys reliably only in this older format.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path
