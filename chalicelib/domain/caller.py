"""Who asks: a subject and groups, taken from verified claims and from nothing else."""

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
"""As many as the issuers put into a token before they leave the claim out (Entra ID: 200)."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@|:+=/~-]{0,127}")
# No space at the end: HTTP drops it from a header's value, and another group's name would be left.
_GROUP = re.compile(r"[A-Za-z0-9/]([A-Za-z0-9._@|:+=/~ -]{0,126}[A-Za-z0-9._@|:+=/~-])?")
_RESERVED_GROUP = re.compile(r"janitor|anonymous|s3-.*")
_RESERVED_SUBJECT = re.compile(rf"{_RESERVED_GROUP.pattern}|api|preflight")
_HASHED_LABEL = "sha256-"


class Caller(msgspec.Struct, frozen=True):
    """Who asks. *groups* decide what the caller may do; *subject* and *uploader* are for the record."""

    subject: str
    groups: tuple[str, ...]
    uploader: str | None = None
    """Whom S3 names as the one who put an upload there; trusted for nothing."""

    @classmethod
    def janitor(cls) -> Caller:
        """Return the identity that cleans up and announces finished Jobs."""
        return cls("janitor", ("janitor",))

    @classmethod
    def anonymous(cls) -> Caller:
        """Return the identity of every caller when authentication is switched off."""
        return cls("anonymous", ("anonymous",))

    @classmethod
    def for_uploads(cls, bucket: str, uploader: str | None = None) -> Caller:
        """Return the identity that submits every upload to *bucket*, whoever the *uploader* is."""
        return cls(f"s3-{bucket}", (f"s3-{bucket}",), uploader)

    @property
    def user(self) -> str:
        """The caller's name in the cluster's audit log."""
        return PREFIX + self.subject

    @property
    def kubernetes_groups(self) -> frozenset[str]:
        """The groups RoleBindings name. The prefix keeps them apart from `system:masters` and all others."""
        return frozenset(PREFIX + group for group in self.groups)

    @property
    def label(self) -> str:
        """The subject as a label value: itself where Kubernetes takes it, else its hash."""
        return user_label(self.subject)


def user_label(subject: str) -> str:
    """The label value that stands for *subject*; no two subjects share one."""
    if is_label_value(subject) and not subject.startswith(_HASHED_LABEL):
        return subject
    return _HASHED_LABEL + hashlib.sha256(subject.encode()).hexdigest()[:40]


def caller_from_claims(
    claims: Mapping[str, object], *, subject_claim: str, groups_claim: str, scope_prefix: str
) -> Caller:
    """The caller that verified *claims* name; Unauthenticated when a value is not of the strict pattern."""
    subject = claims.get(subject_claim)
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise unauthenticated(f"has a claim {subject_claim} that is missing or not usable as a name")
    if _RESERVED_SUBJECT.fullmatch(subject):
        raise unauthenticated(f"has a claim {subject_claim} with a name that is reserved for the API's own actions")
    return Caller(subject, _groups(claims.get(groups_claim), groups_claim, scope_prefix))


def _groups(claim: object, name: str, scope_prefix: str) -> tuple[str, ...]:
    """The groups in *claim*: a list of names, or scopes separated by spaces of which the prefixed ones count."""
    match claim:
        case None:
            found: list[object] = []
        case str():
            scopes = claim.split(" ")
            found = [*(scope.removeprefix(scope_prefix) for scope in scopes if scope.startswith(scope_prefix))]
        case list():
            found = claim
        case _:
            raise unauthenticated(f"has a claim {name} that is neither a list nor a text")
    groups = [group for group in found if isinstance(group, str) and is_group(group)]
    if len(groups) < len(found) or len(found) > MAX_GROUPS:
        raise unauthenticated(f"has a claim {name} with a group that is not usable as a name")
    # An issuer's group must not pass for one of our own: those act without a token.
    return tuple(sorted({group for group in groups if not is_reserved_group(group)}))


def is_group(text: str) -> bool:
    """Whether *text* is usable as a group's name."""
    return _GROUP.fullmatch(text) is not None


def is_reserved_group(group: str) -> bool:
    """Whether the API uses *group* for what it does by itself."""
    return _RESERVED_GROUP.fullmatch(group) is not None
