"""What the code lists: errors, reasons, causes of a diagnosis, refused fields, reserved keys, settings."""

from __future__ import annotations

import ast
import inspect
from typing import cast

from msgspec.structs import fields

from chalicelib.domain.diagnosis.causes import EXPLANATIONS
from chalicelib.domain.errors import CATALOGUE
from chalicelib.domain.failure_reasons import FailureReason
from chalicelib.domain.job.status import OWN_REASONS
from chalicelib.domain.labels import RESERVED_DOMAINS, RESERVED_KEYS
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS
from chalicelib.settings import Settings
from infra.localcluster.simulation import OUTCOMES
from infra.reference.document import operations_by_code
from infra.reference.error_advice import ADVICE
from infra.reference.markdown import code, table


def errors() -> str:
    """Return a table of all codes, and a section for each, whose anchor is the code."""
    known = sorted(CATALOGUE.values(), key=lambda error: (error.status, error.code))
    operations = operations_by_code()
    rows = [[f"[`{error.code}`](#{error.code})", str(error.status), error.title] for error in known]
    sections = [table(["code", "status", "title"], rows)]
    for error in known:
        places = ", ".join(f"[`{name}`](endpoints.md#{name})" for name in operations.get(error.code, ()))
        lines = [
            f"## {error.code}",
            f"**{error.status} {error.title}.** {inspect.cleandoc(error.__doc__ or '')}",
            f"*What to do:* {ADVICE[error.code]}",
            *([f"Returned by {places}."] if places else []),
        ]
        sections.append("\n\n".join(lines) + "\n")
    return "\n".join(sections)


def causes() -> str:
    """Return a table of the causes of a diagnosis."""
    rows = [
        [f'<span id="{cause}"></span>`{cause}`', each.meaning, code(each.example), each.remedy]
        for cause, each in EXPLANATIONS.items()
    ]
    return table(["cause", "meaning", "example of its evidence", "what to do"], rows)


def reasons() -> str:
    """Return a table of the reasons of a Job that are not those of the cluster."""
    return table(["reason", "meaning"], [[code(name), meaning] for name, meaning in OWN_REASONS.items()])


def failure_reasons() -> str:
    """Return a table of the reasons in the log why a request to another system failed."""
    meanings = attribute_docstrings(FailureReason)
    rows = [[code(reason.value), meanings[reason.name]] for reason in FailureReason]
    status = "An unexpected HTTP status, of the system or of a proxy before it, such as `status_407`."
    return table(["reason", "what failed, and what to check"], [*rows, [code("status_<number>"), status]])


def refused_fields() -> str:
    """Return a table of the fields that are refused, with the reasons."""
    return table(["field", "reason"], [[code(name), f"{reason}."] for name, reason in UNSUPPORTED_FIELDS.items()])


def reserved_keys() -> str:
    """Return the keys and domains that a submission may not use in labels and annotations."""
    rows = [["domains, with their subdomains", ", ".join(map(code, RESERVED_DOMAINS))]]
    return table(["reserved", "names"], [*rows, ["keys", ", ".join(map(code, RESERVED_KEYS))]])


def settings() -> str:
    """Return a table of the environment variables that the functions read."""
    effects = attribute_docstrings(Settings)
    rows = [
        [
            code(field.name.upper()),
            "**required**" if field.required else code(field.default),
            effects[field.name],
        ]
        for field in fields(Settings)
    ]
    return table(["variable", "default", "effect"], rows)


def outcomes() -> str:
    """Return a table of the values of the variable SIMULATE."""
    return table(["`SIMULATE`", "what happens"], [[code(name), meaning] for name, meaning in OUTCOMES.items()])


def attribute_docstrings(kind: type) -> dict[str, str]:
    """Return the string below each field of the class *kind*, which Python does not keep at run time."""
    body = cast("ast.ClassDef", ast.parse(inspect.getsource(kind)).body[0])
    found = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign | ast.Assign) and isinstance(after, ast.Expr):
            target = field.target if isinstance(field, ast.AnnAssign) else field.targets[0]
            found[ast.unparse(target)] = str(ast.literal_eval(after.value))
    return found
