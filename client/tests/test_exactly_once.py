"""One Job for each submission, whatever happens to the connections."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from conftest import IMAGE, Result
from hostile_proxy import PLANS, HostileProxy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from researcher import Client, Refused, Unavailable
from researcher.token_store import Stored
from researcher.tokens import Applications, Token
from researcher.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable


NUMBERS = itertools.count()
FAILURES = sorted(set(PLANS) - {"pass", "double"})
pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture(scope="module")
def token(session: dict[str, str]) -> str:
    """Return a token of alice."""
    stored = Stored(client_id="alice", client_secret=session["CLIENT_SECRET"], token_url=session["TOKEN_URL"])
    return Applications(session["BASE_URL"], stored).bearer()


class TestSubmission:
    """POST /jobs through a proxy that loses, cuts, doubles and refuses."""

    @settings(
        deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )  # fmt: skip
    @given(st.lists(st.sampled_from(FAILURES), max_size=5), st.sampled_from(["pass", "double"]))
    def test_one_job_for_each(self, session: dict[str, str], token: str, failures: list[str], last: str) -> None:
        """Up to five failures of any kind, then a response: exactly one Job, and it is the one returned."""
        label = f"case-{next(NUMBERS)}"
        with HostileProxy(session["BASE_URL"], [*failures, last]) as proxy:
            client = Client(proxy.url, token=token, project="team-a")
            job = client.submit(image=IMAGE, labels={"once": label}, max_runtime_seconds=60)

        found = list(Client(session["BASE_URL"], token=token, project="team-a").jobs(label={"once": label}))
        assert [each.name for each in found] == [job.name]
        job._client = Client(session["BASE_URL"], token=token, project="team-a")  # noqa: SLF001 - the proxy is gone
        job.delete()

    def test_two_calls_are_two_jobs(self, client: Client) -> None:
        """The same call twice means two Jobs, unless it has the same key."""
        first, second = (client.submit(image=IMAGE) for _ in range(2))
        third, fourth = (client.submit(image=IMAGE, idempotency_key="same") for _ in range(2))

        assert first.name != second.name
        assert third.name == fourth.name
        client.delete([first.name, second.name, third.name])

    def test_a_prefix_and_a_key_go_together(self, client: Client) -> None:
        """The server makes the name of both, and a repetition finds it."""
        jobs = [client.submit(image=IMAGE, job_name_prefix="night", idempotency_key="a-night") for _ in range(2)]

        assert jobs[0].name == jobs[1].name
        assert jobs[0].name.startswith("night-")
        client.delete([jobs[0].name])

    def test_a_refused_prefix_stays_the_users(self, client: Client) -> None:
        """A prefix that is not valid is refused by its own name, and not sent again as a name."""
        with pytest.raises(Refused) as refused:
            client.submit(image=IMAGE, job_name_prefix="Not_Valid")

        assert [pointer for pointer, _ in refused.value.errors] == ["/jobNamePrefix"]

    def test_gives_up(self, session: dict[str, str], token: str) -> None:
        """A server that never responds is an error that names it, after six attempts."""
        with (
            HostileProxy(session["BASE_URL"], ["refuse"]) as proxy,
            pytest.raises(Unavailable, match="does not respond"),
        ):
            Client(proxy.url, token=token, project="team-a").submit(image=IMAGE)

        assert [method for method, _ in proxy.seen] == ["POST"] * 6

    def test_a_post_without_a_key_is_sent_once(self, session: dict[str, str], token: str) -> None:
        """What could happen twice is never repeated."""
        with HostileProxy(session["BASE_URL"], ["lose"]) as proxy, pytest.raises(Unavailable):
            Transport(proxy.url, Token(token)).send("POST", "/jobs", body={"project": "team-a", "image": IMAGE})

        assert len(proxy.seen) == 1

    def test_a_refusal_is_not_repeated(self, session: dict[str, str], token: str) -> None:
        """What the API refuses, it would refuse again."""
        with HostileProxy(session["BASE_URL"], ["pass"]) as proxy, pytest.raises(Refused, match="gpu"):
            Client(proxy.url, token=token, project="team-a").submit(image=IMAGE, gpu=-1)

        assert len(proxy.seen) == 1


class TestDeletion:
    """DELETE through the same proxy."""

    @pytest.mark.parametrize("plan", ["lose", "gateway", "truncate"])
    def test_a_lost_response(self, session: dict[str, str], token: str, client: Client, plan: str) -> None:
        """A Job that the lost request has deleted is deleted, and not missing."""
        job = client.submit(image=IMAGE)
        with HostileProxy(session["BASE_URL"], ["pass", plan, "pass"]) as proxy:
            result = Client(proxy.url, token=token, project="team-a").get(job.name).delete()

        assert result.ok

    def test_several_with_a_lost_response(self, session: dict[str, str], token: str, client: Client) -> None:
        """The same holds for a request that deletes several Jobs; a Job that never was is still missing."""
        job = client.submit(image=IMAGE)
        with HostileProxy(session["BASE_URL"], ["lose", "pass"]) as proxy:
            results = Client(proxy.url, token=token, project="team-a").delete([job.name])
        missing = client.delete(["never-was"])

        assert (results.data[0].ok, missing.data[0].ok) == (True, False)


class TestFollow:
    """`submit --follow`."""

    @pytest.mark.parametrize(
        "plan", [["pass"], ["pass", "truncate", "double"], ["busy", "pass", "lose", "gateway", "pass"]]
    )
    def test_a_proxy_that_cuts(
        self,
        session: dict[str, str],
        researcher: Callable[..., Result],
        monkeypatch: pytest.MonkeyPatch,
        plan: list[str],
    ) -> None:
        """One Job, its whole log once, and its exit code, although no connection lives for longer than 1.5 seconds."""
        label = f"case-{next(NUMBERS)}"
        with HostileProxy(session["BASE_URL"], plan, patience=1.5) as proxy:
            monkeypatch.setenv("RESEARCHER_URL", proxy.url)
            words = ("--image", IMAGE, "-l", f"once={label}", "-e", "SIMULATE=exit-7", "--backoff-limit", "0")
            result = researcher("submit", *words, "--follow", "--", "train")

        found = list(Client(session["BASE_URL"]).jobs(label={"once": label}))
        epochs = [line for line in result.out.splitlines() if line.startswith("epoch")]
        assert result.code == 7, result.err
        assert len(found) == 1
        assert epochs == [
            "epoch 1 of 3: loss 1.000",
            "epoch 2 of 3: loss 0.500",
            "epoch 3 of 3: loss 0.333",
        ]
