"""Write the client's models, or check them with --check: `python -m infra.client`."""

from __future__ import annotations

import sys

from infra.client.models import main

if __name__ == "__main__":
    sys.exit(main())
