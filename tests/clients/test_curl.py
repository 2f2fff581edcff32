"""The API with curl: exit codes for scripts, compression, caching, and unsupported methods."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.api import IMAGE, Api, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.local_stack import Stack


class Result(NamedTuple):
    """The result of curl: exit code, status, headers by lower-case name, and body."""

    exit_code: int
    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture
def curl(stack: Stack) -> Callable[..., Result]:
    """Return a function that runs curl with alice's token on a path, with further options."""
    bearer = token(stack, "alice")

    def run(path: str, *options: str) -> Result:
        command = ["curl", "-sSi", "-H", f"Authorization: Bearer {bearer}", *options, f"{stack.base_url}{path}"]
        result = subprocess.run(command, check=False, capture_output=True)
        head, _, body = result.stdout.partition(b"\r\n\r\n")
        first, *lines = head.decode().splitlines()
        pairs = (line.partition(": ") for line in lines)
        return Result(
            result.returncode, int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body.decode()
        )

    return run


def submission(**fields: object) -> tuple[str, ...]:
    """Return the options that submit a Job."""
    return ("-H", "Content-Type: application/json", "-d", json.dumps({"project": "team-a", "image": IMAGE, **fields}))


class TestLifecycle:
    """A Job, from its submission to its deletion."""

    def test_lists_projects(self, curl: Callable[..., Result]) -> None:
        """The caller's Projects are listed, and no others."""
        result = curl("/projects")

        assert [project["name"] for project in json.loads(result.body)["data"]] == ["team-a", "team-shared"]

    def test_submits_inspects_lists_and_deletes(self, curl: Callable[..., Result]) -> None:
        """One command each submits, gets, lists and deletes the same Job."""
        created = curl("/jobs", *submission(name="lived"))
        single, page = curl("/jobs/team-a/lived"), curl("/jobs/team-a?limit=500")
        deleted = curl("/jobs/team-a/lived", "-X", "DELETE")

        assert [result.status for result in (created, single, page, deleted)] == [201, 200, 200, 200]
        uid = json.loads(created.body)["id"]
        assert [job["id"] for job in json.loads(single.body)["data"]] == [uid]
        assert uid in [job["id"] for job in json.loads(page.body)["data"]]
        assert json.loads(deleted.body)["ok"] is True


class TestScripts:
    """Exit codes and headers for shell scripts."""

    def test_success_exits_with_0(self, curl: Callable[..., Result]) -> None:
        """With `-f`, a successful request exits with 0."""
        assert curl("/projects", "-f").exit_code == 0

    def test_an_error_fails_without_its_body(self, curl: Callable[..., Result]) -> None:
        """With `-f`, an error exits with 22 and writes nothing to the output."""
        result = curl("/jobs/team-b", "-f")

        assert (result.exit_code, result.status, result.body) == (22, 403, "")

    def test_an_error_fails_with_its_body(self, curl: Callable[..., Result]) -> None:
        """With `--fail-with-body`, an error exits with 22 and writes the problem document."""
        result = curl("/jobs/team-b", "--fail-with-body")

        assert (result.exit_code, json.loads(result.body)["code"]) == (22, "forbidden")

    def test_retry_creates_one_job(self, curl: Callable[..., Result]) -> None:
        """The same command twice, as with `--retry`, creates one Job."""
        results = [curl("/jobs", *submission(gpu=1), "-H", "Idempotency-Key: retried") for _ in range(2)]

        assert len({json.loads(each.body)["id"] for each in results}) == 1
        assert [each.headers.get("idempotent-replayed") for each in results] == [None, "true"]

    def test_location(self, stack: Stack, curl: Callable[..., Result]) -> None:
        """The Location header is the path of the Job."""
        location = curl("/jobs", *submission(name="followed")).headers["location"]

        path = location.removeprefix("/researcher/api/v1")
        assert stack.base_url.endswith("/researcher/api/v1")
        assert json.loads(curl(path).body)["data"][0]["name"] == "followed"


class TestTransfer:
    """Compression, caching and connections."""

    def test_compression(self, curl: Callable[..., Result]) -> None:
        """A long response is compressed on request, with the same content."""
        plain, compressed = curl("/openapi.json"), curl("/openapi.json", "--compressed")

        assert compressed.headers["content-encoding"] == "gzip"
        assert int(compressed.headers["content-length"]) * 4 < int(plain.headers["content-length"])
        assert compressed.body == plain.body

    @pytest.mark.parametrize("form", [pytest.param("{}", id="its ETag"), pytest.param("W/{}", id="its weak ETag")])
    def test_unchanged_job(self, stack: Stack, curl: Callable[..., Result], form: str) -> None:
        """For an unchanged Job the response is 304 with its ETag and without a body."""
        with Api(stack) as alice:
            tag = alice.create_pending_job("watched")

        result = curl("/jobs/team-a/watched", "--compressed", "-H", f"If-None-Match: {form.format(tag)}")

        assert (result.status, result.headers["etag"], result.body) == (304, tag, "")

    def test_changed_job(self, curl: Callable[..., Result]) -> None:
        """For another ETag the response is 200 with the Job."""
        curl("/jobs", *submission(name="changed"))

        result = curl("/jobs/team-a/changed", "-H", 'If-None-Match: "1.00000000"')

        assert (result.status, json.loads(result.body)["data"][0]["name"]) == (200, "changed")

    def test_responses_are_not_cached(self, curl: Callable[..., Result]) -> None:
        """Responses for a caller must not be cached."""
        assert curl("/projects").headers["cache-control"] == "no-store"

    def test_keep_alive(self, stack: Stack) -> None:
        """Several requests use one connection."""
        transfers = ["-o", "/dev/null", f"{stack.base_url}/health"] * 5
        command = ["curl", "-sS", "-w", "%{num_connects} ", *transfers]
        result = subprocess.run(command, check=True, capture_output=True, text=True)

        assert result.stdout.split() == ["1", "0", "0", "0", "0"]


class TestInvalidRequests:
    """Invalid requests."""

    @pytest.mark.parametrize(
        ("options", "path", "status"),
        [
            pytest.param(["-X", "PUT"], "/jobs/team-a/x", 405, id="an unsupported method"),
            pytest.param(["-X", "OPTIONS"], "/jobs", 405, id="OPTIONS without CORS"),
            pytest.param(["-X", "BREW"], "/jobs", 405, id="an unknown method"),
            pytest.param([], "/nothing", 404, id="an unknown path"),
            pytest.param(["--path-as-is"], "/jobs/team-a/../team-b", 404, id="dot segments"),
            pytest.param([], "/jobs/team-a%2Fteam-b", 400, id="an encoded slash"),
            pytest.param([], "/jobs/team-a/x%00y", 400, id="an encoded NUL"),
            pytest.param(["-H", "Content-Type: application/json", "-d", "{"], "/jobs", 400, id="incomplete JSON"),
        ],
    )
    def test_response_is_a_problem(
        self, curl: Callable[..., Result], options: list[str], path: str, status: int
    ) -> None:
        """The response is a problem document with the right status."""
        result = curl(path, *options)

        assert result.headers["content-type"] == "application/problem+json"
        assert result.status == json.loads(result.body)["status"] == status

    @pytest.mark.parametrize(("path", "status"), [("/health", 405), ("/nothing", 404)])
    def test_head_has_no_body(self, curl: Callable[..., Result], path: str, status: int) -> None:
        """The response to HEAD has the Content-Length of the problem document and no body."""
        result = curl(path, "-I")

        assert (result.exit_code, result.status, result.body) == (0, status, "")
        assert int(result.headers["content-length"]) > 0

    def test_allow_header(self, curl: Callable[..., Result]) -> None:
        """A 405 has the supported methods in its Allow header."""
        assert curl("/jobs/team-a/x", "-X", "PUT").headers["allow"] == "DELETE, GET"
