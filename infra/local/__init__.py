"""The AWS services, token issuer and API Gateway of `make run` and the tests. All servers listen on loopback only."""
