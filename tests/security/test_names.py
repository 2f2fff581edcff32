"""Generated names in paths, queries and bodies: no request leaves the Jobs of Projects."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from chalicelib.domain.names import JOB_PATTERN, PROJECT_PATTERN
from tests.product.test_names import cluster_paths
from tests.security.attacks import CASES
from tests.security.hostile_tokens import bearer
from tests.security.sending import send_raw

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster
    from tests.support.attack_recorder import Counter

pytestmark = pytest.mark.attack("names")

BATCH = 500
"""Names between two checks of the requests to the cluster; the embedded one records 10,000 requests."""
PIECES = [
    ".", "..", "/", "//", "\\", "%2e", "%2E%2e", "%2f", "%252e", "%252f", "%5c", "%00", "\x00", "%0a", "\n", "\r\n",
    "%0d%0a", "?", "%3f", "#", "%23", "&", "=", ";", ":", "@", "*", "+", " ", "%20", "-", "_", "~", "a", "A", "0",
    "team-a", "team-b", "researcher-team-b", "jobs", "namespaces", "kube-system", "api", "apis/batch/v1", "pods",
    "secrets", "\u00e4", "\u202e", "\uff05\uff12\uff45", "\ud800", "\u3002", "a" * 63, "x" * 300, "%c0%ae", "%c0%af",
    "..;", "train-1", "train.1", "default", "$(id)", "{}", "[0]", '"',
]  # fmt: skip
NAME, LABEL = rf"(?=.{{1,253}}(\?|$)){JOB_PATTERN}", PROJECT_PATTERN
INSIDE = re.compile(
    rf"/apis/batch/v1/namespaces/researcher-{LABEL}/jobs(/{NAME})?(\?[!-~]*)?"
    rf"|/api/v1/namespaces/researcher-{LABEL}/pods\?[!-~]*"
    r"|/api/v1/namespaces\?labelSelector=researcher.dev%2Fproject&limit=500"
    r"|/apis/authorization.k8s.io/v1/selfsubject(access|rules)reviews"
)
"""All requests that the API may send to the API server. JOB_PATTERN has no empty label, so no dot-dot."""


def odd_names(count: int) -> list[str]:
    """Return names of one to five pieces; the same in every run."""
    nonce = random.Random(0)  # noqa: S311 - repeatable on purpose
    return ["".join(nonce.choices(PIECES, k=nonce.randint(1, 5))) for _ in range(count)]


def statuses(stack: Stack[Any], headers: list[tuple[str, str]], name: str) -> list[int]:
    """Return the statuses of every function that takes a name: in the path, raw and quoted, and in the body."""
    raw = name.encode("utf-8", "surrogatepass").decode("latin-1").replace(" ", "+")
    quoted = quote(name, safe="", errors="surrogatepass")
    places = [
        path.format(value) for value in (raw, quoted) for path in ("/jobs/{}", "/jobs/team-a/{}", "/jobs/{}/train-1")
    ]
    bodies = [{"project": name, "image": "x"}, {"project": "team-a", "name": name, "image": "x", "gpu": 9}]
    responses = [send_raw(stack, method, place, headers) for place in places for method in ("GET", "DELETE")]
    responses += [send_raw(stack, "POST", "/jobs?dryRun=true", headers, {"job": body}) for body in bodies]
    responses.append(send_raw(stack, "DELETE", "/jobs", headers, [{"project": name, "name": name}]))
    return [response.status for response in responses]


def test_pattern_of_allowed_requests(counter: Counter) -> None:
    """The pattern of allowed requests matches no path outside of Projects."""
    counter.count(0)
    jobs = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
    suffixes = ["/..", "/.", "/", "/a/b", "/a%2fb", "/" + "a" * 254, "/a..b", "?a b", "/../../pods", "/a?b#c\n"]
    outside = [jobs + suffix for suffix in suffixes] + [
        jobs.replace("researcher-team-a", "kube-system"),
        "/api/v1/secrets",
    ]

    assert all(INSIDE.fullmatch(inside) for inside in (jobs, f"{jobs}/train.1", f"{jobs}?limit=1"))
    assert [path for path in outside if INSIDE.fullmatch(path)] == []


def test_generated_names_stay_in_projects(stack: Stack[EmbeddedCluster | RealCluster], counter: Counter) -> None:
    """Every response is a success or a client error, and every request to the cluster is for a Project's Jobs."""
    headers = bearer(stack.issuer.mint("alice"))
    names = odd_names(CASES)
    unexpected: set[str] = set()

    for start in range(0, CASES, BATCH):
        for name in names[start : start + BATCH]:
            counter.measure("highest status", max(statuses(stack, headers, name)))
        unexpected |= {path for path in cluster_paths(stack) if not INSIDE.fullmatch(path)}

    counter.count(CASES)
    assert unexpected == set()
    assert counter.largest["highest status"] < 500
