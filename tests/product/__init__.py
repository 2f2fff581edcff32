"""Tests of the whole API, from the request to the cluster, over HTTP."""
