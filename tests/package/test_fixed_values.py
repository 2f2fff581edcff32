"""Values of the packaged template that have a reason, and apply to every stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.uploads.s3_event import SUBMIT

if TYPE_CHECKING:
    from tests.package.packaged_template import Json

FORTNIGHT = 14 * 86400
S3_PERMISSION = {
    "FunctionName": {"Ref": "SubmitUpload"},
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
    "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${UploadsBucket}"},
    "SourceAccount": {"Ref": "AWS::AccountId"},
}
"""SourceAccount, because a bucket's name does not identify its owner: after its deletion, any account may create it."""
RETRIES = {
    "FunctionName": {"Ref": "SubmitUpload"},
    "Qualifier": "$LATEST",
    "MaximumRetryAttempts": 2,
    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["UploadFailures", "Arn"]}}},
}
"""Lambda retries after one minute and after two more; then the whole event goes to the queue."""
NEW_OBJECTS = {
    "Event": "s3:ObjectCreated:*",
    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": SUBMIT}]}},
    "Function": {"Fn::GetAtt": ["SubmitUpload", "Arn"]},
}
"""For keys with any extension, so that a wrong one gets a status; not for the statuses that the function writes."""
THROTTLE = {"Ref": "RequestsPerSecondPerOperation"}
PRIVATE = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
QUEUE = {"Name": "QueueName", "Value": {"Fn::GetAtt": ["UploadFailures", "QueueName"]}}

VALUES: list[tuple[str, object]] = [
    # One stage, in the region of the functions; methods are throttled and traced; bodies and tokens are not logged.
    ("Resources.RestAPI.Properties.EndpointConfiguration", {"Type": "REGIONAL"}),
    ("Resources.RestAPI.Properties.StageName", "v1"),
    ("Resources.RestAPI.Properties.OpenApiVersion", "2.0"),
    ("Resources.RestAPI.Properties.MinimumCompressionSize", 1024),
    ("Resources.RestAPI.Properties.TracingEnabled", True),
    ("Resources.RestAPI.Properties.MethodSettings.0.ResourcePath", "/*"),
    ("Resources.RestAPI.Properties.MethodSettings.0.HttpMethod", "*"),
    ("Resources.RestAPI.Properties.MethodSettings.0.ThrottlingRateLimit", THROTTLE),
    ("Resources.RestAPI.Properties.MethodSettings.0.ThrottlingBurstLimit", THROTTLE),
    ("Resources.RestAPI.Properties.MethodSettings.0.DataTraceEnabled", False),
    ("Resources.RestAPI.Properties.MethodSettings.0.MetricsEnabled", False),
    # The pool and its Applications survive the stack and later issuers. A rollback would fail to delete the pool.
    ("Resources.UserPool.DeletionPolicy", "Retain"),
    ("Resources.UserPool.UpdateReplacePolicy", "Retain"),
    ("Resources.UserPool.Properties.DeletionProtection", "ACTIVE"),
    # Users cannot sign up at the issuer of the stack, and people use PKCE without a secret.
    ("Resources.UserPool.Properties.AdminCreateUserConfig", {"AllowAdminCreateUserOnly": True}),
    ("Resources.SignInClient.Properties.ExplicitAuthFlows", ["ALLOW_REFRESH_TOKEN_AUTH"]),
    ("Resources.SignInClient.Properties.AllowedOAuthFlows", ["code"]),
    ("Resources.SignInClient.Properties.GenerateSecret", False),
    # Not the resource server of Applications, whose scopes are groups.
    ("Resources.People.Properties.Identifier", "researcher-people"),
    # The bucket is private, encrypted and versioned, requires TLS, and is retained with the stack's deletion.
    ("Resources.Uploads.Properties.PublicAccessBlockConfiguration", PRIVATE),
    ("Resources.Uploads.Properties.OwnershipControls.Rules", [{"ObjectOwnership": "BucketOwnerEnforced"}]),
    ("Resources.Uploads.Properties.VersioningConfiguration", {"Status": "Enabled"}),
    ("Resources.UploadsPolicy.Properties.PolicyDocument.Statement.0.Effect", "Deny"),
    ("Resources.UploadsPolicy.Properties.PolicyDocument.Statement.0.Principal", "*"),
    (
        "Resources.UploadsPolicy.Properties.PolicyDocument.Statement.0.Condition",
        {"Bool": {"aws:SecureTransport": "false"}},
    ),
    ("Resources.Uploads.DeletionPolicy", "RetainExceptOnCreate"),
    ("Resources.Uploads.UpdateReplacePolicy", "Retain"),
    # S3 tests the notification immediately, so the permission is created first, and must not depend on the bucket.
    ("Resources.Uploads.Properties.NotificationConfiguration", {"LambdaConfigurations": [NEW_OBJECTS]}),
    ("Resources.Uploads.DependsOn", "UploadsInvokePermission"),
    ("Resources.UploadsInvokePermission.Properties", S3_PERMISSION),
    # The function reads this bucket in this account, not another bucket of that name.
    ("Resources.Uploads.Properties.BucketName", {"Ref": "UploadsBucket"}),
    ("Globals.Function.Environment.Variables.UPLOADS_BUCKET", {"Ref": "UploadsBucket"}),
    ("Globals.Function.Environment.Variables.UPLOADS_BUCKET_OWNER", {"Ref": "AWS::AccountId"}),
    # Failed events are stored, encrypted, for the longest time of SQS; an alarm reports them, and they can be replayed.
    ("Resources.UploadRetries.Properties", RETRIES),
    ("Resources.UploadFailures.Properties", {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": FORTNIGHT}),
    ("Resources.UploadFailuresAlarm.Properties.Namespace", "AWS/SQS"),
    ("Resources.UploadFailuresAlarm.Properties.MetricName", "ApproximateNumberOfMessagesVisible"),
    ("Resources.UploadFailuresAlarm.Properties.Dimensions", [QUEUE]),
    ("Resources.UploadFailuresAlarm.Properties.ComparisonOperator", "GreaterThanThreshold"),
    ("Resources.UploadFailuresAlarm.Properties.Threshold", 0),
    ("Outputs.UploadFailuresUrl.Value", {"Ref": "UploadFailures"}),
    ("Outputs.SubmitUploadName.Value", {"Ref": "SubmitUpload"}),
    # Announcements can be disabled, and an event older than a run is dropped; the cleanup is a dry run by default.
    ("Resources.AnnounceInvocations.Properties.MaximumEventAgeInSeconds", 60),
    ("Resources.AnnounceRule.Properties.State", {"Fn::If": ["Announcing", "ENABLED", "DISABLED"]}),
    ("Parameters.AnnounceFinished.Default", "true"),
    ("Parameters.CleanupDryRun.Default", "true"),
    # The external id is visible neither in the console nor in the description of the stack.
    ("Parameters.ClusterExternalId.NoEcho", True),
]


@pytest.mark.parametrize(("path", "value"), VALUES, ids=[path for path, _ in VALUES])
def test_value_is_fixed(packaged: Json, path: str, value: object) -> None:
    """The value is unchanged; a change needs a new reason here."""
    found: Any = packaged
    for key in path.split("."):
        found = found[int(key) if isinstance(found, list) else key]

    assert found == value
