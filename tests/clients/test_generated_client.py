"""A client that somebody generates from our document, with a generator that is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.functions.openapi import DOCUMENT
from tests.support.api import IMAGE, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

PACKAGE = "researcher_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The package, importable; a warning of the generator fails the test."""
    folder = tmp_path_factory.mktemp("generated")
    tools = Path(sys.executable).parent
    options = ["--path", DOCUMENT, "--output-path", folder / PACKAGE, "--meta", "none", "--fail-on-warning"]
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}  # it calls ruff
    command = [str(one) for one in (tools / "openapi-python-client", "generate", *options)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))
    for name in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def client(generated: str, stack: Stack) -> Iterator[Any]:
    """The client with alice's token."""
    module = import_module(generated)
    with module.AuthenticatedClient(base_url=stack.base_url, token=token(stack, "alice")) as client:
        yield client


def call(generated: str, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 - generated a moment ago
    """What the generated function of *operation* answers."""
    return import_module(f"{generated}.api.{operation}").sync(**arguments)


class TestGeneratedClient:
    """openapi-python-client's functions and models."""

    def test_submits_inspects_lists_and_deletes(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """A Job's whole life, each answer as the model that the document promises."""
        models = import_module(f"{generated}.models")
        job = models.Submission(project="team-a", image=IMAGE, name="generated", gpu=1)

        made = call(generated, "jobs.submit_job", client=client, body=job)
        one = call(generated, "jobs.get_job", client=client, project="team-a", name="generated")
        page = call(generated, "jobs.list_jobs", client=client, project="team-a", limit=1)
        gone = call(generated, "jobs.delete_job", client=client, project="team-a", name="generated")

        assert isinstance(made, models.JobView)
        assert [view.id for view in one.data] == [view.id for view in page.data] == [made.id]
        assert gone.ok is True

    def test_lists_projects(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """Names and times come typed."""
        found = call(generated, "projects.list_projects", client=client)

        assert [project.name for project in found.data] == ["team-a", "team-shared"]

    def test_previews(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """A dry run answers the Kubernetes Job, as the other of the two models."""
        models = import_module(f"{generated}.models")
        job = models.Submission(project="team-a", image=IMAGE, name="dry")

        shown = call(generated, "jobs.submit_job", client=client, body=models.WrappedSubmission(job=job), dry_run=True)

        assert shown["kind"] == "Job"

    def test_meets_errors_as_problems(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """A refusal is a typed problem with its code, not an exception without words."""
        models = import_module(f"{generated}.models")

        refused = call(generated, "jobs.list_jobs", client=client, project="team-b")

        assert isinstance(refused, models.Problem)
        assert (refused.status, refused.code) == (403, "forbidden")
