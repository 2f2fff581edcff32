"""What a person reads about each invalid query parameter. Imported only when a query is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.errors import FieldError, pointer_step
from chalicelib.domain.parsing.strict_json import non_canonical, query_texts, sent_twice
from chalicelib.domain.parsing.suggestions import closest, listed, plain, question
from chalicelib.domain.parsing.validation_messages import field_error

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

_MEANT = {
    "limit": "pagesize perpage max maxresults count size top limits maxitems",
    "pageToken": "token nextpagetoken continue cursor page next nexttoken offset after",
    "label": "labels selector labelselector tag tags filter",
    "status": "state phase statuses states",
    "jobTypeFilter": "type jobtype typefilter kind",
    "user": "owner username createdby submittedby subject",
    "tail": "taillines lines n last",
    "sinceSeconds": "since",
    "limitBytes": "bytes maxbytes",
    "index": "completionindex arrayindex rank node",
    "container": "containers c",
    "previous": "prev p",
    "timestamps": "timestamp",
    "dryRun": "dry validateonly preview validate",
    "wait": "timeout timeoutseconds waitseconds watch",
    "until": "for waitfor condition untilstatus",
}
_SYNONYMS = {foreign: name for name, names in _MEANT.items() for foreign in names.split()}
_REASONS = {
    **dict.fromkeys(("project", "namespace", "projectid", "ns"), "the Project is part of the path: /jobs/{project}"),
    **dict.fromkeys(("name", "job", "jobname", "jobid"), "the name is part of the path: /jobs/{project}/{name}"),
    **dict.fromkeys(("follow", "f", "stream"), "send `cursor=start` and `wait`, then each X-Next-Cursor"),
    **dict.fromkeys(
        ("sort", "sortby", "orderby", "order", "sortorder"), "lists are sorted by name; sort the response yourself"
    ),
    **dict.fromkeys(("accesstoken", "bearer", "auth", "apikey"), "send the token in the header Authorization: Bearer"),
    **dict.fromkeys(("idempotencykey", "requestid"), "send it as the header Idempotency-Key"),
    **dict.fromkeys(("force", "graceperiod", "graceperiodseconds", "cascade", "propagationpolicy"), "remove it"),
    **dict.fromkeys(("format", "output", "o", "pretty"), "responses are JSON; remove it"),
    **dict.fromkeys(("fields", "columns", "select", "expand"), "responses have all fields; remove it"),
}
_MEANT_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on", "y", "t"), "true"),
    **dict.fromkeys(("false", "0", "no", "off", "n", "f", "none", "null"), "false"),
}
_VALUES = {
    "Running": "active run started ready inprogress",
    "Pending": "waiting new created scheduling unschedulable submitted",
    "ContainerCreating": "starting pulling initializing init provisioning creating",
    "Succeeded": "completed complete success successful done finished ok passed",
    "Failed": "error errored failure crashed timeout timedout oom crashloopbackoff",
    "Terminating": "deleting stopping cancelling canceling",
    "Suspended": "paused stopped hold held",
    "Interactive": "workspace notebook dev",
    "Train": "training batch job",
    "finished": "done completed complete succeeded failed end ended terminated",
    "running": "started active ready start run",
}
_MEANT_VALUES = [(plain(word), value) for value, words in _VALUES.items() for word in words.split()]
_SENT_ONCE = "must be sent once"


def query_errors(query: Mapping[str, Sequence[str]], kind: type[msgspec.Struct]) -> tuple[FieldError, ...]:
    """Return one error for each parameter of *query* that cannot be converted to *kind*."""
    repeated = sent_twice(query, kind)
    texts = {name: text for name, text in query_texts(query, kind).items() if name not in repeated}
    return (*(FieldError(_pointer(name), _SENT_ONCE) for name in repeated), *_conversion_errors(texts, kind, query))


def _conversion_errors(
    texts: dict[str, str | list[str]], kind: type[msgspec.Struct], query: Container[str]
) -> Iterable[FieldError]:
    """Yield the error of each parameter: msgspec reports one, so it is removed and the rest converted again."""
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    unknown = [name for name in texts if name not in known]
    yield from (FieldError(_pointer(name), _unknown(name, known)) for name in unknown)
    rest = {name: text for name, text in texts.items() if name in known}
    while True:
        try:
            parsed = msgspec.convert(rest, kind, strict=False)
        except msgspec.ValidationError as error:
            found = field_error(error, kind, rest)
            name = found.pointer.split("/")[1]
            if name not in rest:  # it is required; msgspec looks for those last
                yield from [] if name in query else [found]
                return
            yield _improved(found, kind, rest)
            del rest[name]
        else:
            for name in non_canonical(rest, parsed):
                yield FieldError(_pointer(name), _form(kind, name, _text(rest[name])))
            return


def _improved(error: FieldError, kind: type[msgspec.Struct], texts: Mapping[str, str | list[str]]) -> FieldError:
    name, _, number = error.pointer.removeprefix("/").partition("/")
    text = _text(texts[name], number)
    if error.message.startswith("must be one of") and "?" not in error.message:
        meant = (value for word, value in _MEANT_VALUES if word == plain(text) and f"`{value}`" in error.message)
        return FieldError(error.pointer, error.message + question(next(meant, None)))
    wrong_type = error.message in ("must be an integer", "must be a number", "must be true or false")
    return FieldError(error.pointer, _form(kind, name, text)) if wrong_type else error


def _text(value: str | list[str], number: str = "") -> str:
    """Return the value of a parameter, or of a list the item *number*, as it was sent."""
    if isinstance(value, str):
        return value
    return value[int(number)] if number else ",".join(value)


def _form(kind: type[msgspec.Struct], name: str, text: str) -> str:
    """Return how the value of the parameter *name*, which is *text*, is written."""
    field = next(field for field in msgspec.structs.fields(kind) if field.encode_name == name)
    described = str(msgspec.inspect.type_info(field.type))
    if "BoolType" in described:
        return f"must be `true` or `false`{question(_MEANT_BOOLEANS.get(text.strip().lower()))}"
    if "IntType" in described:
        return "must be a whole number in decimal digits, such as 10"
    return "must be a number in decimal digits, such as 0.5" if "FloatType" in described else "must not be `null`"


def _unknown(name: str, known: Sequence[str]) -> str:
    if (reason := _REASONS.get(plain(name))) and plain(name) not in map(plain, known):
        return f"is unknown: {reason}"
    meant = _SYNONYMS.get(plain(name))
    if meant := meant if meant in known else closest(name, known):
        return f"is unknown{question(meant)}"
    if not known:
        return "is unknown: this operation has no query parameters; remove it"
    return f"is unknown; the parameters of this operation are {listed(known)}"


def _pointer(name: str) -> str:
    return pointer_step(name[:64])
