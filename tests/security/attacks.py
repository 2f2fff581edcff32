"""The attacks of this suite: what holds under each; every test here belongs to one, and each is a row of the table."""

from __future__ import annotations

import os

CASES = int(os.environ.get("CASES") or 200)
"""How many cases of each generated attack; CASES=10000 takes minutes, and makes the figures of tests/README.md."""

ATTACKS = {
    "tokens": "hostile bearer tokens: each 401, one body for all, no keys fetched for a malformed one",
    "providers": "tokens of Cognito, Keycloak, Entra ID, Okta and Auth0: theirs taken, their neighbours' refused",
    "keys": "an issuer that fails, floods or rotates: known keys work on, at most one fetch in 30 seconds",
    "headers": "smuggled headers: the cluster gets the golden set, and nothing of the client's",
    "names": "generated project and job names: no path leaves the Jobs of Projects",
    "specs": "generated Submissions: restricted Pod Security, and no field beyond the list",
    "strict": "generated Submissions, dry run: none fails the API server's strict validation",
    "bodies": "malformed bodies: each a client's error, cheap to refuse",
    "document": "requests made from the OpenAPI document: every check of Schemathesis holds, no 500, others' Jobs stay",
    "objects": "odd Jobs, statuses, pods and events by kubectl: every Project is listed, cleaned up, announced",
    "faults": "a faulty cluster: the right status in time, no Job twice",
    "outages": "credentials and certificates that expire or fail: nothing shown, or a stable code",
    "secrets": "secrets in all that goes in: none comes out in logs, metrics, errors, statuses, events or Receipts",
    "load": "scripts at once on a faulty cluster: no wrong answer, no Job lost or twice; memory stays flat",
}
"""Attack to what it is and what holds."""
