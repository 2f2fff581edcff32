"""What is deployed: the CloudFormation template, the zip, its bill of materials. Asks no AWS account."""
