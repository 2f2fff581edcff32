"""`python -m infra.commands.replay_uploads --queue URL --function NAME`: invoke the function again for failed uploads.

Both arguments are outputs of the stack. A message is deleted from the queue when Lambda has accepted its event; if the
function fails again, Lambda sends a new message. Region and credentials come from boto3's configuration.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Message = dict[str, Any]

BATCH_SIZE = 10
"""The maximum number of messages that SQS returns in one response."""
WAIT_SECONDS = 1
"""Long polling: SQS queries all of its servers. With short polling a response may be empty although messages exist."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay all messages of the queue and print their number; return 1 if some are not messages of Lambda."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.replay_uploads", description=__doc__)
    parser.add_argument("--queue", required=True, metavar="URL", help="the stack's output UploadFailuresUrl")
    parser.add_argument("--function", required=True, metavar="NAME", help="the stack's output SubmitUploadName")
    options = parser.parse_args(arguments)
    sqs, lambda_client = boto3.client("sqs"), boto3.client("lambda")
    replayed = skipped = 0
    for message in _messages(sqs, options.queue):
        event = _event(message)
        if event is None:
            skipped += 1
            continue
        lambda_client.invoke(FunctionName=options.function, InvocationType="Event", Payload=json.dumps(event).encode())
        sqs.delete_message(QueueUrl=options.queue, ReceiptHandle=message["ReceiptHandle"])
        replayed += 1
    sys.stdout.write(f"Replayed {replayed} failed events; skipped {skipped} messages without an event.\n")
    return int(skipped > 0)


def _messages(sqs: Any, queue: str) -> Iterator[Message]:  # noqa: ANN401 - boto3 creates its clients at run time
    """Yield each message of the queue once; skipped messages become visible again after a while."""
    seen: set[str] = set()
    while True:
        response = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=BATCH_SIZE, WaitTimeSeconds=WAIT_SECONDS)
        new = [message for message in response.get("Messages", []) if message["MessageId"] not in seen]
        if not new:
            return
        seen.update(message["MessageId"] for message in new)
        yield from new


def _event(message: Message) -> object | None:
    """Return the failed event, which Lambda stores in the message as `requestPayload`, or None."""
    try:
        record = json.loads(message["Body"])
    except ValueError:
        return None
    return record.get("requestPayload") if isinstance(record, dict) else None


if __name__ == "__main__":
    sys.exit(main())
