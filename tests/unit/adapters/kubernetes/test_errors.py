"""The translation of the API server's errors, with messages of a real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.adapters.kubernetes.api_request import ApiResponse
from chalicelib.adapters.kubernetes.errors import (
    FORBIDDEN,
    MAX_TEXT,
    RETRY_AFTER,
    Status,
    decode_or_raise,
    error_from,
    refuses_impersonation,
)
from chalicelib.domain.errors import (
    ClusterUnavailable,
    CredentialsUnavailable,
    FieldError,
    Forbidden,
    InvalidJob,
    PageTokenExpired,
    PreconditionFailed,
    QuotaExceeded,
    RefusedByCluster,
)
from chalicelib.domain.kubernetes.jobs import Job
from tests.support.scripted_server import status_reply

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError

NOT_ALLOWED = (
    'jobs.batch is forbidden: User "researcher:api" cannot list resource "jobs" in API group "batch" '
    'in the namespace "researcher-team-b"'
)
NOT_IMPERSONATED = (
    'groups.authentication.k8s.io "researcher:team-z" is forbidden: User "researcher-api:submit_job" cannot '
    'impersonate resource "groups" in API group "" at the cluster scope'
)
NO_NAMESPACE = 'namespaces "researcher-team-b" not found'
QUOTA = (
    'jobs.batch "train-1" is forbidden: exceeded quota: gpus, requested: count/jobs.batch=1, '
    "used: count/jobs.batch=20, limited: count/jobs.batch=20"
)
POLICY = (
    "jobs.batch \"train-1\" is forbidden: ValidatingAdmissionPolicy 'images' with binding 'images' denied request: "
    "images come from our registry"
)
WEBHOOK = 'admission webhook "validation.gatekeeper.sh" denied the request: [images] images come from our registry'

ANOTHER_LIST = "The page token does not belong to this list. Start again without it."
EXPIRED = "The page token has expired. Start again without it."
TOKEN_REJECTED = (
    "The cluster does not accept this API's token. Report this to the operators of this API, with the X-Request-Id."
)
CHANGED = "The Job was changed, or deleted and created again. Get it before you try again."
UNKNOWN = "The cluster sent an unexpected response. Try again later."


def error_response(status: int, message: str = "", **details: object) -> ApiResponse:
    """Return an error response of the API server."""
    return ApiResponse(status, status_reply(status, message, "", **details).body, None)


def type_and_detail(error: ResearcherError) -> tuple[type[ResearcherError], str]:
    """Return what the caller gets."""
    return type(error), error.detail


class TestForbidden:
    """Requests without permission."""

    @pytest.mark.parametrize(
        ("status", "message"),
        [
            pytest.param(403, NOT_ALLOWED, id="another team's Project"),
            pytest.param(404, NO_NAMESPACE, id="missing Project"),
            pytest.param(403, NOT_IMPERSONATED, id="group that may not be impersonated"),
            pytest.param(403, "", id="without a message"),
        ],
    )
    def test_other_projects_and_missing_ones_have_the_same_error(self, status: int, message: str) -> None:
        """The error discloses neither the existence of a Project nor the API's identity."""
        assert type_and_detail(error_from(error_response(status, message))) == (Forbidden, FORBIDDEN)


class TestAdmission:
    """Jobs that admission control rejects."""

    @pytest.mark.parametrize(
        ("message", "kind", "opening"),
        [
            pytest.param(
                QUOTA, QuotaExceeded, "The Job does not fit in the Project's quota: exceeded quota: gpus", id="quota"
            ),
            pytest.param(POLICY, RefusedByCluster, "The cluster rejected the Job: Validating", id="policy"),
            pytest.param(WEBHOOK, RefusedByCluster, "The cluster rejected the Job: admission webhook", id="webhook"),
        ],
    )
    def test_message_is_passed_on(self, message: str, kind: type[ResearcherError], opening: str) -> None:
        """The cluster's message is passed on, without the name of the object."""
        found = error_from(error_response(403, message))

        assert type(found) is kind
        assert found.detail.startswith(opening)
        assert message.endswith(found.detail.partition(": ")[2])

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 429, 500])
    @pytest.mark.parametrize("message", [POLICY, WEBHOOK])
    def test_denial_may_have_any_status(self, status: int, message: str) -> None:
        """A webhook chooses the status of its denial: the Job is rejected with its message all the same."""
        found = error_from(error_response(status, message))

        assert type(found) is RefusedByCluster
        assert message.endswith(found.detail.partition(": ")[2])

    @pytest.mark.parametrize(
        "message",
        [
            pytest.param("jobs.batch is forbidden: exceeded quota: " + "x" * 10_000, id="quota"),
            pytest.param("jobs.batch is forbidden: " + "x" * 10_000, id="policy"),
            pytest.param('admission webhook "x" denied the request: ' + "x" * 10_000, id="webhook"),
        ],
    )
    def test_long_message_is_truncated(self, message: str) -> None:
        """A webhook may return a message of any length."""
        assert MAX_TEXT < len(error_from(error_response(403, message)).detail) < MAX_TEXT + 50


class TestInvalidJob:
    """Jobs that the API server rejects as invalid."""

    @pytest.mark.parametrize(
        ("field", "pointer"),
        [
            pytest.param("spec.backoffLimit", "/spec/backoffLimit", id="name"),
            pytest.param("spec.containers[0].image", "/spec/containers/0/image", id="index"),
            pytest.param("metadata.labels[a.b/c~d]", "/metadata/labels/a.b~1c~0d", id="key"),
            pytest.param(None, "", id="no field"),
        ],
    )
    def test_fields_are_json_pointers(self, field: str | None, pointer: str) -> None:
        """All invalid fields are listed, as JSON pointers (RFC 6901)."""
        causes = [{"reason": "FieldValueInvalid", "field": field, "message": "x" * 2000}, {"field": "spec.b"}]

        error = error_from(error_response(422, "Job.batch is invalid", causes=causes))

        assert type_and_detail(error) == (
            InvalidJob,
            "The cluster rejected the Job; `errors` lists the invalid fields.",
        )
        assert error.errors == (FieldError(pointer, "x" * MAX_TEXT), FieldError("/spec/b", ""))

    @pytest.mark.parametrize("details", [{}, {"causes": []}, {"kind": "Job"}])
    @pytest.mark.parametrize("status", [400, 422])
    def test_error_without_fields(self, status: int, details: dict[str, object]) -> None:
        """Strict field validation has unknown fields only in its message."""
        message = 'strict decoding error: unknown field "spec.x"'

        error = error_from(error_response(status, message, **details))

        assert (type(error), error.errors) == (InvalidJob, (FieldError("", message),))


class TestOthers:
    """Other statuses."""

    @pytest.mark.parametrize(
        ("status", "message", "kind", "detail"),
        [
            (410, "The provided continue parameter is too old to display a list.", PageTokenExpired, EXPIRED),
            (401, "Unauthorized", CredentialsUnavailable, TOKEN_REJECTED),
            (409, "Precondition failed: UID in precondition: a, UID in object meta: b", PreconditionFailed, CHANGED),
        ],
    )
    def test_status(self, status: int, message: str, kind: type[ResearcherError], detail: str) -> None:
        """Each status has an error that says what to do."""
        assert type_and_detail(error_from(error_response(status, message))) == (kind, detail)

    @pytest.mark.parametrize(
        ("response", "why"),
        [
            (error_response(401, "Unauthorized"), "status_401"),
            (error_response(501), "status_501"),
            (error_response(403, NOT_IMPERSONATED), "impersonation_forbidden"),
            (error_response(403, NOT_ALLOWED), None),
            (error_response(409, "the object has been modified"), None),
            (ApiResponse(403, b"<html>Blocked by the proxy secret", None), "status_403"),
            (ApiResponse(407, b"", None), "status_407"),
            (ApiResponse(404, b"404 page not found", None), "status_404"),
        ],
        ids=lambda value: str(value.status) if isinstance(value, ApiResponse) else str(value),
    )
    def test_log_has_the_reason(self, response: ApiResponse, why: str | None) -> None:
        """Unless the error is about the caller's request; the response of a proxy has its status."""
        assert error_from(response).why == why

    @pytest.mark.parametrize("status", [302, 405, 501])
    def test_unexpected_status(self, status: int) -> None:
        """The error has a default Retry-After."""
        found = error_from(error_response(status))

        assert type_and_detail(found) == (ClusterUnavailable, UNKNOWN)
        assert found.retry_after == RETRY_AFTER

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b'{"message": null}', id="null"),
            pytest.param(b'{"message": "\xff"}', id="not UTF-8"),
        ],
    )
    @pytest.mark.parametrize(
        ("status", "kind"), [(400, InvalidJob), (403, Forbidden), (409, PreconditionFailed), (500, ClusterUnavailable)]
    )
    def test_body_that_is_not_a_status(self, status: int, kind: type[ResearcherError], body: bytes) -> None:
        """The HTTP status is sufficient."""
        assert type(error_from(ApiResponse(status, body, None))) is kind


class TestStatus:
    """Kubernetes' error object."""

    def test_is_read(self) -> None:
        """The fields that are used are read, and others are skipped."""
        status = msgspec.json.decode(
            '{"kind": "X", "metadata": {"future": 1}, "code": 422, "reason": "Invalid", "message": "m",'
            ' "details": {"causes": [{"field": "spec.x", "message": "bad"}]}}',
            type=Status,
        )

        assert status.details is not None
        (cause,) = status.details.causes
        assert (status.reason, status.message, cause.field, cause.message) == ("Invalid", "m", "spec.x", "bad")

    @pytest.mark.parametrize("wire", ["{}", '{"kind": "X", "metadata": {"managedFields": [{}]}, "future": [{}]}'])
    def test_empty_status(self, wire: str) -> None:
        """All fields are optional."""
        assert msgspec.json.decode(wire, type=Status) == Status()


class TestDecodeOrRaise:
    """The object in a response."""

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_object(self, status: int) -> None:
        """Unknown fields are skipped."""
        body = b'{"kind": "Job", "metadata": {"name": "train-1", "managedFields": [{}]}}'

        assert decode_or_raise(ApiResponse(status, body, None), Job).metadata.name == "train-1"

    def test_error(self) -> None:
        """An error response is raised."""
        with pytest.raises(Forbidden):
            decode_or_raise(error_response(403, NOT_ALLOWED), Job)

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"<html>", b"[]", b'{"metadata": 5}', b'{"spec":' * 100_000, b'"\xff"']
    )
    def test_unreadable_response(self, body: bytes) -> None:
        """The error can be retried."""
        with pytest.raises(ClusterUnavailable) as raised:
            decode_or_raise(ApiResponse(200, body, None), Job)

        assert raised.value.detail == "The cluster's response was cut off or is not JSON. Try again."
        assert raised.value.why == "invalid_response"
        assert raised.value.retry_after == RETRY_AFTER


class TestRefusesImpersonation:
    """Whether impersonation is forbidden."""

    @pytest.mark.parametrize(
        ("status", "message", "expected"),
        [
            pytest.param(403, NOT_IMPERSONATED, True, id="impersonation"),
            pytest.param(403, NOT_ALLOWED, False, id="permission of the caller"),
            pytest.param(403, "", False, id="without a message"),
            pytest.param(200, NOT_IMPERSONATED, False, id="no error"),
        ],
    )
    def test_result(self, status: int, message: str, expected: bool) -> None:
        """Only then the list of groups is out of date."""
        assert refuses_impersonation(error_response(status, message)) is expected
