"""The Python client, as a script or a notebook uses it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import IMAGE
from researcher import (
    Client,
    IncompatibleServer,
    JobFailed,
    NotAllowed,
    NotFound,
    Refused,
    UsageError,
    WaitTimeout,
    models,
)
from researcher.card import card
from researcher.cli.session import compare_versions
from researcher.job import parse_indexes
from researcher.times import age, duration, span
from test_connection import Server
from test_following import VIEW

from infra.client.models import REQUESTS, SKIPPED

if TYPE_CHECKING:
    from researcher.decoding import Model

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


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

    def test_the_card_escapes(self, client: Client) -> None:
        """A notebook shows a card; no text of the cluster is HTML."""
        job = client.submit(image=IMAGE)

        assert job.name in job._repr_html_()
        document = {**job.view.document, "message": "<script>x</script>", "reason": "&"}
        assert "<script>" not in card(models.JobView.decode(document))


class TestClient:
    """What is not about one Job."""

    def test_pages(self, client: Client) -> None:
        """Jobs are found over several pages, each once."""
        names = sorted(client.submit(image=IMAGE, labels={"paged": "yes"}).name for _ in range(5))

        assert [job.name for job in client.jobs(label={"paged": "yes"}, limit=2)] == names
        assert all(result.ok for result in client.delete(names).data)

    def test_projects(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """The caller's Projects, and which one is meant if none is chosen."""
        monkeypatch.delenv("RESEARCHER_PROJECT")

        assert [each.name for each in client.projects()] == ["team-a", "team-shared"]
        assert client.project().gpus.quota == 16
        with pytest.raises(UsageError, match="one of team-a, team-shared"):
            Client().submit(image=IMAGE)

    def test_errors(self, client: Client) -> None:
        """Each kind of error has a class, with the problem document."""
        with pytest.raises(NotFound) as missing:
            client.get("missing")
        with pytest.raises(Refused) as refused:
            client.submit(image=IMAGE, gpu=-1, cpu="much")  # type: ignore[arg-type] # as an untyped script
        with pytest.raises(NotAllowed):
            Client(token="bad").projects()
        with pytest.raises(UsageError, match="Did you mean image"):
            client.submit(imge="x")  # type: ignore[call-arg] # as an untyped script

        assert missing.value.code == "job_not_found"
        assert missing.value.request_id
        assert refused.value.names("gpu", "cpu")
        assert len(str(refused.value).splitlines()) == 2

    def test_preview(self, client: Client) -> None:
        """A preview creates nothing."""
        assert client.preview(image=IMAGE, name="preview")["kind"] == "Job"
        with pytest.raises(NotFound):
            client.get("preview")

    def test_names_cannot_leave_the_path(self, client: Client) -> None:
        """A name with a slash or dots is one part of the path, and refused."""
        for name in ("../../projects", "a/b", "a?b=c", "", ".", ".."):
            with pytest.raises((Refused, NotFound, UsageError)):
                client.get(name)


class TestCompatibility:
    """Servers that are older or newer."""

    @pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
    def test_recorded_documents(self, path: Path) -> None:
        """The responses of each release are decoded."""
        for name, example in json.loads(path.read_text("utf-8")).items():
            model: type[Model] = getattr(models, name)
            decoded = model.decode(example)
            assert decoded.document == example

    def test_members_that_are_not_known(self) -> None:
        """A newer server's members are ignored, and kept for `-o json`."""
        document = {"name": "p", "namespace": "n", "createdAt": 1, "colour": "blue"}

        assert models.ProjectView.decode(document).document["colour"] == "blue"

    def test_members_that_are_missing(self) -> None:
        """A missing member that may be null is None; another one is an error about versions."""
        assert models.Health.decode({"version": "1", "cluster": "c"}).kubernetes is None
        documents: tuple[object, ...] = ({"version": "1"}, [], None, "x")
        for document in documents:
            with pytest.raises(IncompatibleServer, match="researcher version"):
                models.Health.decode(document)

    def test_all_schemas_have_a_model(self) -> None:
        """Each object of the document is a class with the same members."""
        schemas: dict[str, Any] = json.loads((Path(__file__).parents[2] / "chalicelib/openapi.json").read_text("utf-8"))
        for name, schema in schemas["components"]["schemas"].items():
            if name in {*REQUESTS, *SKIPPED} or schema.get("type") != "object":
                continue
            assert len(fields(getattr(models, name))) == len(schema["properties"])

    @pytest.mark.parametrize(
        ("client_version", "server_version", "words"),
        [("1.2.0", "1.2.9", ""), ("1.2.0", "1.3.0", "newer"), ("1.2.0", "1.1.0", "older"), ("1.2.0", "2.0.0", "newer")],
    )
    def test_versions(self, client_version: str, server_version: str, words: str) -> None:
        """A server that is newer or older is reported in one sentence."""
        note = compare_versions(client_version, server_version)

        assert (words in note) if words else note == ""
        assert note.count("\n") == 0


class TestTimes:
    """Times for people."""

    def test_spans(self) -> None:
        """Two units are enough."""
        assert [span(each) for each in (0, 59, 60, 700, 3700, 90000)] == ["0s", "59s", "1m0s", "11m", "1h1m", "1d1h"]
        assert age(1000, now=61.0) == "1m0s"

    def test_a_job_that_has_not_started(self) -> None:
        """It has no duration."""
        document = json.loads(RECORDED[-1].read_text("utf-8"))["JobView"]
        view = models.JobView.decode({**document, "startedAt": None})

        assert duration(view) == ""

    @pytest.mark.parametrize(
        ("text", "found"), [(None, set()), ("", set()), ("1,3-5,7", {1, 3, 4, 5, 7}), ("0-1,...", {0, 1})]
    )
    def test_index_lists(self, text: str | None, found: set[int]) -> None:
        """Lists of indexes, also cut ones."""
        assert parse_indexes(text) == found
