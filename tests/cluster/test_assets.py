"""Where the binaries are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.assets import BINARIES, STAMP, assets_folder, is_ready, kubernetes_version, missing_binaries, stamp
from tests.cluster.assets import required_version as required


def fill(folder: Path, *names: str) -> Path:
    """*folder*, made with a file for each of *names*."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


class TestFolder:
    """The folder of the binaries."""

    @pytest.mark.parametrize(
        ("variable", "folder"),
        [
            ("/opt/k8s", "/opt/k8s"),
            ("", f"/home/a/.cache/researcher-rest-api/kubernetes-{kubernetes_version()}"),
        ],
    )
    def test_the_variable_names_it(self, variable: str, folder: str) -> None:
        """KUBEBUILDER_ASSETS works as it does for envtest; else each version has a folder in the cache."""
        assert assets_folder({"KUBEBUILDER_ASSETS": variable, "HOME": "/home/a"}) == Path(folder)


class TestReady:
    """Whether tests can start a control plane."""

    def test_all_binaries_without_a_stamp(self, tmp_path: Path) -> None:
        """Binaries that someone else put there are taken as they are."""
        assert is_ready(fill(tmp_path / "assets", *BINARIES))

    @pytest.mark.parametrize("missing", BINARIES)
    def test_one_is_missing(self, tmp_path: Path, missing: str) -> None:
        """All of them are needed; envtest's own archive lacks two."""
        folder = fill(tmp_path / "assets", *(name for name in BINARIES if name != missing))

        assert not is_ready(folder)
        assert missing_binaries(folder) == (missing,)

    def test_stamped_with_other_versions(self, tmp_path: Path) -> None:
        """A new version in go.mod makes the old binaries stale."""
        folder = fill(tmp_path / "assets", *BINARIES)
        (folder / STAMP).write_text(stamp())

        assert is_ready(folder)

        (folder / STAMP).write_text("kubernetes 1.20.0\netcd 3.4.0\n")

        assert not is_ready(folder)


class TestVersions:
    """What go.mod asks for."""

    def test_staging_modules_follow_kubernetes(self) -> None:
        """A bump that forgets one of the replaced modules would build a mixture."""
        minor = kubernetes_version().removeprefix("1.")
        lines = Path(__file__).with_name("go.mod").read_text().splitlines()
        replaced = [line.split(" => ")[1] for line in lines if " => " in line]

        assert len(replaced) > 30
        assert all(line.endswith(f" v0.{minor}") for line in replaced)

    def test_unknown_module(self) -> None:
        """A version is never guessed."""
        with pytest.raises(LookupError, match="does not name"):
            required("example.invalid/none")
