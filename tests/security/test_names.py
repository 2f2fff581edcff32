"""Generated names in paths, queries and bodies: no request leaves the Jobs of Projects."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from chalicelib.domain.names import JOB_PATTERN, PROJECT_PATTERN
from tests.product.test_names import upstream
from tests.security.attacks import CASES
from tests.security.hostile_tokens import bearer
from tests.security.sending import sent

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster
    from tests.support.attack_recorder import Counter

pytestmark = pytest.mark.attack("names")

BATCH = 500
"""Names between two looks at what the cluster was asked; the embedded one remembers 10,000 requests."""
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
"""What the API asks the API server at all. JOB_PATTERN has no empty label, and so no dot-dot."""


def odd_names(count: int) -> list[str]:
    """Names of one to five pieces; the same in every run."""
    nonce = random.Random(0)  # noqa: S311 - repeatable on purpose
    return ["".join(nonce.choices(PIECES, k=nonce.randint(1, 5))) for _ in range(count)]


def statuses(stack: Stack[Any], headers: list[tuple[str, str]], name: str) -> list[int]:
    """What every function that takes a name answers to it: as it stands in the path, quoted, and in a body."""
    raw = name.encode("utf-8", "surrogatepass").decode("latin-1").replace(" ", "+")
    quoted = quote(name, safe="", errors="surrogatepass")
    places = [path.format(one) for one in (raw, quoted) for path in ("/jobs/{}", "/jobs/team-a/{}", "/jobs/{}/train-1")]
    bodies = [{"project": name, "image": "x"}, {"project": "team-a", "name": name, "image": "x", "gpu": 9}]
    asked = [sent(stack, method, place, headers) for place in places for method in ("GET", "DELETE")]
    asked += [sent(stack, "POST", "/jobs?dryRun=true", headers, {"job": body}) for body in bodies]
    asked.append(sent(stack, "DELETE", "/jobs", headers, [{"project": name, "name": name}]))
    return [reply.status for reply in asked]


def test_pattern_of_what_is_asked_holds_no_way_out(counter: Counter) -> None:
    """The judge of the test below, judged."""
    counter.tried(0)
    jobs = "/apis/batch/v1/namespaces/researcher-team-a/jobs"
    ways_out = ["/..", "/.", "/", "/a/b", "/a%2fb", "/" + "a" * 254, "/a..b", "?a b", "/../../pods", "/a?b#c\n"]
    outside = [jobs + way for way in ways_out] + [jobs.replace("researcher-team-a", "kube-system"), "/api/v1/secrets"]

    assert all(INSIDE.fullmatch(inside) for inside in (jobs, f"{jobs}/train.1", f"{jobs}?limit=1"))
    assert [path for path in outside if INSIDE.fullmatch(path)] == []


def test_generated_names_reach_nothing_else(stack: Stack[EmbeddedCluster | RealCluster], counter: Counter) -> None:
    """Every answer is the client's fault or a good name's; every path upstream is of a Project's Jobs."""
    headers = bearer(stack.issuer.mint("alice"))
    names = odd_names(CASES)
    odd: set[str] = set()

    for start in range(0, CASES, BATCH):
        for name in names[start : start + BATCH]:
            counter.measured("highest status", max(statuses(stack, headers, name)))
        odd |= {path for path in upstream(stack) if not INSIDE.fullmatch(path)}

    counter.tried(CASES)
    assert odd == set()
    assert counter.most["highest status"] < 500
