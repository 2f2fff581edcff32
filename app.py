"""The Chalice app: the routes of all functions or, in a Lambda, of the function that ENDPOINT names."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

from chalice.app import CORSConfig

from chalicelib import functions
from chalicelib.runtime.app import ProblemDetailsChalice
from chalicelib.settings import cors_origin, endpoint_name

if "chalice.cli" in sys.modules:  # the command `chalice`, which is not in the zip
    import_module("infra.chalice_command").prepare()

app = ProblemDetailsChalice(app_name="researcher-rest-api")

if cors_origin():
    app.api.cors = CORSConfig(
        allow_origin=cors_origin(),
        allow_headers=["Idempotency-Key", "If-Match", "If-None-Match"],
        expose_headers=["ETag", "Idempotent-Replayed", "Location", "Retry-After", "X-Pod-Name", "X-Request-Id"],
    )

# Imported objects live as long as the process: garbage collection during import is 7 of the 130 ms of a cold start.
gc.disable()
for name in [endpoint_name()] if endpoint_name() else functions.names():
    app.register_blueprint(import_module(f"{functions.__name__}.{name}").routes)
gc.enable()
