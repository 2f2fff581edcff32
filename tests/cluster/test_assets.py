"""The folder of the binaries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.assets import BINARIES, STAMP, assets_folder, is_ready, kubernetes_version, missing_binaries, stamp
from tests.cluster.assets import required_version as required


def test_folder_is_that_of_the_variable() -> None:
    """KUBEBUILDER_ASSETS is the folder as for envtest; otherwise each version has a folder in the cache."""
    cache = f"/home/a/.cache/researcher-rest-api/kubernetes-{kubernetes_version()}"

    assert assets_folder({"KUBEBUILDER_ASSETS": "/opt/k8s", "HOME": "/home/a"}) == Path("/opt/k8s")
    assert assets_folder({"KUBEBUILDER_ASSETS": "", "HOME": "/home/a"}) == Path(cache)


def test_all_binaries_are_required(tmp_path: Path) -> None:
    """Binaries without a stamp are accepted; with a stamp, its versions must be those of go.mod."""
    for number, name in enumerate(BINARIES):
        assert (is_ready(tmp_path), missing_binaries(tmp_path)) == (False, BINARIES[number:])
        (tmp_path / name).touch()
    assert is_ready(tmp_path)
    for text, ready in ((stamp(), True), ("kubernetes 1.20.0\netcd 3.4.0\n", False)):
        (tmp_path / STAMP).write_text(text)
        assert is_ready(tmp_path) == ready


def test_staging_modules_follow_kubernetes() -> None:
    """All replaced modules have the version of Kubernetes; an incomplete update would build a mixture."""
    minor = kubernetes_version().removeprefix("1.")
    lines = Path(__file__).with_name("go.mod").read_text().splitlines()
    replaced = [line.split(" => ")[1] for line in lines if " => " in line]

    assert len(replaced) > 30
    assert all(line.endswith(f" v0.{minor}") for line in replaced)
    with pytest.raises(LookupError, match="does not name"):
        required("example.invalid/none")
