"""The control plane that other tests stand on."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.cluster.assets import kubernetes_version
from tests.cluster.certificates import Authority
from tests.cluster.control_plane import ControlPlane, TokenWebhook
from tests.cluster.json_client import JsonClient, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Reviewer(BaseHTTPRequestHandler):
    """Takes the token `good` for a user of one group."""

    def do_POST(self) -> None:
        """Answers a TokenReview."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = {"username": "researcher-api:session", "groups": ["researcher-api"]}
        good = review["spec"]["token"] == "good"
        review["status"] = {"authenticated": True, "user": user} if good else {"authenticated": False}
        body = json.dumps(review).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: the tests' output is theirs."""


@contextmanager
def webhook(folder: Path) -> Iterator[TokenWebhook]:
    """A running Reviewer."""
    authority = Authority(folder)
    pair = authority.server("reviewer")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Reviewer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield TokenWebhook(f"https://127.0.0.1:{server.server_port}/review", authority.pem)
    server.shutdown()
    thread.join()
    server.server_close()


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

    def test_pod_security_is_on(self, plane: ControlPlane) -> None:
        """A namespace that asks for the restricted profile gets it."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        plane.admin.create("/api/v1/namespaces", {"metadata": {"name": "restricted", "labels": labels}})
        pod = {"metadata": {"name": "root"}, "spec": {"containers": [{"name": "main", "image": "x"}]}}

        with pytest.raises(Refused, match="violates PodSecurity"):
            plane.admin.create("/api/v1/namespaces/restricted/pods", pod)

    def test_audit_names_who_asked_and_as_whom(self, plane: ControlPlane) -> None:
        """The log tells the one who holds the certificate from the one who is impersonated."""
        headers = [("Impersonate-User", "somebody"), ("Impersonate-Extra-Subject", "alice")]
        with pytest.raises(Refused):
            plane.admin.request("GET", "/api/v1/namespaces?marked", headers=headers)

        (line,) = (line for line in plane.audit_lines() if line["requestURI"].endswith("?marked"))
        assert (line["user"]["username"], line["impersonatedUser"]["username"]) == ("admin", "somebody")
        assert line["impersonatedUser"]["extra"] == {"subject": ["alice"]}

    def test_a_second_one_is_another_cluster(self, plane: ControlPlane, assets: Path, tmp_path: Path) -> None:
        """Two at once share nothing; the second asks a webhook about tokens, and ends alone."""
        (tmp_path / "webhook").mkdir()
        with webhook(tmp_path / "webhook") as hook, ControlPlane(assets, tmp_path, hook) as second:
            second.admin.create("/api/v1/namespaces", {"metadata": {"name": "second"}})
            bearer = JsonClient(second.url, tmp_path / "ca.crt", headers=[("Authorization", "Bearer good")])
            review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
            told = bearer.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
            bearer.close()

            assert told["status"]["userInfo"]["username"] == "researcher-api:session"
            assert "researcher-api" in told["status"]["userInfo"]["groups"]
            with pytest.raises(Refused, match="NotFound"):
                plane.admin.get("/api/v1/namespaces/second")

        with pytest.raises(urllib3.exceptions.HTTPError):
            second.admin.get("/version")
        assert urlsplit(plane.url).port != urlsplit(second.url).port
        assert plane.admin.get("/version")
