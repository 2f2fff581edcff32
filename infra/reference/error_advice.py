"""What to do about each error: the part of the errors page that no class says."""

from __future__ import annotations

REPEAT = (
    "Repeat the request, after the time in `Retry-After` if there is one. A name or an `Idempotency-Key` makes it safe."
)
REPORT = "If it lasts, report the `X-Request-Id` to the operators of your deployment."

ADVICE: dict[str, str] = {
    "bad_gateway": f"{REPEAT} {REPORT}",
    "body_too_large": "Send at most 64 KiB. Put large inputs into a volume or an image.",
    "cluster_unavailable": f"{REPEAT} {REPORT}",
    "credentials_unavailable": f"{REPEAT} {REPORT}",
    "node_unavailable": "Repeat the request later; the cluster replaces the pods of a lost node after some minutes.",
    "deadline_exceeded": f"{REPEAT} For a list, lower `limit`.",
    "event_bus_unavailable": "For operators: the next run announces these Jobs. See"
    " [the runbook](../operate/monitoring.md#restapifailurealarm).",
    "forbidden": "List your Projects with `GET /projects`. For access, ask your platform engineers to bind one of your"
    " groups.",
    "idempotency_key_reused": "Use a new key for a new Job, or send exactly the first request again.",
    "internal_error": "Report the `X-Request-Id` to your operators: this is a bug, or a wrong setting.",
    "invalid_job": "Correct each field that `errors` names.",
    "invalid_page_token": "Start the list again without `pageToken`.",
    "issuer_unavailable": f"{REPEAT} {REPORT}",
    "job_being_deleted": "Wait until the Job is gone, after the time in `Retry-After`, and repeat the request.",
    "job_cleaned_up": "Read the Job's [Receipt](receipts.md) in `receipt`. To run it again, submit it again.",
    "job_finished": "Nothing can be suspended or resumed. Clone the Job to run it again.",
    "job_incomplete": "Send the original request again: it completes the Job. Or delete the Job.",
    "job_managed_by_queue": "Leave it to the queue, or delete the Job.",
    "job_not_finished": "Wait until it has finished: `GET /jobs/{project}/{name}?wait=25&until=finished`.",
    "job_not_found": "Check the name. A Job without a Receipt leaves no trace when it is deleted.",
    "job_not_retriable": "Clone the Job: only the indexes of an indexed Job can be retried.",
    "job_not_started": "`detail` has the reason. Ask for the diagnosis, or wait with `until=running`.",
    "log_gone": "The [Receipt](receipts.md), once there is one, keeps the end of the log.",
    "malformed_request": "Correct what `errors` names: unknown parameters and fields are refused, too.",
    "method_not_allowed": "Use a method that the [endpoint](endpoints.md) has.",
    "name_taken": "Choose another name, or delete the Job that has it.",
    "overloaded": "Wait for the time in `Retry-After`, and repeat the request. Requests with `wait` use capacity.",
    "page_token_expired": "Start the list again without `pageToken`.",
    "precondition_failed": "Read the Job again, decide again, and send its new `ETag` or `id`.",
    "quota_exceeded": "`detail` has the numbers. Request less, or ask your platform engineers for a larger quota.",
    "refused_by_cluster": "`detail` has the message of the policy. Change what it names.",
    "route_not_found": "Compare the path with the [endpoints](endpoints.md); it begins with `/researcher/api/v1`.",
    "storage_unavailable": f"{REPEAT} {REPORT}",
    "submission_unknown": "Submit the Job in full: this API did not create it, and so it cannot be cloned or retried.",
    "too_many_requests": "Wait for the time in `Retry-After`. Use `wait`, or [events](events.md), in place of polling.",
    "unauthenticated": "Get a new access token. If it is refused, too: [Troubleshooting](../guide/troubleshooting.md).",
    "unsupported_media_type": "Send the header `Content-Type: application/json`.",
    "upload_gone": "Upload the file again, and do not delete it before its status object has appeared.",
}
"""By code; a test holds it to the catalogue."""
