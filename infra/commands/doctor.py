"""`python -m infra.commands.doctor --stack NAME [--context CONTEXT]`: check a deployment, and say how to fix it.

It reads with the operator's AWS credentials and kubeconfig, and invokes the function `self_check` of the stack for what
only the functions can reach. It changes nothing, and prints no ExternalId, token or key. The exit code is 0 if all
checks hold, 1 if one fails, and 2 if one could not be made.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kubernetes.config import ConfigException

from infra.doctor.report import exit_code, findings, lines
from infra.doctor.target import Aws, Kube, Target

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.doctor", description=__doc__)
    parser.add_argument("--stack", required=True, metavar="NAME", help="the CloudFormation stack")
    parser.add_argument(
        "--context", metavar="NAME", help="the kubeconfig's context of the cluster; default: the current one"
    )
    options = parser.parse_args(arguments)
    results = findings(Target(Aws(options.stack), _kube(options.context)))
    sys.stdout.writelines(f"{line}\n" for line in lines(results))
    return exit_code(results)


def _kube(context: str | None) -> Kube | None:
    """Return the cluster of the kubeconfig, or None if there is none."""
    try:
        return Kube(context)
    except ConfigException:
        return None


if __name__ == "__main__":
    sys.exit(main())
