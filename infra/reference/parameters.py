"""The parameters of the stack, from the resources of the template."""

from __future__ import annotations

from infra.packaging.cloudformation_yaml import load_cloudformation
from infra.packaging.template import RESOURCES
from infra.reference.markdown import code, table


def parameters() -> str:
    """Return a table of the parameters; those without a default are required."""
    rows = [
        [code(name), code(one["Default"]) if "Default" in one else "**required**", f"{one['Description']}."]
        for name, one in load_cloudformation(RESOURCES)["Parameters"].items()
    ]
    return table(["parameter", "default", "effect"], rows)
