"""The part of the locked requirements that a Lambda imports; the bundle leaves out the rest. Pure: no file access."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath

SERVICES = ("events", "s3")
"""The AWS services that the functions call; botocore contains descriptions of four hundred."""

CHALICE_COMMAND = (
    "ansicon", "blessed", "click", "editor", "inquirer", "jinxed", "packaging", "pip", "readchar", "runs",
    "setuptools", "wcwidth", "wheel", "xmod",
)  # fmt: skip
KUBERNETES_EXTRAS = (
    "aiohappyeyeballs", "aiohttp", "aiohttp-retry", "aiosignal", "attrs", "certifi", "charset-normalizer", "durationpy",
    "frozenlist", "idna", "multidict", "oauthlib", "propcache", "requests", "requests-oauthlib", "websocket-client",
    "yarl",
)  # fmt: skip
BOTO3 = ("boto3", "s3transfer")
"""Left out because the functions use only botocore."""
C_PARSER = ("pycparser",)
"""cffi needs it only to compile, and cryptography loads compiled code."""
EXCLUDED_PACKAGES = frozenset((*CHALICE_COMMAND, *KUBERNETES_EXTRAS, *BOTO3, *C_PARSER))

REPLACED = {
    "cryptography/x509/__init__.py": '"""Stubbed: keys are JWKs, and importing the original costs 20 ms."""\n',
    "kubernetes/__init__.py": '"""Stubbed: the original imports all models, which costs 300 ms of a cold start."""\n',
    "kubernetes/client/__init__.py": '"""Stubbed: see the package."""\n',
    "kubernetes/utils/__init__.py": '"""Stubbed: see the package."""\n',
    "pydantic/plugin/_loader.py": (
        '"""Stubbed: there are no plugins, and the original searches all packages for them."""\n\n\n'
        "def get_plugins() -> tuple[()]:\n"
        '    """Return no plugins."""\n'
        "    return ()\n"
    ),
    "urllib3/http2/__init__.py": '"""Stubbed: HTTP/2 is not used, and importing the original costs 8 ms."""\n',
}
"""Files of other packages that the bundle replaces: only those whose import costs more than 5 ms of a cold start."""

_IMPORTED_FILES = {
    "_yaml": set[str](),
    "chalice": {"__init__.py", "app.py"},
    "cffi": set[str](),
    "kubernetes": {
        "client/exceptions.py",
        "client/rest.py",
        "utils/_retry_base.py",
        "utils/keepalive.py",
        "utils/retry.py",
    },
}
"""Packages of which only these files are imported."""
_BOTOCORE_DATA = {*SERVICES, "_retry", "endpoints", "partitions", "sdk-default-configuration"}
_EXCLUDED_FILES = re.compile(
    r"botocore/data/.*/(examples|paginators|waiters)-\d"  # unused client methods
    r"|dateutil/zoneinfo/.*[.]tar[.]gz"  # time zones; all our times are UTC
    r"|dateutil/(rrule|easter|tzwin|tz/win|zoneinfo/rebuild)[.]py"  # calendars and Windows
    r"|pydantic/(v1/|mypy[.]py|color[.]py|experimental/)"  # pydantic version 1, the mypy plugin and unused modules
    r"|urllib3/contrib/(emscripten/|socks[.]py)"  # browsers and proxies
    r"|cryptography/(fernet[.]py|hazmat/primitives/twofactor/)"  # symmetric encryption and one-time passwords
    r"|cryptography/(x509/(?!__init__)|.*/pkcs(7|12)[.]py)"  # certificates; OpenSSL verifies those of TLS
    r"|jwt/help[.]py"  # the command line
)
_EXCLUDED_FOLDERS = {"__pycache__", "bin", "test", "tests"}
_EXCLUDED_SUFFIXES = {".c", ".h", ".lock", ".md", ".pth", ".pxd", ".pyi", ".pyx", ".typed"}


def bundled_requirements(locked: str) -> str:
    """Return the requirements in *locked* that are bundled, with their hashes."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", locked, flags=re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] not in EXCLUDED_PACKAGES)


def is_loaded(path: PurePosixPath) -> bool:
    """Return whether a Lambda may import the installed file *path*."""
    package, rest = path.parts[0], "/".join(path.parts[1:])
    if _EXCLUDED_FILES.match(str(path)):
        return False
    if package.endswith(".dist-info"):
        return rest == "METADATA"  # read by vulnerability scanners
    if package in _IMPORTED_FILES:
        return str(path) in REPLACED or rest in _IMPORTED_FILES[package]
    if path.parts[:2] == ("botocore", "data"):
        return path.parts[2].partition(".")[0] in _BOTOCORE_DATA
    return (
        path.suffix not in _EXCLUDED_SUFFIXES and path.name != ".lock" and _EXCLUDED_FOLDERS.isdisjoint(path.parts[:-1])
    )
