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

    from chalicelib.domain.token_issuer import TokenIssuer

PREFIX = "researcher:"
MAX_GROUPS = 200
"""The largest number of groups that an issuer puts into a token before it omits the claim (Entra ID: 200)."""

MAX_LOGGED, MAX_LOGGED_GROUPS = 80, 5
"""The lengths of `ignored_groups`: a token may have 200 groups of any length."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@|:+=/~'#%-]{0,127}")
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
    ignored_groups: tuple[str, ...] = ()
    """Some groups of the token that cannot be groups of the cluster, escaped and cut off for the log."""

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


def caller_from_claims(claims: Mapping[str, object], issuer: TokenIssuer) -> Caller:
    """Return the caller of the verified *claims* of *issuer*; raise Unauthenticated if one is invalid."""
    names = [name for claim in issuer.groups_claims for name in _names(claims.get(claim), claim, issuer.scope_prefix)]
    template = issuer.template()
    if template:
        names = [template.group(claims)]
    if len(names) > MAX_GROUPS:
        raise unauthenticated(f"has more than {MAX_GROUPS} groups")
    groups = [issuer.prefix + name for name in names if is_group(name) and is_group(issuer.prefix + name)]
    # The API's own identities act without a token: a token must not bring their groups.
    allowed = {group for group in groups if not is_reserved_group(group)}
    ignored = [ascii(name)[:MAX_LOGGED] for name in names if issuer.prefix + name not in allowed]
    return Caller(
        _subject(claims.get(issuer.subject_claim), issuer),
        tuple(sorted(allowed)),
        ignored_groups=tuple(sorted(set(ignored))[:MAX_LOGGED_GROUPS]),
    )


def _subject(claim: object, issuer: TokenIssuer) -> str:
    """Return the subject in *claim*, with the prefix of *issuer*."""
    name = issuer.subject_claim
    if not isinstance(claim, str) or not _SUBJECT.fullmatch(claim) or not _SUBJECT.fullmatch(issuer.prefix + claim):
        raise unauthenticated(f"has a claim {name} that is missing or invalid")
    if _RESERVED_SUBJECT.fullmatch(issuer.prefix + claim):
        raise unauthenticated(f"has a claim {name} with a name that is reserved for this API")
    return issuer.prefix + claim


def _names(claim: object, name: str, scope_prefix: str) -> list[str]:
    """Return the names in *claim*: an array of names, or space-separated scopes with the prefix."""
    match claim:
        case None:
            return []
        case str():
            scopes = claim.split(" ")
            return [scope.removeprefix(scope_prefix) for scope in scopes if scope.startswith(scope_prefix)]
        case list() if all(isinstance(group, str) for group in claim):
            return claim
        case _:
            raise unauthenticated(f"has a claim {name} that is neither an array of strings nor a string")


def is_group(text: str) -> bool:
    """Return whether *text* is a valid name of a group."""
    return _GROUP.fullmatch(text) is not None


def is_reserved_group(group: str) -> bool:
    """Return whether *group* belongs to one of the API's own identities."""
    return _RESERVED_GROUP.fullmatch(group) is not None
