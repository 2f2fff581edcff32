"""Tests of the URLs of a deployment."""

from __future__ import annotations

import pytest

from chalicelib.runtime.urls import docs_url, server_url


class TestServerUrl:
    """Tests of server_url."""

    @pytest.mark.parametrize(
        ("domain", "path", "expected"),
        [
            ("api.example.org", "/researcher", "https://api.example.org/researcher"),
            ("127.0.0.1:8000", "/researcher", "http://127.0.0.1:8000/researcher"),
            ("localhost", "", "http://localhost"),
            ("localhost.example.org", "", "https://localhost.example.org"),
            ("", "/researcher", "/researcher"),
        ],
    )
    def test_scheme(self, domain: str, path: str, expected: str) -> None:
        """Only loopback is plain HTTP; without a domain name the URL is relative."""
        assert server_url(domain, path) == expected


class TestDocsUrl:
    """Tests of docs_url."""

    @pytest.mark.parametrize(
        ("domain", "path", "expected"),
        [
            ("a.example", "/researcher/api/v1/jobs", "https://a.example/researcher/api/docs"),
            ("a.example", "/api/researcher/api/v1/jobs/researcher/api/x", "https://a.example/api/researcher/api/docs"),
            ("a.example", "/v2/researcher/api/docs/x.js", "https://a.example/v2/researcher/api/docs"),
            ("a.example", "/nothing", None),
            ("", "/researcher/api/v1/jobs", None),
        ],
    )
    def test_stage(self, domain: str, path: str, expected: str | None) -> None:
        """The stage or the base path of a custom domain name is kept."""
        assert docs_url(domain, path) == expected
