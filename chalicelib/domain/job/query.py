"""The filters of a list of Jobs: what the cluster selects by labels, and what is filtered here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar

import msgspec

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.job.status import Status
from chalicelib.domain.kubernetes.selectors import SELECTOR_PATTERN, job_selector
from chalicelib.domain.names import MAX_JOB_NAME

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job

Query = TypeVar("Query", bound="JobQuery")

ME = "me"
"""The value of `user` that stands for the caller."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = r"[0-9]{1,5}[smhdw]"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[-+][0-9]{2}:[0-9]{2})"
_MILLISECONDS = r"[0-9]{13}"
SINCE_PATTERN = rf"^({_DURATION}|{_DATE}(T{_TIME})?|{_MILLISECONDS})$"
"""The pattern in the OpenAPI document; requests are validated by `resolved`."""
NAME_PREFIX_PATTERN = r"^[a-z0-9][-.a-z0-9]*$"

Statuses = Annotated[
    tuple[Status, ...],
    msgspec.Meta(
        description="Only Jobs with one of these statuses, separated by commas: `Failed,Pending`.",
        min_length=1,
        max_length=9,
    ),
]
Label = Annotated[
    str,
    msgspec.Meta(
        description="Label selector: requirements such as `team=vision` or `stage!=test`, separated by commas.",
        min_length=1,
        max_length=1024,
        extra_json_schema={"pattern": SELECTOR_PATTERN},
    ),
]


class JobQuery(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The filters and the page of a list of Jobs."""

    comma_separated: ClassVar[frozenset[str]] = frozenset({"status"})

    status: Statuses | None = None
    job_type_filter: (
        Annotated[Literal["Train", "Interactive"], msgspec.Meta(description="Only Jobs of this type.")] | None
    ) = None
    user: (
        Annotated[
            str,
            msgspec.Meta(
                description="Only Jobs submitted by this subject; `me` for your own.", min_length=1, max_length=128
            ),
        ]
        | None
    ) = None
    label: Label | None = None
    name: (
        Annotated[
            str,
            msgspec.Meta(
                description="Only Jobs whose names begin with this.",
                min_length=1,
                max_length=MAX_JOB_NAME,
                extra_json_schema={"pattern": NAME_PREFIX_PATTERN},
            ),
        ]
        | None
    ) = None
    since: (
        Annotated[
            str,
            msgspec.Meta(
                description="Only Jobs created since then: `90m`, `24h` or `7d` ago, a date such as `2026-11-28`, a "
                "time such as `2026-11-28T09:30:00Z`, or milliseconds since 1970, as in `createdAt`.",
                min_length=1,
                max_length=32,
                extra_json_schema={"pattern": SINCE_PATTERN},
            ),
        ]
        | None
    ) = None
    limit: Annotated[int, msgspec.Meta(description="Maximum number of Jobs in the page.", ge=1, le=500)] = 100
    page_token: (
        Annotated[
            str,
            msgspec.Meta(
                description="`nextPageToken` of the previous page.",
                pattern="^[-_=A-Za-z0-9]+$",
                max_length=4096,
                extra={"rule": "must be the nextPageToken of the previous page, unchanged"},
            ),
        ]
        | None
    ) = None

    @property
    def selector(self) -> str:
        """The label selector for the cluster; MalformedRequest if that of the query is invalid."""
        return job_selector(self.label, self.user, self.job_type_filter)

    def selects(self, job: Job) -> bool:
        """Return whether *job* has the name and the age of the query, which no label selector can express."""
        created = job.metadata.creation_timestamp
        old = self.since is not None and (created is None or created < _time(self.since))
        return job.metadata.name.startswith(self.name or "") and not old

    def is_beyond(self, name: str) -> bool:
        """Return whether no Job can match whose name is *name* or follows it in a list."""
        return self.name is not None and name > self.name and not name.startswith(self.name)


class ListQuery(JobQuery, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The query of a list of one Project, which can wait for the end of all of its Jobs."""

    wait: Annotated[int, msgspec.Meta(description="Seconds to wait for `until`.", ge=0, le=25)] = 0
    until: (
        Annotated[
            Literal["finished"],
            msgspec.Meta(
                description="`finished` waits until all Jobs have finished that match the other filters, without "
                "`status`; `unfinished` in the response counts those that have not."
            ),
        ]
        | None
    ) = None


def resolved(query: Query, subject: str, now: datetime) -> Query:
    """Return *query* with the caller's *subject* in place of `me`, and with `since` in milliseconds since 1970.

    Raises: MalformedRequest: `since`, `name` or the label selector is invalid.
    """
    if query.name is not None and not re.fullmatch(NAME_PREFIX_PATTERN, query.name):
        message = "must be the beginning of a name, such as train-: lower-case letters, digits, hyphens and dots"
        raise _invalid("/name", message)
    since = None if query.since is None else str((_since(query.since, now) - _EPOCH) // timedelta(milliseconds=1))
    user = subject if query.user == ME else query.user
    job_selector(query.label, None, None)
    if isinstance(query, ListQuery) and query.wait and not query.until:
        raise _invalid("/wait", "must be sent together with until=finished")
    return msgspec.structs.replace(query, user=user, since=since)


def _since(text: str, now: datetime) -> datetime:
    """Return the time that *text* means, relative to *now* if it is a duration."""
    try:
        if re.fullmatch(_DURATION, text):
            return now - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        if re.fullmatch(_MILLISECONDS, text):
            return _time(text)
        if re.fullmatch(rf"{_DATE}(T{_TIME})?", text):
            time = datetime.fromisoformat(text)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or no such year
        pass
    message = (
        "must be a duration such as 90m, 24h or 7d, a date such as 2026-11-28, a time with its zone such as "
        "2026-11-28T09:30:00Z, or milliseconds since 1970"
    )
    raise _invalid("/since", message)


def _invalid(pointer: str, message: str) -> MalformedRequest:
    return MalformedRequest("The query is invalid; errors names the parameters.", (FieldError(pointer, message),))


def _time(milliseconds: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
