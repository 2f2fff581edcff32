"""Hooks of Schemathesis: unique names and keys of submissions, and the response to a dry run.

Each generated submission gets a unique name and a unique Idempotency-Key: Schemathesis repeats one name and one key in
hundreds of requests, so that all but the first would be replays or conflicts and would not test the creation of a Job.
Invalid names and keys are not replaced.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import schemathesis

from chalicelib.domain.names import NEW_JOB_PATTERN

if TYPE_CHECKING:
    from schemathesis import Case, HookContext

KEY = "Idempotency-Key"
_VALID_KEY = re.compile("[!-~]([ -~]*[!-~])?")
_numbers = itertools.count()


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Add the response to a dry run, the only one that the document leaves out, for the sake of client generators."""
    del context
    content = {"application/json": {"schema": {"type": "object", "required": ["kind", "metadata", "spec"]}}}
    for path in ("/jobs", "/jobs/{project}/{name}/clone"):
        raw_schema["paths"][path]["post"]["responses"]["200"] = {"description": "A dry run.", "content": content}


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, object]) -> None:
    """Replace a valid name and a valid key of the submission in *case* by unique ones."""
    del context, kwargs
    if case.operation.label != "POST /jobs":
        return
    if _VALID_KEY.fullmatch(case.headers.get(KEY) or ""):
        case.headers[KEY] = f"key-{next(_numbers)}"
    job = case.body.get("job", case.body) if isinstance(case.body, dict) else None
    if isinstance(job, dict) and re.fullmatch(NEW_JOB_PATTERN, str(job.get("name", "-"))):
        job["name"] = f"unique-{next(_numbers)}"
