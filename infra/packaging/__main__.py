"""Package a stage: `python -m infra.packaging --stage dev --out build/dev`."""

from __future__ import annotations

import sys

from infra.packaging.template import main

if __name__ == "__main__":
    sys.exit(main())
