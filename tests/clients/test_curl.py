"""The API by curl: exit codes for scripts, compression, caching, and methods that no path answers."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.api import IMAGE, Api, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.local_stack import Stack


class Told(NamedTuple):
    """What curl told: its exit code, the answer's status, the headers by their small names, and the body."""

    exit_code: int
    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture
def curl(stack: Stack) -> Callable[..., Told]:
    """A call of curl with alice's token, on a path and with further options."""
    bearer = token(stack, "alice")

    def run(path: str, *options: str) -> Told:
        command = ["curl", "-sSi", "-H", f"Authorization: Bearer {bearer}", *options, f"{stack.base_url}{path}"]
        told = subprocess.run(command, check=False, capture_output=True)
        head, _, body = told.stdout.partition(b"\r\n\r\n")
        first, *lines = head.decode().splitlines()
        pairs = (line.partition(": ") for line in lines)
        return Told(
            told.returncode, int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body.decode()
        )

    return run


def submission(**fields: object) -> tuple[str, ...]:
    """The options that submit a Job."""
    return ("-H", "Content-Type: application/json", "-d", json.dumps({"project": "team-a", "image": IMAGE, **fields}))


class TestLife:
    """A Job, from its Project to its end."""

    def test_lists_projects(self, curl: Callable[..., Told]) -> None:
        """The caller's own, and no other."""
        told = curl("/projects")

        assert [project["name"] for project in json.loads(told.body)["data"]] == ["team-a", "team-shared"]

    def test_submits_inspects_lists_and_deletes(self, curl: Callable[..., Told]) -> None:
        """One command each, all of them about the same Job."""
        made = curl("/jobs", *submission(name="lived"))
        one, page = curl("/jobs/team-a/lived"), curl("/jobs/team-a?limit=500")
        gone = curl("/jobs/team-a/lived", "-X", "DELETE")

        assert [told.status for told in (made, one, page, gone)] == [201, 200, 200, 200]
        uid = json.loads(made.body)["id"]
        assert [job["id"] for job in json.loads(one.body)["data"]] == [uid]
        assert uid in [job["id"] for job in json.loads(page.body)["data"]]
        assert json.loads(gone.body)["ok"] is True


class TestScripts:
    """What a shell script relies on."""

    def test_success_ends_with_zero(self, curl: Callable[..., Told]) -> None:
        """`-f` does not mind an answer that is none of an error."""
        assert curl("/projects", "-f").exit_code == 0

    def test_an_error_fails_without_its_body(self, curl: Callable[..., Told]) -> None:
        """`-f` ends with 22 and writes nothing that the next command could take for an answer."""
        told = curl("/jobs/team-b", "-f")

        assert (told.exit_code, told.status, told.body) == (22, 403, "")

    def test_an_error_fails_with_its_body(self, curl: Callable[..., Told]) -> None:
        """`--fail-with-body` ends with 22, and the problem is still there to be logged."""
        told = curl("/jobs/team-b", "--fail-with-body")

        assert (told.exit_code, json.loads(told.body)["code"]) == (22, "forbidden")

    def test_submitting_by_retry_makes_one_job(self, curl: Callable[..., Told]) -> None:
        """The same command twice, as curl's own `--retry` would send it."""
        told = [curl("/jobs", *submission(gpu=1), "-H", "Idempotency-Key: retried") for _ in range(2)]

        assert len({json.loads(one.body)["id"] for one in told}) == 1
        assert [one.headers.get("idempotent-replayed") for one in told] == [None, "true"]

    def test_location_leads_to_the_job(self, stack: Stack, curl: Callable[..., Told]) -> None:
        """The header holds the path that shows the Job."""
        place = curl("/jobs", *submission(name="followed")).headers["location"]

        path = place.removeprefix("/researcher/api/v1")
        assert stack.base_url.endswith("/researcher/api/v1")
        assert json.loads(curl(path).body)["data"][0]["name"] == "followed"


class TestTransfer:
    """Compression, caching and connections."""

    def test_long_answers_are_compressed_for_who_takes_it(self, curl: Callable[..., Told]) -> None:
        """The document shrinks on the wire, and is the same."""
        plain, packed = curl("/openapi.json"), curl("/openapi.json", "--compressed")

        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) * 4 < int(plain.headers["content-length"])
        assert packed.body == plain.body

    @pytest.mark.parametrize(
        "form", [pytest.param("{}", id="its ETag"), pytest.param("W/{}", id="its ETag, made weak")]
    )
    def test_an_unchanged_job_is_not_sent_again(self, stack: Stack, curl: Callable[..., Told], form: str) -> None:
        """304 without a body, and with the same ETag to ask with the next time."""
        with Api(stack) as alice:
            tag = alice.waiting_job("watched")

        told = curl("/jobs/team-a/watched", "--compressed", "-H", f"If-None-Match: {form.format(tag)}")

        assert (told.status, told.headers["etag"], told.body) == (304, tag, "")

    def test_a_changed_job_is_sent(self, curl: Callable[..., Told]) -> None:
        """Another version's ETag stops nothing."""
        curl("/jobs", *submission(name="changed"))

        told = curl("/jobs/team-a/changed", "-H", 'If-None-Match: "1.00000000"')

        assert (told.status, json.loads(told.body)["data"][0]["name"]) == (200, "changed")

    def test_answers_about_callers_are_not_stored(self, curl: Callable[..., Told]) -> None:
        """No cache between keeps what one caller may see."""
        assert curl("/projects").headers["cache-control"] == "no-store"

    def test_many_requests_take_one_connection(self, stack: Stack) -> None:
        """Keep-alive works."""
        transfers = ["-o", "/dev/null", f"{stack.base_url}/health"] * 5
        command = ["curl", "-sS", "-w", "%{num_connects} ", *transfers]
        told = subprocess.run(command, check=True, capture_output=True, text=True)

        assert told.stdout.split() == ["1", "0", "0", "0", "0"]


class TestOddRequests:
    """What no client should send."""

    @pytest.mark.parametrize(
        ("options", "path", "status"),
        [
            pytest.param(["-X", "PUT"], "/jobs/team-a/x", 405, id="a method that the path does not answer"),
            pytest.param(
                ["-X", "OPTIONS"], "/jobs", 405, id="a question for methods: browsers of elsewhere get no CORS"
            ),
            pytest.param(["-X", "BREW"], "/jobs", 405, id="a method that nobody knows"),
            pytest.param([], "/nothing", 404, id="a path that is not there"),
            pytest.param(["--path-as-is"], "/jobs/team-a/../team-b", 404, id="dot segments"),
            pytest.param([], "/jobs/team-a%2Fteam-b", 400, id="an encoded slash"),
            pytest.param([], "/jobs/team-a/x%00y", 400, id="an encoded NUL"),
            pytest.param(["-H", "Content-Type: application/json", "-d", "{"], "/jobs", 400, id="half a document"),
        ],
    )
    def test_is_answered_with_a_problem(
        self, curl: Callable[..., Told], options: list[str], path: str, status: int
    ) -> None:
        """The right status, in our own words."""
        told = curl(path, *options)

        assert told.headers["content-type"] == "application/problem+json"
        assert told.status == json.loads(told.body)["status"] == status

    @pytest.mark.parametrize(("path", "status"), [("/health", 405), ("/nothing", 404)])
    def test_head_is_refused_without_a_body(self, curl: Callable[..., Told], path: str, status: int) -> None:
        """`-I` hears how long the problem would be, gets none of it, and is not left waiting for it."""
        told = curl(path, "-I")

        assert (told.exit_code, told.status, told.body) == (0, status, "")
        assert int(told.headers["content-length"]) > 0

    def test_a_wrong_method_is_told_the_right_ones(self, curl: Callable[..., Told]) -> None:
        """405 names what the path does answer."""
        assert curl("/jobs/team-a/x", "-X", "PUT").headers["allow"] == "DELETE, GET"
