"""The product as it is deployed: the packaged template and zip, run by doubles of the AWS services that they name."""
