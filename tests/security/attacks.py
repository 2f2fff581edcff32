"""The attacks of this suite and the promise for each; every test belongs to one, and each is a row of the table."""

from __future__ import annotations

import os

CASES = int(os.environ.get("CASES") or 200)
"""The number of cases of each generated attack; CASES=10000 takes minutes, and gives the figures of tests/README.md."""

ATTACKS = {
    "tokens": "hostile bearer tokens: always 401 with the same body, and no key is fetched for a malformed token",
    "providers": "tokens of Cognito, Keycloak, Entra ID, Okta and Auth0: access tokens accepted, others rejected",
    "keys": "an issuer that fails, floods or rotates: known keys keep working, at most one fetch in 30 seconds",
    "headers": "smuggled headers: the cluster gets a fixed set of headers, and none from the client",
    "names": "generated Project and Job names: no request leaves the Jobs of Projects",
    "specs": "generated Submissions: restricted Pod Security, and only the listed pod fields",
    "strict": "generated Submissions as dry runs: all pass the API server's strict validation",
    "bodies": "malformed bodies: always a client error, with little CPU time",
    "document": "requests from the OpenAPI document: all checks of Schemathesis pass, no 500, other Projects unchanged",
    "objects": "unusual Jobs, statuses, pods and events by kubectl: every Project is listed, cleaned up and announced",
    "faults": "a faulty cluster: the right status in time, and no duplicate Job",
    "outages": "credentials and certificates that expire or fail: success, or a stable error code",
    "secrets": "secrets in all inputs: none in logs, metrics, errors, statuses, events or Receipts",
    "load": "concurrent scripts on a faulty cluster: no wrong response, no lost or duplicate Job, constant memory",
}
"""The promise of each attack."""
