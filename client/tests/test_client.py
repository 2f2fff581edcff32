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
    NotAllowed,
    NotFound,
    Refused,
    UsageError,
    models,
)
from researcher.cli.session import compare_versions
from researcher.indexes import parse_indexes
from researcher.times import age, duration, span

from infra.client.models import REQUESTS, SKIPPED

if TYPE_CHECKING:
    from researcher.decoding import Model

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


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
