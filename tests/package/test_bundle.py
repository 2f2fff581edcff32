"""The zip: its contents and its size, and that it runs without other packages."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from infra.packaging import bundle_contents
from infra.packaging.bundle import HERE, ROOT, NoInterpreterError, Target, write_bundle
from tests.package.bundle_process import run_in_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS512": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
"""Functions that generate a private key, by algorithm."""

MEGABYTE = 10**6
MAX_ZIPPED = 13 * MEGABYTE
"""Includes the bytecode; half of it is compiled code of cryptography and pydantic."""
MAX_UNZIPPED = 45 * MEGABYTE
ELF_AARCH64 = 183
"""e_machine in the ELF header, its bytes 18 and 19."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip that would be uploaded."""
    path = tmp_path_factory.mktemp("upload") / "functions.zip"
    write_bundle(path)
    return path


@pytest.fixture(scope="module")
def names(archive: Path) -> list[str]:
    """Return the names in the zip."""
    return zipfile.ZipFile(archive).namelist()


class TestBytes:
    """The zip as a file."""

    def test_are_reproducible(self, archive: Path, tmp_path: Path) -> None:
        """Two builds are identical, so an upgrade without a change uploads nothing."""
        write_bundle(tmp_path / "again.zip")

        assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()

    def test_are_reproducible_with_bytecode(self, archive_here: Path, tmp_path: Path) -> None:
        """The bytecode depends neither on the build folder nor on the order of a set."""
        write_bundle(tmp_path / "again.zip", HERE)

        assert (tmp_path / "again.zip").read_bytes() == archive_here.read_bytes()

    def test_are_limited(self, archive: Path) -> None:
        """Lambda downloads and unpacks the zip at each cold start, so its size is limited."""
        assert archive.stat().st_size <= MAX_ZIPPED
        assert sum(entry.file_size for entry in zipfile.ZipFile(archive).infolist()) <= MAX_UNZIPPED


class TestContents:
    """The contents of the zip."""

    def test_have_our_sources(self, archive: Path) -> None:
        """Every module and the OpenAPI document are unchanged."""
        ours = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py"), ROOT / "chalicelib" / "openapi.json"]
        zipped = zipfile.ZipFile(archive)

        for path in ours:
            assert zipped.read(path.relative_to(ROOT).as_posix()) == path.read_bytes()

    def test_are_for_arm64(self, archive: Path) -> None:
        """Compiled code is for arm64, independent of the packaging machine."""
        zipped = zipfile.ZipFile(archive)
        compiled = [name for name in zipped.namelist() if name.endswith(".so")]

        machines = {name: int.from_bytes(zipped.read(name)[18:20], "little") for name in compiled}

        assert machines == dict.fromkeys(compiled, ELF_AARCH64)
        assert len(compiled) >= 4

    @pytest.mark.parametrize(
        "unused",
        ["aiohttp/", "boto3/", "s3transfer/", "requests/", "pip/", "setuptools/", "kubernetes/client/models/",
         "kubernetes/aio/", "pydantic/v1/", "chalice/deploy/", "infra/", "tests/", ".chalice/"],
    )  # fmt: skip
    def test_have_no_unused_packages(self, names: list[str], unused: str) -> None:
        """Packages that no function loads are omitted: they cost size and add attack surface."""
        assert [name for name in names if name.startswith(unused)] == []

    def test_have_two_services_of_botocore(self, names: list[str]) -> None:
        """Botocore's data of all other services is omitted."""
        data = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}

        assert data == {"events", "s3"}

    def test_have_metadata_for_scanners(self, names: list[str]) -> None:
        """Each package has its METADATA with name and version, and no other file of its dist-info."""
        metadata = [name for name in names if ".dist-info/" in name]

        assert "pyjwt-2.15.1.dist-info/METADATA" in metadata
        assert {PurePosixPath(name).name for name in metadata} == {"METADATA"}


class TestBytecode:
    """Bytecode in the zip, because Lambda mounts the code read-only and would compile it at each cold start."""

    def test_has_unchecked_hashes(self, unzipped: Path) -> None:
        """Every module has bytecode with an unchecked hash: zipping changes the times, which would invalidate it."""
        for path in unzipped.rglob("*.py"):
            head = Path(importlib.util.cache_from_source(path)).read_bytes()[:8]
            assert (head[:4], head[4:]) == (importlib.util.MAGIC_NUMBER, b"\x01\0\0\0"), path

    def test_is_for_the_python_of_the_functions(self, names: list[str]) -> None:
        """The bytecode is for the Python of the functions, independent of the packaging Python."""
        modules = [name for name in names if name.endswith(".py")]
        bytecode = [name for name in names if name.endswith(".pyc")]

        assert len(bytecode) == len(modules)
        assert [name for name in bytecode if not name.endswith(".cpython-313.pyc")] == []

    def test_python_is_missing(self, tmp_path: Path) -> None:
        """Without that Python, packaging fails and writes nothing."""
        with pytest.raises(NoInterpreterError, match=r"3\.99"):
            write_bundle(tmp_path / "functions.zip", Target("3.99"))

        assert list(tmp_path.iterdir()) == []


class TestRunning:
    """The code in a process with the zip only."""

    @pytest.mark.parametrize("algorithm", PRIVATE)
    def test_verifies_tokens(self, unzipped: Path, algorithm: str) -> None:
        """Tokens of every algorithm are verified although parts of cryptography are stubbed."""
        private_key = PRIVATE[algorithm]()
        signed = jwt.encode({"sub": "alice"}, private_key, algorithm)
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(private_key.public_key(), as_dict=True)
        key = json.dumps({**public, "alg": algorithm})
        code = f"import jwt; print(jwt.decode({signed!r}, jwt.PyJWK.from_json({key!r}), [{algorithm!r}])['sub'])"

        assert run_in_bundle(unzipped, code) == "alice\n"


class TestFilter:
    """The filters for files and requirements."""

    def test_keeps_requirements_with_their_hashes(self) -> None:
        """A requirement is kept or omitted with all of its lines."""
        unused = "aiohttp==1 \\\n    --hash=sha256:a\n    # via kubernetes\n"
        used = "msgspec==2 ; python_version > '3' \\\n    --hash=sha256:b\n"

        assert bundle_contents.bundled_requirements(unused + used) == used

    def test_omits_only_locked_packages(self) -> None:
        """Every name in EXCLUDED_PACKAGES is a locked package; delete it otherwise."""
        locked = {line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}

        assert sorted(bundle_contents.EXCLUDED_PACKAGES - locked) == []

    @pytest.mark.parametrize(
        ("path", "loaded"),
        [
            ("msgspec/_core.cpython-313-aarch64-linux-gnu.so", True),
            ("msgspec/__init__.pyi", False),
            ("kubernetes/client/rest.py", True),
            ("kubernetes/client/models/v1_job.py", False),
            ("botocore/docs/client.py", True),
            ("botocore/data/_retry.json", True),
            ("botocore/data/sts/2011-06-15/service-2.json.gz", False),
            ("botocore/data/s3/2006-03-01/examples-1.json", False),
            ("botocore/data/s3/2006-03-01/service-2.json.gz", True),
            ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
            ("dateutil/rrule.py", False),
            ("dateutil/tz/tz.py", True),
            ("urllib3/contrib/emscripten/fetch.py", False),
            ("urllib3/contrib/pyopenssl.py", True),
            ("cryptography/x509/__init__.py", True),
            ("cryptography/x509/base.py", False),
            ("cryptography/hazmat/primitives/serialization/pkcs12.py", False),
            ("six.py", True),
            ("pyjwt-2.15.1.dist-info/RECORD", False),
            ("bin/jp.py", False),
            (".lock", False),
        ],
    )
    def test_loaded_files(self, path: str, loaded: bool) -> None:
        """Files of each kind are kept or omitted."""
        assert bundle_contents.is_loaded(PurePosixPath(path)) is loaded
