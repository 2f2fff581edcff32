"""The check that each log line about an unavailable system says why."""

from __future__ import annotations

import pytest

from tests.support.log_lines import unexplained


@pytest.mark.parametrize(
    ("code", "why", "is_explained"),
    [
        ("cluster_unavailable", '"name_resolution"', True),
        ("credentials_unavailable", '"sts: status_407"', True),
        ("deadline_exceeded", '"response_too_large; status_503"', True),
        ("forbidden", "null", True),
        ("cluster_unavailable", "null", False),
        ("storage_unavailable", '"s3: Could not connect to https://secret.example"', False),
        ("issuer_unavailable", '"okta: status_500"', False),
    ],
)
def test_unexplained(code: str, why: str, is_explained: bool) -> None:
    """`why` has to be of the published list."""
    line = f'{{"event":"request","function":"get_job","code":"{code}","why":{why}}}'

    assert (unexplained(f"first\n.{line}\nlast\n") == []) == is_explained
