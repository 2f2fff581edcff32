"""TLS to the cluster: its own certificate authority, checked as kubectl checks it.

Python 3.13 and urllib3 set VERIFY_X509_STRICT, which refuses certificates that RFC 5280 allows and that EKS has issued:
the certificate authority of a cluster that was created on Kubernetes 1.16 or earlier has no key identifiers, and an
upgrade never replaces it (https://github.com/kubernetes-client/python/issues/2394). So this flag alone is cleared, for
this authority alone: the chain, the host name and the dates are checked on every version of Python.
"""

from __future__ import annotations

import re
import ssl

from urllib3.util.ssl_ import create_urllib3_context

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def cluster_contexts(authorities: str) -> list[ssl.SSLContext]:
    """Return a TLS context for each of *authorities*, which trusts this authority and nothing else.

    Args:
        authorities: certificates, PEM. An empty text results in one context that trusts no server.

    Raises:
        ValueError, ssl.SSLError: *authorities* is neither empty nor certificates.
    """
    certificates = _CERTIFICATE.findall(authorities)
    if authorities and not certificates:
        raise ValueError("no certificate in PEM")
    return [_context(certificate) for certificate in certificates or [""]]


def _context(authority: str) -> ssl.SSLContext:
    # urllib3 adds the flags that it is given to those that are set, so leaving VERIFY_X509_STRICT out is enough.
    # A partial chain may end at an intermediate authority that is trusted; 3.13 sets this, and 3.11 does not.
    context = create_urllib3_context(verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN)
    if authority:
        context.load_verify_locations(cadata=authority)
    return context
