"""Write the OpenAPI document, or check it with --check: `python -m infra.openapi`."""

from __future__ import annotations

import sys

from infra.openapi.document import main

if __name__ == "__main__":
    sys.exit(main())
