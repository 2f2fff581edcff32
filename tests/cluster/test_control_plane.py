"""The control plane that other tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.cluster.assets import kubernetes_version
from tests.cluster.control_plane import ControlPlane
from tests.cluster.json_client import JsonClient, Refused

if TYPE_CHECKING:
    from pathlib import Path


class TestControlPlane:
    """What it is, and that it stands alone."""

    def test_is_the_version_asked_for(self, plane: ControlPlane) -> None:
        """Tests that depend on the version read the true one."""
        assert plane.admin.get("/version")["gitVersion"] == f"v{kubernetes_version()}"

    def test_strangers_are_refused(self, plane: ControlPlane, tmp_path: Path) -> None:
        """Neither nobody nor the holder of a made-up token may read."""
        authority = tmp_path / "ca.crt"
        authority.write_text(plane.ca_pem)

        for headers, status in (((), 403), ((("Authorization", "Bearer made-up"),), 401)):
            client = JsonClient(plane.url, authority, headers=headers)
            with pytest.raises(Refused) as caught:
                client.get("/api/v1/namespaces")
            client.close()
            assert caught.value.status == status

    def test_a_second_one_is_another_cluster(self, plane: ControlPlane, assets: Path, tmp_path: Path) -> None:
        """Two at once share nothing; the second ends alone."""
        with ControlPlane(assets, tmp_path) as second:
            second.admin.create("/api/v1/namespaces", {"metadata": {"name": "second"}})
            with pytest.raises(Refused, match="NotFound"):
                plane.admin.get("/api/v1/namespaces/second")

        with pytest.raises(urllib3.exceptions.HTTPError):
            second.admin.get("/version")
        assert urlsplit(plane.url).port != urlsplit(second.url).port
        assert plane.admin.get("/version")
