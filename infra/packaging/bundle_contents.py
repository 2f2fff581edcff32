"""What of the locked requirements a Lambda loads; the rest stays out of the bundle. Decides, and touches no file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath

SERVICES = ("events", "s3")
"""The AWS services whose clients the functions use; botocore carries the descriptions of four hundred."""

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
"""The functions use botocore alone."""
C_PARSER = ("pycparser",)
"""cffi needs it where it compiles; cryptography only loads what was compiled."""
LEFT_OUT = frozenset((*CHALICE_COMMAND, *KUBERNETES_EXTRAS, *BOTO3, *C_PARSER))

REPLACED = {
    "cryptography/hazmat/primitives/serialization/ssh.py": (
        '"""Emptied: no key comes as OpenSSH has them, and what stood here imports for 4 ms."""\n\n\n'
        "def __getattr__(_name: str) -> None:\n"
        '    """What the package names, and nobody uses."""\n'
    ),
    "cryptography/x509/__init__.py": '"""Emptied: keys come as JWKs, and what stood here imports for 5 ms."""\n',
    "jwt/jwks_client.py": (
        '"""Emptied: keys come through our own pool, and what stood here imports for 4 ms."""\n\n\n'
        "class PyJWKClient:\n"
        '    """Not here."""\n'
    ),
    "kubernetes/__init__.py": '"""Emptied: what stood here imports every model, and costs each cold start 300 ms."""\n',
    "kubernetes/client/__init__.py": '"""Emptied: see the package."""\n',
    "kubernetes/utils/__init__.py": '"""Emptied: see the package."""\n',
    "pydantic/plugin/_loader.py": (
        '"""Emptied: nobody has plugins, and what stood here looks for them among all packages."""\n\n\n'
        "def get_plugins() -> tuple[()]:\n"
        '    """None."""\n'
        "    return ()\n"
    ),
    "urllib3/http2/__init__.py": '"""Emptied: HTTP/2 is not used, and what stood here imports for 8 ms."""\n',
}
"""Files of other packages that the bundle has in our words."""

_ONLY = {
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
"""Packages of which only these files are loaded."""
_BOTOCORE_DATA = {*SERVICES, "_retry", "endpoints", "partitions", "sdk-default-configuration"}
_NEVER = re.compile(
    r"botocore/data/.*/(examples|paginators|waiters)-\d"  # of clients' methods that nobody calls
    r"|dateutil/zoneinfo/.*[.]tar[.]gz"  # time zones; all our times are UTC
    r"|dateutil/(rrule|easter|tzwin|tz/win|zoneinfo/rebuild)[.]py"  # calendars, and Windows
    r"|pydantic/(v1/|mypy[.]py|color[.]py|experimental/)"  # the old pydantic, a plugin of mypy, what nobody uses
    r"|urllib3/contrib/(emscripten/|socks[.]py)"  # browsers and proxies
    r"|cryptography/(fernet[.]py|hazmat/primitives/twofactor/)"  # nothing is encrypted or counted here
    r"|cryptography/(x509/(?!__init__)|.*/pkcs(7|12)[.]py)"  # no certificate is read by it; TLS is OpenSSL's
    r"|jwt/(help|jwk_set_cache)[.]py"  # of its command line, and of its own way to fetch keys
)
_DEAD_FOLDERS = {"__pycache__", "bin", "test", "tests"}
_DEAD_ENDINGS = {".c", ".h", ".lock", ".md", ".pth", ".pxd", ".pyi", ".pyx", ".typed"}


def kept_requirements(locked: str) -> str:
    """The requirements in *locked* that are shipped, with their hashes."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", locked, flags=re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] not in LEFT_OUT)


def is_loaded(path: PurePosixPath) -> bool:
    """Whether a Lambda may ever load the installed file *path*."""
    package, rest = path.parts[0], "/".join(path.parts[1:])
    if _NEVER.match(str(path)):
        return False
    if package.endswith(".dist-info"):
        return rest == "METADATA"  # what vulnerability scanners read
    if package in _ONLY:
        return str(path) in REPLACED or rest in _ONLY[package]
    if path.parts[:2] == ("botocore", "data"):
        return path.parts[2].partition(".")[0] in _BOTOCORE_DATA
    return path.suffix not in _DEAD_ENDINGS and path.name != ".lock" and _DEAD_FOLDERS.isdisjoint(path.parts[:-1])
