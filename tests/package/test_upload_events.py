"""How the packaged template brings uploads to their function, and what becomes of those that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.uploads import SUBMIT
from chalicelib.events import RESERVE_SECONDS
from tests.package.reading import environment, function, of_type

if TYPE_CHECKING:
    from tests.package.reading import Json

FUNCTION = {"Ref": "SubmitUpload"}
FORTNIGHT = 14 * 86400
RETRIES_LAST = 6 * 3600
"""Seconds that Lambda keeps an event at most."""


def notifications(packaged: Json) -> Json:
    """What the bucket tells, and whom."""
    found: Json = packaged["Resources"]["Uploads"]["Properties"]["NotificationConfiguration"]
    return found


class TestNotification:
    """What S3 tells the function."""

    def test_is_of_new_objects_below_submit(self, packaged: Json) -> None:
        """Of whatever ending, so that a wrong one is told; never of the statuses that the function writes itself."""
        (one,) = notifications(packaged)["LambdaConfigurations"]

        assert one["Event"] == "s3:ObjectCreated:*"
        assert one["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": SUBMIT}]
        assert one["Function"] == {"Fn::GetAtt": ["SubmitUpload", "Arn"]}
        assert set(notifications(packaged)) == {"LambdaConfigurations"}

    def test_comes_from_this_accounts_bucket_alone(self, packaged: Json) -> None:
        """A bucket's name says nothing of its owner: once it is deleted, anybody may make it."""
        permissions = of_type(packaged, "AWS::Lambda::Permission").values()
        (permission,) = [one for one in permissions if one["FunctionName"] == FUNCTION]

        assert permission == {
            "FunctionName": FUNCTION,
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${UploadsBucket}"},
            "SourceAccount": {"Ref": "AWS::AccountId"},
        }

    def test_is_set_up_when_s3_may_call(self, packaged: Json) -> None:
        """S3 tries it at once; and nothing that the permission needs waits for the bucket."""
        assert packaged["Resources"]["Uploads"]["DependsOn"] == "UploadsInvokePermission"
        assert environment(packaged, "submit_upload")["UPLOADS_BUCKET"] == {"Ref": "UploadsBucket"}

    def test_is_of_the_bucket_that_the_function_reads(self, packaged: Json) -> None:
        """In this account, whatever bucket of that name there may be."""
        assert packaged["Resources"]["Uploads"]["Properties"]["BucketName"] == {"Ref": "UploadsBucket"}
        assert environment(packaged, "submit_upload")["UPLOADS_BUCKET_OWNER"] == {"Ref": "AWS::AccountId"}


class TestFailures:
    """Events that the function did not take."""

    def test_are_tried_twice_more_then_kept(self, packaged: Json) -> None:
        """Lambda calls again after one minute and after two more; then the event goes to the queue, whole."""
        retries = of_type(packaged, "AWS::Lambda::EventInvokeConfig")["UploadRetries"]

        assert retries == {
            "FunctionName": FUNCTION,
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["UploadFailures", "Arn"]}}},
        }

    def test_are_kept_for_a_fortnight_encrypted(self, packaged: Json) -> None:
        """As long as SQS keeps anything."""
        queue = packaged["Resources"]["UploadFailures"]["Properties"]

        assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": FORTNIGHT}
        assert FORTNIGHT > RETRIES_LAST

    def test_are_told(self, packaged: Json) -> None:
        """Somebody has to replay them."""
        alarm = packaged["Resources"]["UploadFailuresAlarm"]["Properties"]

        assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["UploadFailures", "QueueName"]}}]
        assert (alarm["Namespace"], alarm["Threshold"], alarm["ComparisonOperator"]) == (
            "AWS/SQS", 0, "GreaterThanThreshold"
        )  # fmt: skip

    def test_can_be_replayed_by_what_the_stack_tells(self, packaged: Json) -> None:
        """Both arguments of the command are outputs."""
        assert packaged["Outputs"]["UploadFailuresUrl"]["Value"] == {"Ref": "UploadFailures"}
        assert packaged["Outputs"]["SubmitUploadName"]["Value"] == FUNCTION


class TestTime:
    """How long the function may take."""

    def test_is_enough_to_tell_of_a_silent_cluster(self, packaged: Json) -> None:
        """What is left after the deadline is for the status; no message is waited for meanwhile."""
        assert function(packaged, "submit_upload")["Timeout"] == 60 > 2 * RESERVE_SECONDS
