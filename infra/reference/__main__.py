"""Write the generated parts of docs/, or check them with --check: `python -m infra.reference`."""

from __future__ import annotations

import sys

from infra.reference.pages import main

if __name__ == "__main__":
    sys.exit(main())
