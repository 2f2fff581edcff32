"""What the cluster refuses, in our errors: its messages here are those of a real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.adapters.kubernetes.api_client import ApiResponse
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
OLD_LIST = "The page token has expired. Start again without it."
OUR_TOKEN = (
    "The cluster does not accept this API's token. Report this to the operators of this API, with the X-Request-Id."
)
CHANGED = "The Job was changed, or deleted and created again. Get it before you try again."
UNKNOWN = "The cluster sent an unexpected response. Try again later."


def answered(status: int, message: str = "", **details: object) -> ApiResponse:
    """A refusal of the API server."""
    return ApiResponse(status, status_reply(status, message, "", **details).body, None)


def told(error: ResearcherError) -> tuple[type[ResearcherError], str]:
    """What the caller reads."""
    return type(error), error.detail


class TestForbidden:
    """What the caller may not do."""

    @pytest.mark.parametrize(
        ("status", "message"),
        [
            pytest.param(403, NOT_ALLOWED, id="another team's Project"),
            pytest.param(404, NO_NAMESPACE, id="no such Project"),
            pytest.param(403, NOT_IMPERSONATED, id="a group we may not act for"),
            pytest.param(403, "", id="without a reason"),
        ],
    )
    def test_another_teams_project_and_none_read_the_same(self, status: int, message: str) -> None:
        """Nobody learns from us which Projects there are, nor how we are known to the cluster."""
        assert told(error_from(answered(status, message))) == (Forbidden, FORBIDDEN)


class TestAdmission:
    """What the cluster would allow to another Job."""

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
    def test_reason_stays_readable(self, message: str, kind: type[ResearcherError], opening: str) -> None:
        """It says what to change, or how much to wait for; the object's name, which the caller knows, is left out."""
        found = error_from(answered(403, message))

        assert type(found) is kind
        assert found.detail.startswith(opening)
        assert message.endswith(found.detail.partition(": ")[2])

    @pytest.mark.parametrize(
        "message",
        [
            pytest.param("jobs.batch is forbidden: exceeded quota: " + "x" * 10_000, id="quota"),
            pytest.param("jobs.batch is forbidden: " + "x" * 10_000, id="policy"),
            pytest.param("admission webhook " + "x" * 10_000, id="webhook"),
        ],
    )
    def test_long_reason_is_cut(self, message: str) -> None:
        """A webhook may write a book."""
        assert MAX_TEXT < len(error_from(answered(403, message)).detail) < MAX_TEXT + 50


class TestInvalidJob:
    """What the cluster cannot make a Job from."""

    @pytest.mark.parametrize(
        ("field", "pointer"),
        [
            pytest.param("spec.backoffLimit", "/spec/backoffLimit", id="name"),
            pytest.param("spec.containers[0].image", "/spec/containers/0/image", id="index"),
            pytest.param("metadata.labels[a.b/c~d]", "/metadata/labels/a.b~1c~0d", id="key"),
            pytest.param(None, "", id="untold"),
        ],
    )
    def test_fields_are_named(self, field: str | None, pointer: str) -> None:
        """By JSON pointers (RFC 6901), as in our own refusals; all of them, so that one more attempt is enough."""
        causes = [{"reason": "FieldValueInvalid", "field": field, "message": "x" * 2000}, {"field": "spec.b"}]

        error = error_from(answered(422, "Job.batch is invalid", causes=causes))

        assert told(error) == (InvalidJob, "The cluster rejected the Job; `errors` lists the invalid fields.")
        assert error.errors == (FieldError(pointer, "x" * MAX_TEXT), FieldError("/spec/b", ""))

    @pytest.mark.parametrize("details", [{}, {"causes": []}, {"kind": "Job"}])
    @pytest.mark.parametrize("status", [400, 422])
    def test_refusal_without_fields(self, status: int, details: dict[str, object]) -> None:
        """Strict decoding tells unknown fields in the message alone."""
        message = 'strict decoding error: unknown field "spec.x"'

        error = error_from(answered(status, message, **details))

        assert (type(error), error.errors) == (InvalidJob, (FieldError("", message),))


class TestOthers:
    """The rest."""

    @pytest.mark.parametrize(
        ("status", "message", "kind", "detail"),
        [
            (410, "The provided continue parameter is too old to display a list.", PageTokenExpired, OLD_LIST),
            (401, "Unauthorized", CredentialsUnavailable, OUR_TOKEN),
            (409, "Precondition failed: UID in precondition: a, UID in object meta: b", PreconditionFailed, CHANGED),
        ],
    )
    def test_status(self, status: int, message: str, kind: type[ResearcherError], detail: str) -> None:
        """One error for each, which says what to do."""
        assert told(error_from(answered(status, message))) == (kind, detail)

    @pytest.mark.parametrize("status", [302, 405, 501])
    def test_answer_that_should_not_have_come(self, status: int) -> None:
        """The cluster did not say when to try again; a script waits for what it is told."""
        found = error_from(answered(status))

        assert told(found) == (ClusterUnavailable, UNKNOWN)
        assert found.retry_after == RETRY_AFTER

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b'{"message": null}', id="null"),
            pytest.param(b'{"message": "\xff"}', id="no UTF-8"),
        ],
    )
    @pytest.mark.parametrize(
        ("status", "kind"), [(400, InvalidJob), (403, Forbidden), (409, PreconditionFailed), (500, ClusterUnavailable)]
    )
    def test_body_that_is_no_status(self, status: int, kind: type[ResearcherError], body: bytes) -> None:
        """The number is enough."""
        assert type(error_from(ApiResponse(status, body, None))) is kind


class TestStatus:
    """The cluster's own error document."""

    def test_is_read(self) -> None:
        """Down to the fields it refuses; what we do not read is skipped."""
        status = msgspec.json.decode(
            '{"kind": "X", "metadata": {"future": 1}, "code": 422, "reason": "Invalid", "message": "m",'
            ' "details": {"causes": [{"field": "spec.x", "message": "bad"}]}}',
            type=Status,
        )

        assert status.details is not None
        (cause,) = status.details.causes
        assert (status.reason, status.message, cause.field, cause.message) == ("Invalid", "m", "spec.x", "bad")

    @pytest.mark.parametrize("wire", ["{}", '{"kind": "X", "metadata": {"managedFields": [{}]}, "future": [{}]}'])
    def test_of_an_object_that_says_nothing(self, wire: str) -> None:
        """However little the cluster says, or however much more, it is read."""
        assert msgspec.json.decode(wire, type=Status) == Status()


class TestDecoded:
    """What an answer holds."""

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_object(self, status: int) -> None:
        """As its type; fields that the type lacks are skipped."""
        body = b'{"kind": "Job", "metadata": {"name": "train-1", "managedFields": [{}]}}'

        assert decode_or_raise(ApiResponse(status, body, None), Job).metadata.name == "train-1"

    def test_refusal(self) -> None:
        """Is raised as what it means."""
        with pytest.raises(Forbidden):
            decode_or_raise(answered(403, NOT_ALLOWED), Job)

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"<html>", b"[]", b'{"metadata": 5}', b'{"spec":' * 100_000, b'"\xff"']
    )
    def test_answer_that_cannot_be_read(self, body: bytes) -> None:
        """A fault of the moment, and not ours."""
        with pytest.raises(ClusterUnavailable) as refusal:
            decode_or_raise(ApiResponse(200, body, None), Job)

        assert refusal.value.detail == "The cluster's response was cut off or is not JSON. Try again."
        assert refusal.value.retry_after == RETRY_AFTER


class TestRefusesImpersonation:
    """Whether the cluster refused who we act as."""

    @pytest.mark.parametrize(
        ("status", "message", "expected"),
        [
            pytest.param(403, NOT_IMPERSONATED, True, id="a group that is not ours to use"),
            pytest.param(403, NOT_ALLOWED, False, id="what the caller may not"),
            pytest.param(403, "", False, id="without a reason"),
            pytest.param(200, NOT_IMPERSONATED, False, id="no refusal"),
        ],
    )
    def test_verdict(self, status: int, message: str, expected: bool) -> None:
        """Then, and only then, our list of groups is out of date."""
        assert refuses_impersonation(answered(status, message)) is expected
