"""The OpenAPI document: current, valid, complete, and consistent with the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import app
from chalicelib.domain.errors import CATALOGUE, InvalidJob, MalformedRequest
from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.kubernetes.selectors import job_selector
from chalicelib.domain.labels import is_label_key, is_reserved_key
from chalicelib.domain.names import job_name
from chalicelib.domain.submission.model import parse_submission
from chalicelib.functions.openapi import DOCUMENT
from chalicelib.runtime.operation import BASE
from infra.openapi import document
from infra.openapi.schemas import KEYS
from tests.support.submissions import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOCUMENT_OF_THE_API = json.loads(document.render(document.document(app.app.routes)))
GATEWAY_CODES = {"method_not_allowed", "route_not_found"}
"""Codes of requests that match no operation."""
EVENT_CODES = {"event_bus_unavailable", "upload_gone"}
"""Codes of functions for events."""
JOB = {"project": "team-a", "image": "busybox"}


def operations() -> Iterator[Any]:
    """Yield all operations of the document."""
    for methods in DOCUMENT_OF_THE_API["paths"].values():
        yield from methods.values()


def operation(name: str) -> Any:  # noqa: ANN401 - a part of the document
    """Return the operation with this id."""
    return next(candidate for candidate in operations() if candidate["operationId"] == name)


def accepts(schema: Any, value: object) -> bool:  # noqa: ANN401 - a part of the document
    """Return whether *value* is valid for *schema*, which may refer to the document's components."""
    return bool(Draft202012Validator({**schema, "components": DOCUMENT_OF_THE_API["components"]}).is_valid(value))


def component(name: str) -> dict[str, str]:
    """Return a reference to the schema with this name."""
    return {"$ref": f"#/components/schemas/{name}"}


class TestStoredDocument:
    """The file that the Lambdas contain."""

    def test_it_is_current(self) -> None:
        """It is what `python -m infra.openapi` generates, and a valid OpenAPI 3.1 document."""
        assert DOCUMENT.read_text(encoding="utf-8") == document.render(document.document(app.app.routes))
        validate(DOCUMENT_OF_THE_API)

    def test_check_rejects_an_old_document(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """`--check` returns 1, prints the command, and writes nothing; a new document passes."""
        old = tmp_path / "openapi.json"
        old.write_text("{}")

        assert document.main(["--check"], old) == 1
        assert "python -m infra.openapi" in capsys.readouterr().err
        assert old.read_text() == "{}"
        assert [document.main(arguments, old) for arguments in ([], ["--check"])] == [0, 0]


class TestOperations:
    """The operations of the routes."""

    def test_has_every_route_of_the_api(self) -> None:
        """The documentation page is not part of the API."""
        views = {
            route.view_name
            for path, methods in app.app.routes.items()
            for route in methods.values()
            if path.startswith(BASE)
        }

        assert {each["operationId"] for each in operations()} == views
        assert not [path for path in DOCUMENT_OF_THE_API["paths"] if "docs" in path]

    @pytest.mark.parametrize(
        ("name", "security"),
        [
            pytest.param("submit_job", [{"bearer": []}, {"application": []}], id="token required"),
            pytest.param("health", [{}, {"bearer": []}, {"application": []}], id="token optional"),
            pytest.param("openapi", [{}], id="no token"),
            pytest.param("sign_in", [{}], id="no token, for people"),
        ],
    )
    def test_security(self, name: str, security: list[object]) -> None:
        """The document says which operations require a token."""
        assert operation(name)["security"] == security

    def test_every_response_has_a_request_id(self) -> None:
        """Errors have the header X-Request-Id, too."""
        found = [response for each in operations() for response in each["responses"].values() if "$ref" not in response]
        found += DOCUMENT_OF_THE_API["components"]["responses"].values()

        assert all("X-Request-Id" in response["headers"] for response in found)

    def test_every_code_is_documented(self) -> None:
        """Every error code has an example, except those that no operation returns."""
        responses = DOCUMENT_OF_THE_API["components"]["responses"].values()
        codes = {code for response in responses for code in response["content"]["application/problem+json"]["examples"]}

        assert codes == CATALOGUE.keys() - GATEWAY_CODES - EVENT_CODES

    def test_every_example_is_valid(self) -> None:
        """Examples are valid for their schemas."""
        found = [each["requestBody"] for each in operations() if "requestBody" in each]
        found += [response for each in operations() for response in each["responses"].values()]
        found += DOCUMENT_OF_THE_API["components"]["responses"].values()
        contents = [content for part in found for content in part.get("content", {}).values()]
        examples = [(content["schema"], content["example"]) for content in contents if "example" in content]
        examples += [
            (content["schema"], case["value"]) for content in contents for case in content.get("examples", {}).values()
        ]

        assert len(examples) > len(CATALOGUE)
        assert [value for schema, value in examples if not accepts(schema, value)] == []

    def test_optional_parameters_have_no_example(self) -> None:
        """Swagger UI would send it: the ETag of an example matches no Job. A URL has no null."""
        assert "null" not in json.dumps([each["parameters"] for each in operations()])
        optional = [parameter for each in operations() for parameter in each["parameters"] if not parameter["required"]]

        assert len(optional) > 0
        assert [
            parameter["name"] for parameter in optional if "example" in parameter or "example" in parameter["schema"]
        ] == []


class TestSubmissions:
    """The schema of a submission is consistent with its validation."""

    BODY = operation("submit_job")["requestBody"]["content"]["application/json"]["schema"]

    @given(documents())
    @example({**JOB, "command": "python train.py", "ttlAfterFinish": "3h", "environment": {"A": 1}})
    @example({**JOB, "gpu": 1.0, "environment": {"B": {"secret": {"name": "s", "key": "k"}}}})
    def test_valid_submissions(self, body: dict[str, Any]) -> None:
        """A body that is valid for the document is accepted."""
        assert accepts(self.BODY, body)
        parse_submission(body)

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"job": JOB, **JOB}, {**JOB, "gpu": 65}, {**JOB, "hostNetwork": True}, {**JOB, "project": "Team A"},
            {**JOB, "command": ["x"] * 257}, {**JOB, "labels": {"job-name": "x"}},
            {**JOB, "labels": {"a": "not a value"}}, {**JOB, "preventPrivilegeEscalation": False},
        ],
        ids=["empty", "both forms", "GPUs", "field", "project", "command", "reserved label", "label", "privileges"],
    )  # fmt: skip
    def test_invalid_submissions(self, body: dict[str, Any]) -> None:
        """A body that is invalid for the document is rejected."""
        assert not accepts(self.BODY, body)
        with pytest.raises(InvalidJob):
            parse_submission(body)

    @given(st.from_regex(r"(\A|.*\.)(k8s\.io|researcher\.dev|x)?/?[-.a-zA-Z_]{0,9}\Z") | st.text(max_size=9))
    @example("job-name")
    @example("x.amazonaws.com/y")
    @example("xamazonaws.com/y")
    def test_label_keys(self, key: str) -> None:
        """The pattern accepts the keys that the code accepts."""
        assert accepts(KEYS, key) == (is_label_key(key) and not is_reserved_key(key))


class TestParameters:
    """The schemas of parameters are consistent with their validation."""

    @pytest.mark.parametrize(
        ("operation_id", "parameter", "values", "read"),
        [
            ("get_job", "name", ["a", "a.b", "a..b", "a-.b", "-a", "A", "", "a" * 253, "a" * 254], job_name),
            (
                "list_jobs",
                "label",
                ["a=b", "a==b,c!=d", "x.y/a=", "a", "=b", "a=b,", "a in b", "a=b," * 16 + "a=b"],
                lambda label: job_selector(label, None, None),
            ),
        ],
    )
    def test_values(self, operation_id: str, parameter: str, values: list[str], read: Callable[[str], object]) -> None:
        """A Job's name is a DNS subdomain of at most 253 characters; a selector has at most 16 requirements."""
        schema = next(
            declared["schema"] for declared in operation(operation_id)["parameters"] if declared["name"] == parameter
        )
        for value in values:
            try:
                accepted = bool(read(value))
            except MalformedRequest:
                accepted = False
            assert accepts(schema, value) == accepted, value


class TestResponses:
    """The schemas of responses."""

    def test_empty_job_and_all_errors_are_valid(self) -> None:
        """A field without a value is null and never missing; all errors have the same form."""
        problems = [msgspec.to_builtins(error("No.").problem("1")) for error in CATALOGUE.values()]
        assert [problem for problem in problems if not accepts(component("Problem"), problem)] == []
        assert accepts(component("JobView"), msgspec.to_builtins(view("team-a", Job(), ())))
        assert DOCUMENT_OF_THE_API["components"]["schemas"]["JobPage"]["required"] == ["data", "nextPageToken"]
