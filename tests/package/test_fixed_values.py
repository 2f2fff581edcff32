"""Values of the packaged template that are what they are for a reason, and hold for every stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.uploads.s3_event import SUBMIT

if TYPE_CHECKING:
    from tests.package.reading import Json

FORTNIGHT = 14 * 86400
CALLED_BY_S3 = {
    "FunctionName": {"Ref": "SubmitUpload"},
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
    "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${UploadsBucket}"},
    "SourceAccount": {"Ref": "AWS::AccountId"},
}
"""A bucket's name says nothing of its owner: once it is deleted, anybody may make it."""
RETRIES = {
    "FunctionName": {"Ref": "SubmitUpload"},
    "Qualifier": "$LATEST",
    "MaximumRetryAttempts": 2,
    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["UploadFailures", "Arn"]}}},
}
"""Lambda calls again after one minute and after two more; then the event goes to the queue, whole."""
NEW_OBJECTS = {
    "Event": "s3:ObjectCreated:*",
    "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": SUBMIT}]}},
    "Function": {"Fn::GetAtt": ["SubmitUpload", "Arn"]},
}
"""Of whatever ending, so that a wrong one is told; never of the statuses that the function writes itself."""
THROTTLE = {"Ref": "RequestsPerSecond"}
PRIVATE = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
QUEUE = {"Name": "QueueName", "Value": {"Fn::GetAtt": ["UploadFailures", "QueueName"]}}

VALUES: list[tuple[str, object]] = [
    # One stage, in the region of the functions; every method is throttled and traced; bodies and tokens are not logged.
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
    # Nobody signs up at the stack's own issuer, and no client goes without a secret.
    ("Resources.SampleApplication.Properties.AllowedOAuthFlows", ["client_credentials"]),
    ("Resources.SampleApplication.Properties.GenerateSecret", True),
    ("Resources.UserPool.Properties.AdminCreateUserConfig", {"AllowAdminCreateUserOnly": True}),
    # Cognito's access tokens have no audience and no groups; scopes of our resource server stand for both.
    ("Globals.Function.Environment.Variables.TOKEN_AUDIENCE_CLAIM.Fn::If.1", "scope"),
    ("Globals.Function.Environment.Variables.TOKEN_AUDIENCE.Fn::If.1", "researcher"),
    ("Resources.Groups.Properties.Identifier", "researcher"),
    ("Globals.Function.Environment.Variables.TOKEN_GROUPS_CLAIM.Fn::If.1", "scope"),
    # The bucket is private and encrypted, keeps each version, is reached over TLS alone, and outlives the stack.
    ("Resources.Uploads.Properties.PublicAccessBlockConfiguration", PRIVATE),
    ("Resources.Uploads.Properties.OwnershipControls.Rules", [{"ObjectOwnership": "BucketOwnerEnforced"}]),
    ("Resources.Uploads.Properties.VersioningConfiguration", {"Status": "Enabled"}),
    ("Resources.UploadsPolicy.Properties.PolicyDocument.Statement.0.Effect", "Deny"),
    ("Resources.UploadsPolicy.Properties.PolicyDocument.Statement.0.Principal", "*"),
    (
        "Resources.UploadsPolicy.Properties.PolicyDocument.Statement.0.Condition",
        {"Bool": {"aws:SecureTransport": "false"}},
    ),
    ("Resources.Uploads.DeletionPolicy", "Retain"),
    ("Resources.Uploads.UpdateReplacePolicy", "Retain"),
    # S3 tries the notification at once, so the permission comes first; nothing that it needs waits for the bucket.
    ("Resources.Uploads.Properties.NotificationConfiguration", {"LambdaConfigurations": [NEW_OBJECTS]}),
    ("Resources.Uploads.DependsOn", "UploadsInvokePermission"),
    ("Resources.UploadsInvokePermission.Properties", CALLED_BY_S3),
    # It is the bucket that the function reads, in this account, whatever bucket of that name there may be.
    ("Resources.Uploads.Properties.BucketName", {"Ref": "UploadsBucket"}),
    ("Globals.Function.Environment.Variables.UPLOADS_BUCKET", {"Ref": "UploadsBucket"}),
    ("Globals.Function.Environment.Variables.UPLOADS_BUCKET_OWNER", {"Ref": "AWS::AccountId"}),
    # Failed events are kept, encrypted, as long as SQS keeps anything; somebody is told, and can replay them.
    ("Resources.UploadRetries.Properties", RETRIES),
    ("Resources.UploadFailures.Properties", {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": FORTNIGHT}),
    ("Resources.UploadFailuresAlarm.Properties.Namespace", "AWS/SQS"),
    ("Resources.UploadFailuresAlarm.Properties.MetricName", "ApproximateNumberOfMessagesVisible"),
    ("Resources.UploadFailuresAlarm.Properties.Dimensions", [QUEUE]),
    ("Resources.UploadFailuresAlarm.Properties.ComparisonOperator", "GreaterThanThreshold"),
    ("Resources.UploadFailuresAlarm.Properties.Threshold", 0),
    ("Outputs.UploadFailuresUrl.Value", {"Ref": "UploadFailures"}),
    ("Outputs.SubmitUploadName.Value", {"Ref": "SubmitUpload"}),
    # Announcing can be switched off, and two runs would tell of a Job; cleanup deletes nothing until it is switched on.
    ("Resources.AnnounceInvocations.Properties.MaximumEventAgeInSeconds", 60),
    ("Resources.AnnounceRule.Properties.State", {"Fn::If": ["Announcing", "ENABLED", "DISABLED"]}),
    ("Parameters.AnnounceFinished.Default", "true"),
    ("Parameters.CleanupDryRun.Default", "true"),
    # The external id shows neither in the console nor in the stack's description.
    ("Parameters.ClusterExternalId.NoEcho", True),
]


@pytest.mark.parametrize(("path", "value"), VALUES, ids=[path for path, _ in VALUES])
def test_value_is_fixed(packaged: Json, path: str, value: object) -> None:
    """Whoever changes it changes its reason here as well."""
    found: Any = packaged
    for key in path.split("."):
        found = found[int(key) if isinstance(found, list) else key]

    assert found == value
