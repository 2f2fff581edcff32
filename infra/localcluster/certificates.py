"""A certificate authority and the certificate of an API server, created for one process."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = ("localhost", "127.0.0.1")
"""The hosts in the certificate of a local server."""
_AUTHORITY = "kubernetes"
"""The name that EKS and kubeadm give to every authority, so a name does not identify one."""
MONTH = (timedelta(hours=-1), timedelta(days=30))


@dataclass(frozen=True)
class ServerIdentity:
    """A TLS context for a server on loopback, and its certificate authority in PEM."""

    context: ssl.SSLContext
    ca_pem: str


@dataclass(frozen=True)
class Shape:
    """The extensions of an authority besides BasicConstraints, and the validity of it and its certificates.

    The default is what EKS issues for new clusters. Without *key_identifiers*, neither the authority nor its
    certificates have any, because Go omits them from a certificate whose authority has none.
    """

    key_usage: bool = True
    key_identifiers: bool = True
    authority_valid: tuple[timedelta, timedelta] = MONTH
    """Start and end of the validity, relative to now."""
    server_valid: tuple[timedelta, timedelta] = MONTH
    hosts: tuple[str, ...] = LOOPBACK


def server_identity(shape: Shape = Shape()) -> ServerIdentity:
    """Create an authority and a server certificate that it signs."""
    ca_key, key = _key(), _key()
    ca = _authority(shape, ca_key)
    chain = _private_pem(key) + _pem(_server_certificate(shape, key, ca_key))
    return ServerIdentity(_server_context(chain), _pem(ca).decode())


def authority_key_usage() -> x509.KeyUsage:
    """Return the key usage of a certificate authority, as the Kubernetes tools set it."""
    return _key_usage(signs_certificates=True)


def _authority(shape: Shape, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = _builder(_AUTHORITY, key, shape.authority_valid)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if shape.key_usage:
        builder = builder.add_extension(authority_key_usage(), critical=True)
    if shape.key_identifiers:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


def _server_certificate(
    shape: Shape, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    builder = _builder("kube-apiserver", key, shape.server_valid)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(_alternative_names(shape.hosts)), critical=False)
    if shape.key_identifiers:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(issuer, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _builder(
    subject: str, key: ec.EllipticCurvePrivateKey, valid: tuple[timedelta, timedelta]
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(_AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + valid[0])
        .not_valid_after(now + valid[1])
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(hosts: tuple[str, ...]) -> Iterator[x509.GeneralName]:
    for host in hosts:
        try:
            yield x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            yield x509.DNSName(host)


def _server_context(chain: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:  # ssl loads keys from files only
        path = Path(folder, "server.pem")
        path.touch(mode=0o600)
        path.write_bytes(chain)
        context.load_cert_chain(path)
    return context


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
