"""The deployment package: the CloudFormation template, the zip and its bill of materials. Needs no AWS account."""
