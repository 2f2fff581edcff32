"""The sentence about one refused field. Imported only when a submission is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.quantities import MAX_SECONDS
from chalicelib.domain.names import MAX_NEW_NAME, MAX_PROJECT, legal_name
from chalicelib.domain.parsing.suggestions import closest, listed, plain, question
from chalicelib.domain.parsing.validation_messages import UNKNOWN, plural
from chalicelib.domain.submission.field_forms import EXAMPLES, FORMS_OF_FIELDS, HINTS, REQUIRED, forms
from chalicelib.domain.submission.unknown_fields import unknown_field

if TYPE_CHECKING:
    from chalicelib.domain.submission.refusal import Refusal

_LIMITS = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "value_error": "{error}",
}
_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
}
_COMMAND = "a string or an array of strings"
"""The type of `command`, of which pydantic sees only the array that a string becomes."""
_NUMBERS = ("int_type", "float_type")
_OFFERED_NAMES = {"project": MAX_PROJECT, "name": MAX_NEW_NAME, "jobNamePrefix": 40, "queue": 63}
"""The fields for which a name in a legal form is offered, with their length; others could have a secret by mistake."""
_MEANT_VALUES = {
    "type": {
        **dict.fromkeys(("training", "batch", "job", "task", "distributed", "standard", "finetune"), "Train"),
        **dict.fromkeys(("workspace", "notebook", "jupyter", "dev", "devenvironment", "shell", "build"), "Interactive"),
    },
    "imagePullPolicy": {"missing": "IfNotPresent", "true": "Always", "false": "Never", "notpresent": "IfNotPresent"},
}


def message(refusal: Refusal, others: tuple[str, ...] = ()) -> str:
    """Return the sentence about *refusal*; *others* are the further types that a union accepts."""
    match refusal.kind:
        case "missing":
            text = f"is required{_example(refusal.path)}"
        case "extra_forbidden":
            text = unknown_field(refusal.path, refusal.siblings)
        case "literal_error":
            text = _choice(refusal)
        case "string_pattern_mismatch":
            text = _form(refusal) + _legal_name(refusal)
        case "string_too_long" | "string_too_short" | "too_long" | "too_short":
            text = plural(refusal.kind, refusal.context) + _legal_name(refusal)
        case kind if kind in _TYPES:
            text = _type(refusal, others)
        case kind:
            limits = {name: _number(limit) for name, limit in refusal.context.items()}
            text = _LIMITS.get(kind, UNKNOWN).format(**limits) + _in_days(refusal)
    return text


def _number(limit: object) -> object:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _in_days(refusal: Refusal) -> str:
    """Return the rest of a limit of seconds, which is easier to read in days."""
    return f" seconds, which are {MAX_SECONDS // 86400} days" if refusal.context.get("le") == MAX_SECONDS else ""


def _form(refusal: Refusal) -> str:
    """Return the sentence for the pattern of a field; some fields share a pattern and have their own sentence."""
    return FORMS_OF_FIELDS.get("/".join(refusal.path)) or forms().get(refusal.context["pattern"], UNKNOWN)


def _choice(refusal: Refusal) -> str:
    choices = re.findall(r"'([^']*)'", refusal.context["expected"])
    if not choices:
        return f"must be {refusal.context['expected'].lower()}; or leave it out"
    if not isinstance(refusal.value, str):
        return f"must be one of {listed(choices)}"
    meant = _MEANT_VALUES.get(refusal.path[-1], {}).get(plain(refusal.value)) or closest(refusal.value, choices)
    return f"must be one of {listed(choices)}{question(meant)}"


def _legal_name(refusal: Refusal) -> str:
    """Return the offer of a name, made of the letters and digits that were sent, for a field that is a name."""
    path = "/".join(refusal.path)
    if path not in _OFFERED_NAMES:
        return ""
    offer = legal_name(refusal.value, _OFFERED_NAMES[path])
    return f"; for example `{offer or json.loads(EXAMPLES[path])}`"


def _type(refusal: Refusal, others: tuple[str, ...]) -> str:
    kinds = dict.fromkeys(_TYPES[kind] for kind in (refusal.kind, *others))
    wanted = _COMMAND if refusal.path == ("command",) else " or ".join(kinds)
    if not refusal.path:
        return f"must be an object with the fields of a Job, not {_kind(refusal.value)}{_whole_job(refusal.value)}"
    if refusal.value is None:
        advice = "write a value" if refusal.path in REQUIRED else "leave it out, or write a value"
        return f"must be {wanted}, not null; {advice}{_example(refusal.path)}"
    if _is_quoted(refusal):
        return f"must be {wanted}, not a string; write it without quotes{_example(refusal.path)}"
    hint = HINTS.get("/".join(refusal.path)) if isinstance(refusal.value, str) else None
    return f"must be {wanted}, not {_kind(refusal.value)}" + (f"; {hint}" if hint else _example(refusal.path))


def _whole_job(value: object) -> str:
    if isinstance(value, list):
        return "; submit each Job in a request of its own"
    if isinstance(value, str):
        return "; if it is JSON within quotes, encode it once"
    return f', such as {{"project": {EXAMPLES["project"]}, "image": {EXAMPLES["image"]}}}'


def _is_quoted(refusal: Refusal) -> bool:
    if not isinstance(refusal.value, str):
        return False
    text = refusal.value.strip().lower()
    if refusal.kind == "bool_type":
        return text in ("true", "false")
    return refusal.kind in _NUMBERS and re.fullmatch(r"[-+]?[0-9]{1,20}([.][0-9]{1,20})?", text) is not None


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number with a decimal point" if isinstance(value, float) else "a number")


def _example(path: tuple[str, ...]) -> str:
    example = EXAMPLES.get("/".join(path))
    return f"; for example {example}" if example else ""
