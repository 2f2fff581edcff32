"""What a person reads about each refused field of a submission. Imported only when a submission is refused.

1. The errors of pydantic get the JSON pointer of the value that they are about.
2. Of the errors of a union only those of the branch that was meant are kept, which the type of the value tells.
3. A missing field is not reported beside a field that means it.
4. Of each value one error is left, whose sentence says what is wrong and what to write instead.

Sentences have names of fields and listed values, never what the caller sent; a name in a legal form is the exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.errors import FieldError, pointer_step
from chalicelib.domain.submission.field_messages import message
from chalicelib.domain.submission.unknown_fields import meaning_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

WRAPPERS = ("job", "jobs", "workload", "body")
"""Fields around a whole Job, in which its required fields are."""
MAX_ERRORS = 20
MAX_DETAILS = 100
"""pydantic reports several errors for one value, one for each branch of a union."""
WRONG_TYPE = frozenset({"string_type", "int_type", "float_type", "bool_type", "list_type", "dict_type", "model_type"})


class Refusal(msgspec.Struct, frozen=True):
    """An error of pydantic with its place in the document.

    *path* has the fields from the root, `*` for an index or the key of a map; *union* is the pointer of the union
    around it, if there is one; *siblings* are the fields of the object in which the field is.
    """

    kind: str
    context: dict[str, Any]
    pointer: str
    path: tuple[str, ...]
    value: Any
    siblings: frozenset[object]
    union: str | None

    @property
    def is_branch(self) -> bool:
        """Whether the union's value has another type than this branch."""
        return self.kind in WRONG_TYPE and self.pointer == self.union


def refused_fields(job: object, error: ValidationError, root: str = "") -> tuple[FieldError, ...]:
    """Return one error for each of the first MAX_ERRORS values of *job* that pydantic refuses; *root* points to *job*.

    The text of *error* contains input, which may be a secret: only locations and rules are used.
    """
    details = error.errors(include_url=False, include_input=False)[:MAX_DETAILS]
    refusals = _without_meant_fields(_without_other_branches([_locate(job, each) for each in details]))
    first: dict[str, tuple[Refusal, tuple[str, ...]]] = {}
    for refusal, others in refusals:
        first.setdefault(root + refusal.pointer, (refusal, others))
    reported = [*first.items()][:MAX_ERRORS]
    return tuple(FieldError(pointer, message(refusal, others)) for pointer, (refusal, others) in reported)


def _locate(job: object, error: ErrorDetails) -> Refusal:
    pointer, value, union = "", job, None
    path: list[str] = []
    siblings: frozenset[object] = frozenset()
    for place, part in enumerate(error["loc"]):
        is_missing = error["type"] == "missing" and place == len(error["loc"]) - 1
        exists = (isinstance(value, dict) and part in value) or (isinstance(value, list) and isinstance(part, int))
        if exists or is_missing:
            pointer += pointer_step(str(part)[:64])
            path.append("*" if _is_entry(path, part) else str(part))
            siblings = frozenset(value if isinstance(value, dict) else ())
            value = value[part] if exists else None  # type: ignore[index] # checked above
        elif part != "[key]" and union is None:
            union = pointer
    return Refusal(error["type"], error.get("ctx", {}), pointer, tuple(path), value, siblings, union)


def _is_entry(path: list[str], part: object) -> bool:
    return isinstance(part, int) or path in (["environment"], ["labels"], ["annotations"])


def _without_other_branches(refusals: Sequence[Refusal]) -> Iterable[tuple[Refusal, tuple[str, ...]]]:
    """Yield the errors to report; with the last branch of a union, the other types that it accepts."""
    for refusal in refusals:
        others = [each for each in refusals if refusal.union is not None and each.union == refusal.union]
        meant = [each for each in others if not each.is_branch]
        if not refusal.is_branch:
            unknown = any(each.kind == "extra_forbidden" for each in meant)
            if not (unknown and refusal.kind == "missing"):
                yield refusal, ()
        elif not meant and refusal is others[0]:
            yield refusal, tuple(each.kind for each in others[1:])


def _without_meant_fields(
    refusals: Iterable[tuple[Refusal, tuple[str, ...]]],
) -> list[tuple[Refusal, tuple[str, ...]]]:
    found = list(refusals)
    if any(each.path[0] in WRAPPERS and isinstance(each.value, (dict, list)) for each, _ in found if each.path):
        found = [(each, others) for each, others in found if each.kind != "missing"]
    if not any(each.kind == "missing" for each, _ in found):
        return found
    unknown = [each.path for each, _ in found if each.kind == "extra_forbidden"][:MAX_ERRORS]
    meant = {(*path[:-1], meaning_of(path)) for path in unknown}
    return [(each, others) for each, others in found if not (each.kind == "missing" and each.path in meant)]
