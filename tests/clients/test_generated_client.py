"""A client that openapi-python-client generates from the OpenAPI document."""

from __future__ import annotations

import json
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
    """Generate the package, make it importable, and return its name; a warning of the generator is an error."""
    folder = tmp_path_factory.mktemp("generated")
    tools = Path(sys.executable).parent
    options = ["--path", DOCUMENT, "--output-path", folder / PACKAGE, "--meta", "none", "--fail-on-warning"]
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}  # the generator runs ruff
    command = [str(each) for each in (tools / "openapi-python-client", "generate", *options)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))
    for name in [each for each in sys.modules if each.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def client(generated: str, stack: Stack) -> Iterator[Any]:
    """Return the client with alice's token."""
    module = import_module(generated)
    with module.AuthenticatedClient(base_url=stack.base_url, token=token(stack, "alice")) as client:
        yield client


def call(generated: str, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 - generated code
    """Call the generated function of *operation*, and return its result."""
    return import_module(f"{generated}.api.{operation}").sync(**arguments)


class TestGeneratedClient:
    """The functions and models of openapi-python-client."""

    def test_submits_inspects_lists_and_deletes(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """A Job is created, read, listed and deleted, and each response is an instance of its model."""
        models = import_module(f"{generated}.models")
        job = models.Submission(project="team-a", image=IMAGE, name="generated", gpu=1)

        created = call(generated, "jobs.submit_job", client=client, body=job)
        single = call(generated, "jobs.get_job", client=client, project="team-a", name="generated")
        page = call(generated, "jobs.list_jobs", client=client, project="team-a", limit=1)
        deleted = call(generated, "jobs.delete_job", client=client, project="team-a", name="generated")

        assert isinstance(created, models.JobView)
        assert [view.id for view in single.data] == [view.id for view in page.data] == [created.id]
        assert deleted.ok is True

    def test_lists_projects(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """The items of a list are instances of their model."""
        projects = call(generated, "projects.list_projects", client=client)

        assert [project.name for project in projects.data] == ["team-a", "team-shared"]

    def test_dry_run(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """The response to a dry run, which is not declared, is available as JSON."""
        models = import_module(f"{generated}.models")
        job = models.Submission(project="team-a", image=IMAGE, name="dry")

        submit = import_module(f"{generated}.api.jobs.submit_job").sync_detailed
        response = submit(client=client, body=models.WrappedSubmission(job=job), dry_run=True)

        assert (response.status_code, json.loads(response.content)["kind"]) == (200, "Job")

    def test_error(self, generated: str, client: Any) -> None:  # noqa: ANN401 - generated
        """An error is an instance of the problem model, not an exception."""
        models = import_module(f"{generated}.models")

        problem = call(generated, "jobs.list_jobs", client=client, project="team-b")

        assert isinstance(problem, models.Problem)
        assert (problem.status, problem.code) == (403, "forbidden")
