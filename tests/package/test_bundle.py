"""The zip: what is in it, how large it is, and that it runs with nothing beside it."""

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
from tests.package.bare import printed_by

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS512": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
"""Keys to sign with, by algorithm."""

MEGABYTE = 10**6
MAX_ZIPPED = 12.5 * MEGABYTE
"""With bytecode; half of it is compiled code of cryptography and pydantic."""
MAX_UNZIPPED = 45 * MEGABYTE
ELF_AARCH64 = 183
"""e_machine of the ELF header, its bytes 18 and 19."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that would be uploaded."""
    path = tmp_path_factory.mktemp("upload") / "functions.zip"
    write_bundle(path)
    return path


@pytest.fixture(scope="module")
def names(archive: Path) -> list[str]:
    """What is in it."""
    return zipfile.ZipFile(archive).namelist()


class TestBytes:
    """The file as it is uploaded."""

    def test_are_the_same_each_time(self, archive: Path, tmp_path: Path) -> None:
        """An upgrade without a change uploads nothing."""
        write_bundle(tmp_path / "again.zip")

        assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()

    def test_are_the_same_with_bytecode(self, archive_here: Path, tmp_path: Path) -> None:
        """Neither the build's folder nor the order of a set shows in the bytecode."""
        write_bundle(tmp_path / "again.zip", HERE)

        assert (tmp_path / "again.zip").read_bytes() == archive_here.read_bytes()

    def test_are_few(self, archive: Path) -> None:
        """Lambda fetches and unpacks them at each cold start."""
        assert archive.stat().st_size <= MAX_ZIPPED
        assert sum(entry.file_size for entry in zipfile.ZipFile(archive).infolist()) <= MAX_UNZIPPED


class TestContents:
    """What is in the zip."""

    def test_are_ours_as_checked_out(self, archive: Path) -> None:
        """Every module and the OpenAPI document, unchanged."""
        ours = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py"), ROOT / "chalicelib" / "openapi.json"]
        zipped = zipfile.ZipFile(archive)

        for path in ours:
            assert zipped.read(path.relative_to(ROOT).as_posix()) == path.read_bytes()

    def test_are_for_the_functions_processor(self, archive: Path) -> None:
        """Compiled code is for arm64, whatever machine packages."""
        zipped = zipfile.ZipFile(archive)
        compiled = [name for name in zipped.namelist() if name.endswith(".so")]

        machines = {name: int.from_bytes(zipped.read(name)[18:20], "little") for name in compiled}

        assert machines == dict.fromkeys(compiled, ELF_AARCH64)
        assert len(compiled) >= 4

    @pytest.mark.parametrize(
        "dead",
        ["aiohttp/", "boto3/", "s3transfer/", "requests/", "pip/", "setuptools/", "kubernetes/client/models/",
         "kubernetes/aio/", "pydantic/v1/", "chalice/deploy/", "infra/", "tests/", ".chalice/"],
    )  # fmt: skip
    def test_are_nothing_unused(self, names: list[str], dead: str) -> None:
        """What no function loads costs size, and what it could do is nobody's wish."""
        assert [name for name in names if name.startswith(dead)] == []

    def test_know_two_services_of_aws(self, names: list[str]) -> None:
        """Botocore's descriptions of all others stay out."""
        data = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}

        assert data == {"events", "s3"}

    def test_tell_scanners_what_is_shipped(self, names: list[str]) -> None:
        """Each package's name and version, and nothing else of its dist-info."""
        told = [name for name in names if ".dist-info/" in name]

        assert "pyjwt-2.15.1.dist-info/METADATA" in told
        assert {PurePosixPath(name).name for name in told} == {"METADATA"}


class TestBytecode:
    """What each cold start would otherwise compile: Lambda mounts the code read-only."""

    def test_is_there_and_never_compared_with_its_source(self, unzipped: Path) -> None:
        """Of every module, with unchecked hashes: zipping sets all times, by which Python would think it stale."""
        for path in unzipped.rglob("*.py"):
            head = Path(importlib.util.cache_from_source(path)).read_bytes()[:8]
            assert (head[:4], head[4:]) == (importlib.util.MAGIC_NUMBER, b"\x01\0\0\0"), path

    def test_is_of_the_functions_python(self, names: list[str]) -> None:
        """Whatever Python packages: a Python ignores the bytecode of another version."""
        modules = [name for name in names if name.endswith(".py")]
        bytecode = [name for name in names if name.endswith(".pyc")]

        assert len(bytecode) == len(modules)
        assert [name for name in bytecode if not name.endswith(".cpython-313.pyc")] == []

    def test_needs_that_python(self, tmp_path: Path) -> None:
        """Nothing is written that every cold start would compile."""
        with pytest.raises(NoInterpreterError, match=r"3\.99"):
            write_bundle(tmp_path / "functions.zip", Target("3.99"))

        assert list(tmp_path.iterdir()) == []


class TestRunning:
    """Our code with what is in the zip."""

    @pytest.mark.parametrize("algorithm", PRIVATE)
    def test_verifies_tokens(self, unzipped: Path, algorithm: str) -> None:
        """Of every kind, though what cryptography has for certificates and for OpenSSH is emptied."""
        private = PRIVATE[algorithm]()
        signed = jwt.encode({"sub": "alice"}, private, algorithm)
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
        key = json.dumps({**public, "alg": algorithm})
        code = f"import jwt; print(jwt.decode({signed!r}, jwt.PyJWK.from_json({key!r}), [{algorithm!r}])['sub'])"

        assert printed_by(unzipped, code) == "alice\n"


class TestSlim:
    """What decides about a file or a requirement."""

    def test_keeps_requirements_with_their_hashes(self) -> None:
        """A requirement is left out with all of its lines, or kept with them."""
        dead = "aiohttp==1 \\\n    --hash=sha256:a\n    # via kubernetes\n"
        kept = "msgspec==2 ; python_version > '3' \\\n    --hash=sha256:b\n"

        assert bundle_contents.bundled_requirements(dead + kept) == kept

    def test_leaves_out_nothing_that_is_not_locked(self) -> None:
        """A name in LEFT_OUT that nobody brings any more is to be deleted."""
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
    def test_knows_what_is_loaded(self, path: str, loaded: bool) -> None:
        """One file of each kind."""
        assert bundle_contents.is_loaded(PurePosixPath(path)) is loaded
