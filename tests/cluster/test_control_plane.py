"""The control plane that other tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.cluster.assets import kubernetes_version
from tests.cluster.control_plane import ControlPlane
from tests.cluster.json_client import ErrorResponse, JsonClient

if TYPE_CHECKING:
    from pathlib import Path


class TestControlPlane:
    """Its version, authentication and isolation."""

    def test_version(self, plane: ControlPlane) -> None:
        """The version is that of go.mod."""
        assert plane.admin.get("/version")["gitVersion"] == f"v{kubernetes_version()}"

    def test_unauthenticated_requests(self, plane: ControlPlane, tmp_path: Path) -> None:
        """Requests without a token are forbidden, and requests with an invalid token are unauthorized."""
        authority = tmp_path / "ca.crt"
        authority.write_text(plane.ca_pem)

        for headers, status in (((), 403), ((("Authorization", "Bearer invalid"),), 401)):
            client = JsonClient(plane.url, authority, headers=headers)
            with pytest.raises(ErrorResponse) as error:
                client.get("/api/v1/namespaces")
            client.close()
            assert error.value.status == status

    def test_two_control_planes(self, plane: ControlPlane, assets: Path, tmp_path: Path) -> None:
        """Two control planes share nothing, and end independently."""
        with ControlPlane(assets, tmp_path) as second:
            second.admin.create("/api/v1/namespaces", {"metadata": {"name": "second"}})
            with pytest.raises(ErrorResponse, match="NotFound"):
                plane.admin.get("/api/v1/namespaces/second")

        with pytest.raises(urllib3.exceptions.HTTPError):
            second.admin.get("/version")
        assert urlsplit(plane.url).port != urlsplit(second.url).port
        assert plane.admin.get("/version")
