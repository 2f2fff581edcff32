"""The caller of a request: a subject and groups, taken from verified claims only.

Kubernetes authorizes a request by the caller's groups: the API impersonates each as `researcher:<group>`, and the
RoleBindings of a Project name the same groups. The prefix keeps a group of the token from matching `system:masters` or
any other group of the cluster.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.access_token import unauthenticated
from chalicelib.domain.labels import is_label_value

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "researcher:"
MAX_GROUPS = 200
"""The largest number of groups that an issuer puts into a token before it omits the claim (Entra ID: 200)."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@|:+=/~-]{0,127}")
# No space at the end: HTTP strips it from a header's value, which would leave the name of another group.
_GROUP = re.compile(r"[A-Za-z0-9/]([A-Za-z0-9._@|:+=/~ -]{0,126}[A-Za-z0-9._@|:+=/~-])?")
_RESERVED_GROUP = re.compile(r"janitor|anonymous|s3-.*")
_RESERVED_SUBJECT = re.compile(rf"{_RESERVED_GROUP.pattern}|api|preflight")
_HASHED_LABEL = "sha256-"


class Caller(msgspec.Struct, frozen=True):
    """The identity of a caller. *groups* decide its permissions; *subject* and *uploader* are only recorded."""

    subject: str
    groups: tuple[str, ...]
    uploader: str | None = None
    """The principal that S3 names as the uploader of an object; it grants no permissions."""

    @classmethod
    def janitor(cls) -> Caller:
        """Return the identity that cleans up and announces finished Jobs."""
        return cls("janitor", ("janitor",))

    @classmethod
    def anonymous(cls) -> Caller:
        """Return the identity of every caller if authentication is switched off."""
        return cls("anonymous", ("anonymous",))

    @classmethod
    def for_uploads(cls, bucket: str, uploader: str | None = None) -> Caller:
        """Return the identity that submits all uploads to *bucket*; *uploader* is only recorded."""
        return cls(f"s3-{bucket}", (f"s3-{bucket}",), uploader)

    @property
    def user(self) -> str:
        """The name of the caller in the audit log of the cluster."""
        return PREFIX + self.subject

    @property
    def kubernetes_groups(self) -> frozenset[str]:
        """The groups that RoleBindings name."""
        return frozenset(PREFIX + group for group in self.groups)

    @property
    def label(self) -> str:
        """The subject as a label value; see `user_label`."""
        return user_label(self.subject)


def user_label(subject: str) -> str:
    """Return *subject* if it is a valid label value, otherwise its hash; the result is unique for each subject."""
    if is_label_value(subject) and not subject.startswith(_HASHED_LABEL):
        return subject
    return _HASHED_LABEL + hashlib.sha256(subject.encode()).hexdigest()[:40]


def caller_from_claims(
    claims: Mapping[str, object], *, subject_claim: str, groups_claim: str, scope_prefix: str
) -> Caller:
    """Return the caller of verified *claims*; raise Unauthenticated if a name does not match the strict pattern."""
    subject = claims.get(subject_claim)
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise unauthenticated(f"has a claim {subject_claim} that is missing or invalid")
    if _RESERVED_SUBJECT.fullmatch(subject):
        raise unauthenticated(f"has a claim {subject_claim} with a name that is reserved for this API")
    return Caller(subject, _groups(claims.get(groups_claim), groups_claim, scope_prefix))


def _groups(claim: object, name: str, scope_prefix: str) -> tuple[str, ...]:
    """Return the groups in *claim*: an array of names, or space-separated scopes with the prefix."""
    match claim:
        case None:
            names: list[object] = []
        case str():
            scopes = claim.split(" ")
            names = [*(scope.removeprefix(scope_prefix) for scope in scopes if scope.startswith(scope_prefix))]
        case list():
            names = claim
        case _:
            raise unauthenticated(f"has a claim {name} that is neither an array nor a string")
    groups = [group for group in names if isinstance(group, str) and is_group(group)]
    if len(groups) < len(names) or len(names) > MAX_GROUPS:
        raise unauthenticated(f"has a claim {name} with an invalid group or more than {MAX_GROUPS} groups")
    # The API's own identities act without a token: a token must not bring their groups.
    return tuple(sorted({group for group in groups if not is_reserved_group(group)}))


def is_group(text: str) -> bool:
    """Return whether *text* is a valid name of a group."""
    return _GROUP.fullmatch(text) is not None


def is_reserved_group(group: str) -> bool:
    """Return whether *group* belongs to one of the API's own identities."""
    return _RESERVED_GROUP.fullmatch(group) is not None
