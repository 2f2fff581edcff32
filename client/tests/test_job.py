"""Jobs, as a script or a notebook uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import IMAGE
from http_server import Server
from researcher import (
    Client,
    JobFailed,
    Refused,
    WaitTimeout,
    models,
)
from researcher.card import card
from researcher.session import find_session
from researcher.transport import Transport
from test_following import VIEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from researcher.responses import Answer
    from researcher.transport import TokenSource

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


class Recording(Transport):
    """A transport that keeps the path and the query of each request."""

    def __init__(self, url: str, tokens: TokenSource) -> None:
        super().__init__(url, tokens)
        self.sent: list[tuple[str, Mapping[str, object]]] = []

    def send(self, method: str, path: str, **options: Any) -> Answer:  # noqa: ANN401 - passes all on
        """Send a request."""
        self.sent.append((path, options.get("query") or {}))
        return super().send(method, path, **options)


class TestJob:
    """A Job, as `submit` returns it."""

    def test_the_example_of_the_guide(self, client: Client) -> None:
        """Submit, print the log, and raise if the Job fails."""
        job = client.submit(image=IMAGE, command="python train.py", gpu=1)
        lines = list(job.logs(follow=True))
        job.wait(check=True)

        assert lines[-1] == "epoch 3 of 3: loss 0.333"
        assert (job.status, job.exit_code, job.finished) == ("Succeeded", 0, True)
        assert job.log(tail=1) == lines[-1]

    def test_a_long_log(self) -> None:
        """Without a limit the whole log is requested, and not its last 1,000 lines."""
        view = json.dumps({"data": [VIEW]}).encode()
        with Server((200, {}, view), (200, {}, b"a\nb\n")) as server:
            job = Client(server.url, token="t", project="p").get("j")
            assert list(job.logs()) == ["a", "b"]
            assert list(job.logs(tail=1)) == ["a", "b"]

        paths = [each["path"].partition("?")[2] for each in server.seen[1:]]
        assert paths == ["tail=100000&limitBytes=1000000", "tail=1&limitBytes=1000000"]

    def test_a_failure(self, client: Client) -> None:
        """JobFailed has the exit code, the cause, what to do, and the end of the log."""
        job = client.submit(image=IMAGE, environment={"SIMULATE": "exit-42"}, backoff_limit=0)
        with pytest.raises(JobFailed) as caught:
            job.wait(check=True)

        error = caught.value
        assert (error.container_exit_code, error.exit_code, job.exit_code) == (42, 42, 42)
        assert "exit code 42" in error.cause
        assert error.remedy
        assert error.log_tail.endswith("loss 0.333")

    def test_a_failure_whose_code_only_the_diagnosis_has(self) -> None:
        """The diagnosis looks at the pods again: its exit code counts where the Job was seen without one."""
        view = {**VIEW, "status": "Failed", "finishedAt": 1, "exitCode": None}
        recorded = json.loads(RECORDED[-1].read_text("utf-8"))["Diagnosis"]
        answers = ({"data": [view]}, {**recorded, "exitCode": 9}, {"code": "log_gone"})
        statuses = (200, 200, 410)
        with Server(
            *((code, {}, json.dumps(each).encode()) for code, each in zip(statuses, answers, strict=True))
        ) as api:
            job = Client(api.url, token="t", project="p").get("j")
            failure = job.failure()

        assert (job.exit_code, failure.exit_code, failure.container_exit_code) == (None, 9, 9)

    def test_a_time_limit(self, client: Client) -> None:
        """The Job goes on after a time-out."""
        job = client.submit(image=IMAGE, environment={"SIMULATE": "run-forever"})
        with pytest.raises(WaitTimeout, match="goes on"):
            job.wait(timeout=0.2)

        assert job.wait(until="running").status == "Running"
        assert job.exit_code is None
        assert job.delete(reason="test").ok

    def test_a_later_job_of_the_name(self, client: Client) -> None:
        """A Job is deleted by its UID, so that another one of its name is safe."""
        first = client.submit(image=IMAGE, name="again")
        first.delete()
        second = client.submit(image=IMAGE, name="again", gpu=1)

        with pytest.raises(Refused, match=r"precondition|changed|another|not the"):
            first.delete()
        assert client.get("again").view.id == second.view.id
        second.delete()

    def test_changes(self, client: Client) -> None:
        """Suspend, resume, keep, and clone with changes; None removes a field."""
        job = client.submit(image=IMAGE, labels={"a": "1"}, gpu=2, environment={"SIMULATE": "run-forever"})
        assert job.suspend().status == "Suspended"
        job.resume()
        assert job.keep().view.keep
        assert not job.keep(keep=False).view.keep
        clone = job.clone(gpu=1, labels=None)  # type: ignore[arg-type] # a merge patch removes any field

        assert (clone.view.requested_gpus, clone.view.labels) == (1, {})
        assert {event.reason for event in job.events()}
        assert client.delete([job.name, clone.name]).data[1].ok

    def test_a_sweep(self, client: Client) -> None:
        """The indexes of a sweep have its parameters."""
        sweep = client.submit(image=IMAGE, command=["train"], matrix={"LR": [1e-4, 3e-4], "SEED": range(2)})
        sweep.wait(check=True)

        assert [(each.number, each.state, each.parameters) for each in sweep.indexes()][1] == (
            1, "Succeeded", {"LR": "0.0001", "SEED": "1"},
        )  # fmt: skip

    def test_what_the_server_offers_is_used(self, client: Client) -> None:
        """Logs are followed by cursor, indexes are listed by the server, and the exit code is the Job's own."""
        recording = Recording(client.transport.url, find_session().tokens)
        client.transport = recording
        job = client.submit(
            image=IMAGE, environment={"SIMULATE": "exit-3@1"}, indexed=True, completions=2, parallelism=2,
            backoff_limit_per_index=0,
        )  # fmt: skip
        lines = list(job.logs(follow=True, index=1))
        with pytest.raises(JobFailed) as caught:
            job.wait(check=True)
        indexes = job.indexes()

        assert lines
        assert caught.value.exit_code == job.exit_code == 3
        assert [(each.state, each.exit_code) for each in indexes] == [("Succeeded", 0), ("Failed", 3)]
        queries = [query for path, query in recording.sent if path.endswith("/logs") and "wait" in query]
        assert queries
        assert all("cursor" in each and "sinceSeconds" not in each for each in queries)
        assert any(path.endswith(f"/{job.name}/indexes") for path, _ in recording.sent)
        job.delete()

    def test_the_card_escapes(self, client: Client) -> None:
        """A notebook shows a card; no text of the cluster is HTML."""
        job = client.submit(image=IMAGE)

        assert job.name in job._repr_html_()
        document = {**job.view.document, "message": "<script>x</script>", "reason": "&"}
        assert "<script>" not in card(models.JobView.decode(document))
