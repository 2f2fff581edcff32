"""The reasons of failed calls to AWS, from the error codes of its services."""

from __future__ import annotations

from chalicelib.domain.failure_reasons import FailureReason, status_reason

_REASONS: dict[FailureReason, tuple[str, ...]] = {
    FailureReason.ACCESS_DENIED: ("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "NotAuthorized"),
    FailureReason.THROTTLED: (
        "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "TooManyRequestsException", "SlowDown", "LimitExceededException",
    ),
    FailureReason.REGION_DISABLED: ("RegionDisabledException",),
    FailureReason.EXPIRED_CREDENTIALS: ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"),
    FailureReason.INVALID_CREDENTIALS: (
        "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken", "UnrecognizedClientException",
        "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
        "MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired", "RequestTimeTooSkewed",
    ),
    FailureReason.NO_SUCH_BUCKET: ("NoSuchBucket",),
    FailureReason.WRONG_REGION: (
        "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
    ),
}  # fmt: skip
_BY_CODE = {code: reason for reason, codes in _REASONS.items() for code in codes}


def code_reason(code: str, status: int) -> str:
    """Return the reason for an error response with this *code* of AWS, or else with this HTTP *status*."""
    return _BY_CODE.get(code) or status_reason(status)
