"""The cluster of these tests: the embedded one or, with CLUSTER=real, the control plane."""

from __future__ import annotations

from tests.package.conftest import archive_here, packaged, runtime, unzipped
from tests.product.conftest import stack

__all__ = ["archive_here", "packaged", "runtime", "stack", "unzipped"]
