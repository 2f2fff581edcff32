"""`python -m infra.commands.replay_uploads --queue URL --function NAME`: hands failed uploads to their function again.

Both arguments are outputs of the stack. A message leaves the queue once its event was taken again; should the function
fail once more, a new message comes. Region and credentials are boto3's own configuration.
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

AT_ONCE = 10
"""As many messages as SQS hands out at once."""
WAIT_SECONDS = 1
"""Long enough that SQS asks all of its servers; one of them alone may say that there is nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Replays every message that is in the queue, and says how many; 1 when some were none of Lambda's."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.replay_uploads", description=__doc__)
    parser.add_argument("--queue", required=True, metavar="URL", help="the stack's output UploadFailuresUrl")
    parser.add_argument("--function", required=True, metavar="NAME", help="the stack's output SubmitUploadName")
    given = parser.parse_args(arguments)
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    replayed = left = 0
    for message in _messages(sqs, given.queue):
        event = _event(message)
        if event is None:
            left += 1
            continue
        functions.invoke(FunctionName=given.function, InvocationType="Event", Payload=json.dumps(event).encode())
        sqs.delete_message(QueueUrl=given.queue, ReceiptHandle=message["ReceiptHandle"])
        replayed += 1
    sys.stdout.write(f"Replayed {replayed} failed events; left {left} messages that hold none.\n")
    return int(left > 0)


def _messages(sqs: Any, queue: str) -> Iterator[Message]:  # noqa: ANN401 - boto3 makes its clients at run time
    """The messages of the queue, each once: those that are left come back after a while."""
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=WAIT_SECONDS)
        new = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
        if not new:
            return
        seen.update(message["MessageId"] for message in new)
        yield from new


def _event(message: Message) -> object | None:
    """The event that failed, which Lambda put into the message as `requestPayload`."""
    try:
        record = json.loads(message["Body"])
    except ValueError:
        return None
    return record.get("requestPayload") if isinstance(record, dict) else None


if __name__ == "__main__":
    sys.exit(main())
