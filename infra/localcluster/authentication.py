"""Authentication: the identity of the token, or the one that it impersonates.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from infra.localcluster.identity import Identity
from infra.localcluster.rbac import AccessAttributes
from infra.localcluster.status_errors import StatusError, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.local.wire import Headers
    from infra.localcluster.rbac import Rbac

_USER, _GROUP, _UID, _EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"


class Authentication:
    """Authenticates tokens with *review*, which raises PermissionError for an invalid token."""

    def __init__(self, review: Callable[[str], Identity], rbac: Rbac) -> None:
        self._review = review
        self._rbac = rbac

    def identity(self, headers: Headers) -> Identity:
        """Return the identity of a request.

        Raises: StatusError 401 without a valid token, 403 if the token's user may not impersonate the identity.
        """
        holder = self._authenticate(headers)
        impersonation = [(name.lower(), value) for name, value in headers if name.lower().startswith("impersonate-")]
        if not impersonation:
            return holder
        users = [value for name, value in impersonation if name == _USER]
        if not users:
            raise bad_request("requested impersonation without impersonating a user")
        for access in _required_access(impersonation):
            self._rbac.check(holder, access)
        return Identity(users[0], tuple(value for name, value in impersonation if name == _GROUP))

    def _authenticate(self, headers: Headers) -> Identity:
        tokens = [value for name, value in headers if name.lower() == "authorization"]
        try:
            scheme, _, token = tokens[0].partition(" ")
            if scheme.lower() == "bearer":
                return self._review(token)
        except (IndexError, PermissionError):
            pass
        raise StatusError(401, "Unauthorized", "Unauthorized")


def _required_access(impersonation: Headers) -> Iterator[AccessAttributes]:
    """Yield the permission that each header needs."""
    for name, value in impersonation:
        if name.startswith(_EXTRA):
            key = unquote(name.removeprefix(_EXTRA))
            yield AccessAttributes("impersonate", _AUTHENTICATION, f"userextras/{key}", name=value)
        elif name in (_USER, _GROUP):
            yield AccessAttributes("impersonate", "", "users" if name == _USER else "groups", name=value)
        else:
            yield AccessAttributes("impersonate", _AUTHENTICATION, "uids" if name == _UID else name, name=value)
