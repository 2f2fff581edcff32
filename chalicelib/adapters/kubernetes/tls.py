"""TLS to the cluster with the cluster's own certificate authority, verified as kubectl does.

Python 3.13 and urllib3 set VERIFY_X509_STRICT, which rejects certificates that RFC 5280 allows and that EKS has issued:
the certificate authority of a cluster that was created on Kubernetes 1.16 or earlier has no key identifiers, and an
upgrade never replaces it (https://github.com/kubernetes-client/python/issues/2394). So only this flag is cleared, and
only for this authority; the chain, the host name and the dates are verified on every version of Python.
"""

from __future__ import annotations

import re
import ssl

from urllib3.util.ssl_ import create_urllib3_context

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def cluster_contexts(authorities: str) -> list[ssl.SSLContext]:
    """Return a TLS context for each of *authorities*, which trusts this authority and nothing else.

    Args:
        authorities: certificates in PEM. An empty string results in one context that trusts no server.

    Raises:
        ValueError, ssl.SSLError: *authorities* is not empty and has no valid certificate.
    """
    certificates = _CERTIFICATE.findall(authorities)
    if authorities and not certificates:
        raise ValueError("no certificate in PEM")
    return [_context(certificate) for certificate in certificates or [""]]


def _context(authority: str) -> ssl.SSLContext:
    # With explicit verify_flags urllib3 does not add VERIFY_X509_STRICT.
    # VERIFY_X509_PARTIAL_CHAIN trusts an intermediate authority; Python 3.13 sets it by default, 3.11 does not.
    context = create_urllib3_context(verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN)
    if authority:
        context.load_verify_locations(cadata=authority)
    return context
