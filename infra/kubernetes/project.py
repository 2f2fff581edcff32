"""One Project's manifests: its namespace, its bounds, and who may do what in it. Asks no cluster.

python -m infra.kubernetes.project team-a --submitters team-a --viewers auditors --gpus 16 | kubectl apply -f -
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from chalicelib.domain.caller import is_group, is_reserved_group
from chalicelib.domain.names import JOB_PATTERN, PROJECT_PATTERN, ProjectName
from infra.kubernetes.access import access
from infra.kubernetes.namespace import project_namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.kubernetes.commented_manifest import CommentedManifest, Manifest

BASE = Path(__file__).with_name("base")
GPUS = 8
STORAGE = "10Ti"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_QUANTITY = re.compile(r"0|[1-9][0-9]{0,11}[KMGTP]i")


def base_manifests() -> list[Manifest]:
    """The manifests of base/, which a cluster needs once."""
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    return [manifest for name in listed for manifest in yaml.safe_load_all((BASE / name).read_text("utf-8"))]


def project_manifests(  # noqa: PLR0913 - the options of the command
    project: str,
    submitters: Sequence[str],
    viewers: Sequence[str] = (),
    *,
    gpus: int = GPUS,
    uploads_bucket: str | None = None,
    storage: str = STORAGE,
    secrets: Sequence[str] = (),
) -> list[Manifest]:
    """The manifests of *project*, whose uploads to *uploads_bucket* may submit too; ValueError for an odd name.

    Groups are named as tokens name them: the API's prefix is added here. Jobs may name *secrets*, and no others.
    """
    stream = commented_project_manifests(
        project,
        submitters,
        viewers,
        gpus=gpus,
        uploads_bucket=uploads_bucket,
        storage=storage,
        secrets=secrets,
    )
    return [one.manifest for one in stream]


def commented_project_manifests(  # noqa: PLR0913 - as above
    project: str,
    submitters: Sequence[str],
    viewers: Sequence[str],
    *,
    gpus: int,
    uploads_bucket: str | None,
    storage: str,
    secrets: Sequence[str],
) -> list[CommentedManifest]:
    """The same manifests, each with the reason why it is there."""
    name = _project(project)
    if not _QUANTITY.fullmatch(storage):
        raise ValueError(f"{storage!r} is no amount of storage such as 500Gi or 10Ti.")
    if gpus < 0:
        raise ValueError("A Project cannot have fewer than 0 GPUs.")
    uploads = [] if uploads_bucket is None else [_bucket_group(uploads_bucket)]
    submitting = [*map(_group, submitters), *uploads]
    return [
        *project_namespace(name, gpus, storage, [*map(_secret, secrets)]),
        *access(name, submitting, [*map(_group, viewers)]),
    ]


def _project(name: str) -> ProjectName:
    if not re.fullmatch(PROJECT_PATTERN, name):
        raise ValueError(f"{name!r} is no Project: name it with 1 to 50 lower-case letters, digits, inner hyphens.")
    return ProjectName(name)


def _group(name: str) -> str:
    if is_reserved_group(name):
        raise ValueError(f"The group {name!r} is reserved for what the API does by itself.")
    if not is_group(name):
        raise ValueError(f"{name!r} is no group that a token could name.")
    return name


def _secret(name: str) -> str:
    if len(name) > 253 or not re.fullmatch(JOB_PATTERN, name):  # noqa: PLR2004 - a DNS subdomain, RFC 1123
        raise ValueError(f"{name!r} is no name of a Secret.")
    return name


def _bucket_group(bucket: str) -> str:
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"{bucket!r} is no bucket's name.")
    return f"s3-{bucket}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the manifests that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m infra.kubernetes.project", description="One Project's manifests.")
    parser.add_argument("project")
    parser.add_argument("--submitters", nargs="+", default=[], metavar="GROUP", help="may submit and delete Jobs")
    parser.add_argument("--viewers", nargs="+", default=[], metavar="GROUP", help="may look at Jobs and their logs")
    parser.add_argument("--gpus", type=int, default=GPUS, help="how many GPUs its Jobs may use at once")
    parser.add_argument("--storage", default=STORAGE, help=f"how much its volume claims may request; {STORAGE}")
    parser.add_argument("--secrets", nargs="+", default=[], metavar="NAME", help="the Secrets that its Jobs may name")
    parser.add_argument("--uploads-bucket", metavar="NAME", help="the bucket whose uploads may submit Jobs")
    asked = parser.parse_args(arguments)
    try:
        stream = commented_project_manifests(**vars(asked))
    except ValueError as refusal:
        parser.error(str(refusal))
    sys.stdout.writelines(one.as_yaml() for one in stream)


if __name__ == "__main__":
    main()
