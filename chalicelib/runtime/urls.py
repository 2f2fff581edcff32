"""The URLs of this deployment, which has its domain name, and perhaps a stage in its paths, from API Gateway."""

from __future__ import annotations

ROOT = "/researcher/api"
"""The path below which all routes are."""
LOOPBACK = ("localhost", "127.0.0.1")


def server_url(domain: str, path: str) -> str:
    """Return the URL of this deployment, absolute for clients outside a browser; only `make run` serves plain HTTP."""
    scheme = "http" if domain.partition(":")[0] in LOOPBACK else "https"
    return f"{scheme}://{domain}{path}" if domain else path


def docs_url(domain: str, path: str) -> str | None:
    """Return the URL of the documentation page for a request to *path*; None if the request does not have it."""
    stage, root, _ = path.partition(ROOT + "/")
    return f"{server_url(domain, stage + ROOT)}/docs" if domain and root else None
