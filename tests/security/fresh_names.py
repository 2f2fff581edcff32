"""Hooks of Schemathesis: each submission that it makes up gets a name and an Idempotency-Key of its own.

Schemathesis repeats one name and one key in hundreds of requests, so that all but the first met their own Job and
ended with 409: nothing behind that answer was tested. A name or a key that is none stays as it is, to be refused.
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
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, object]) -> None:
    """Gives the submission in *case* what no request had before."""
    del context, kwargs
    if case.operation.label != "POST /jobs":
        return
    if _VALID_KEY.fullmatch(case.headers.get(KEY) or ""):
        case.headers[KEY] = f"key-{next(_numbers)}"
    job = case.body.get("job", case.body) if isinstance(case.body, dict) else None
    if isinstance(job, dict) and re.fullmatch(NEW_JOB_PATTERN, str(job.get("name", "-"))):
        job["name"] = f"fresh-{next(_numbers)}"
