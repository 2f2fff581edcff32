"""The OpenAPI document: current, valid, complete, and true of what the API accepts and answers."""

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

FOUND = json.loads(document.render(document.document(app.app.routes)))
GATEWAYS_OWN = {"method_not_allowed", "route_not_found"}
"""Codes of requests that reach no operation."""
EVENTS_OWN = {"event_bus_unavailable", "upload_gone"}
"""Codes of functions that answer no request."""
JOB = {"project": "team-a", "image": "busybox"}


def operations() -> Iterator[Any]:
    """Every operation of the document."""
    for methods in FOUND["paths"].values():
        yield from methods.values()


def operation(name: str) -> Any:  # noqa: ANN401 - a part of the document
    """The operation of that id."""
    return next(one for one in operations() if one["operationId"] == name)


def accepts(schema: Any, value: object) -> bool:  # noqa: ANN401 - a part of the document
    """Whether *value* fits *schema*, which may refer to the document's components."""
    return bool(Draft202012Validator({**schema, "components": FOUND["components"]}).is_valid(value))


def component(name: str) -> dict[str, str]:
    """A reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


class TestStoredDocument:
    """The file that the Lambdas ship."""

    def test_it_is_current(self) -> None:
        """A change of routes or types without `python -m infra.openapi` fails here; it is an OpenAPI 3.1 document."""
        assert DOCUMENT.read_text(encoding="utf-8") == document.render(document.document(app.app.routes))
        validate(FOUND)

    def test_check_refuses_a_stale_one(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """`--check` answers 1, says how to go on, and writes nothing; what was written then passes."""
        stale = tmp_path / "openapi.json"
        stale.write_text("{}")

        assert document.main(["--check"], stale) == 1
        assert "python -m infra.openapi" in capsys.readouterr().err
        assert stale.read_text() == "{}"
        assert [document.main(arguments, stale) for arguments in ([], ["--check"])] == [0, 0]


class TestOperations:
    """What the document says of the routes."""

    def test_every_route_of_the_api_is_there_and_no_other(self) -> None:
        """The page of the documentation is no part of the API."""
        views = {
            route.view_name
            for path, methods in app.app.routes.items()
            for route in methods.values()
            if path.startswith(BASE)
        }

        assert {one["operationId"] for one in operations()} == views
        assert not [path for path in FOUND["paths"] if "docs" in path]

    @pytest.mark.parametrize(
        ("name", "security"),
        [
            pytest.param("submit_job", [{"bearer": []}, {"application": []}], id="needs a token"),
            pytest.param("health", [{}, {"bearer": []}, {"application": []}], id="takes a token"),
            pytest.param("openapi", [{}], id="takes none"),
        ],
    )
    def test_it_says_who_needs_a_token(self, name: str, security: list[object]) -> None:
        """Clients know from the document alone when to authenticate."""
        assert operation(name)["security"] == security

    def test_every_answer_names_its_request(self) -> None:
        """Errors too have the header X-Request-Id."""
        found = [answer for one in operations() for answer in one["responses"].values() if "$ref" not in answer]
        found += FOUND["components"]["responses"].values()

        assert all("X-Request-Id" in answer["headers"] for answer in found)

    def test_every_code_is_documented(self) -> None:
        """Whatever code a caller reads has an example, but for those that no operation answers."""
        answers = FOUND["components"]["responses"].values()
        codes = {code for answer in answers for code in answer["content"]["application/problem+json"]["examples"]}

        assert codes == CATALOGUE.keys() - GATEWAYS_OWN - EVENTS_OWN

    def test_every_example_fits_its_schema(self) -> None:
        """A caller may copy them."""
        found = [one["requestBody"] for one in operations() if "requestBody" in one]
        found += [answer for one in operations() for answer in one["responses"].values()]
        found += FOUND["components"]["responses"].values()
        contents = [content for one in found for content in one.get("content", {}).values()]
        examples = [(one["schema"], one["example"]) for one in contents if "example" in one]
        examples += [(one["schema"], case["value"]) for one in contents for case in one.get("examples", {}).values()]

        assert len(examples) > len(CATALOGUE)
        assert [value for schema, value in examples if not accepts(schema, value)] == []

    def test_only_what_is_required_is_filled_in(self) -> None:
        """Swagger UI sends the examples of parameters: an ETag of nobody's Job fails. In a URL is no null."""
        assert "null" not in json.dumps([one["parameters"] for one in operations()])
        optional = [one for named in operations() for one in named["parameters"] if not one["required"]]

        assert len(optional) > 0
        assert [one["name"] for one in optional if "example" in one or "example" in one["schema"]] == []


class TestSubmissions:
    """What the document says of a Job agrees with what the API takes."""

    BODY = operation("submit_job")["requestBody"]["content"]["application/json"]["schema"]

    @given(documents())
    @example({**JOB, "command": "python train.py", "ttlAfterFinish": "3h", "environment": {"A": 1}})
    @example({**JOB, "gpu": 1.0, "environment": {"B": {"secret": {"name": "s", "key": "k"}}}})
    def test_both_take(self, body: dict[str, Any]) -> None:
        """A client that follows the document is not refused."""
        assert accepts(self.BODY, body)
        parse_submission(body)

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"job": JOB, **JOB}, {**JOB, "gpu": 65}, {**JOB, "hostNetwork": True}, {**JOB, "project": "Team A"},
            {**JOB, "command": ["x"] * 257}, {**JOB, "labels": {"job-name": "x"}},
            {**JOB, "labels": {"a": "not a value"}}, {**JOB, "preventPrivilegeEscalation": False},
        ],
        ids=["nothing", "both forms", "GPUs", "no field", "project", "words", "reserved label", "label", "privileges"],
    )  # fmt: skip
    def test_both_refuse(self, body: dict[str, Any]) -> None:
        """A client learns of it before it asks."""
        assert not accepts(self.BODY, body)
        with pytest.raises(InvalidJob):
            parse_submission(body)

    @given(st.from_regex(r"(\A|.*\.)(k8s\.io|researcher\.dev|x)?/?[-.a-zA-Z_]{0,9}\Z") | st.text(max_size=9))
    @example("job-name")
    @example("x.amazonaws.com/y")
    @example("xamazonaws.com/y")
    def test_keys_of_labels_are_those_that_the_code_takes(self, key: str) -> None:
        """The pattern says what domain/names.py decides."""
        assert accepts(KEYS, key) == (is_label_key(key) and not is_reserved_key(key))


class TestParameters:
    """What the document says of parameters agrees with what the API takes."""

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
    def test_is_taken_where_the_document_says_so(
        self, operation_id: str, parameter: str, values: list[str], read: Callable[[str], object]
    ) -> None:
        """A Job's name is a DNS subdomain of at most 253 characters; a selector has at most 16 equalities."""
        schema = next(one["schema"] for one in operation(operation_id)["parameters"] if one["name"] == parameter)
        for value in values:
            try:
                taken = bool(read(value))
            except MalformedRequest:
                taken = False
            assert accepts(schema, value) == taken, value


class TestAnswers:
    """What the document says of answers."""

    def test_even_an_empty_job_is_as_promised(self) -> None:
        """What has no value is null, and never missing; all codes, also API Gateway's, are of the one form."""
        problems = [msgspec.to_builtins(error("No.").problem("1")) for error in CATALOGUE.values()]
        assert [one for one in problems if not accepts(component("Problem"), one)] == []
        assert accepts(component("JobView"), msgspec.to_builtins(view("team-a", Job(), ())))
        assert FOUND["components"]["schemas"]["JobPage"]["required"] == ["data", "nextPageToken"]
