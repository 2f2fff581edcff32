"""The manifests of one Project: its namespace, its limits and its RBAC objects. Needs no cluster.

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
    """Return the manifests of base/, which a cluster needs once."""
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))["resources"]
    return [manifest for name in names for manifest in yaml.safe_load_all((BASE / name).read_text("utf-8"))]


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
    """Return the manifests of *project*; raise ValueError for an invalid name.

    Uploads to *uploads_bucket* may submit, too. Groups are named as in tokens, without the prefix of the API. Jobs may
    use only *secrets*.
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
    return [each.manifest for each in stream]


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
    """Return the same manifests with their comments."""
    name = _project(project)
    if not _QUANTITY.fullmatch(storage):
        raise ValueError(f"The storage {storage!r} must be a quantity such as 500Gi or 10Ti.")
    if gpus < 0:
        raise ValueError("The number of GPUs must be at least 0.")
    uploads = [] if uploads_bucket is None else [_bucket_group(uploads_bucket)]
    all_submitters = [*map(_group, submitters), *uploads]
    return [
        *project_namespace(name, gpus, storage, [*map(_secret, secrets)]),
        *access(name, all_submitters, [*map(_group, viewers)]),
    ]


def _project(name: str) -> ProjectName:
    if not re.fullmatch(PROJECT_PATTERN, name):
        raise ValueError(f"The Project {name!r} must be 1 to 50 lowercase letters, digits and inner hyphens.")
    return ProjectName(name)


def _group(name: str) -> str:
    if is_reserved_group(name):
        raise ValueError(f"The group {name!r} is reserved for the API.")
    if not is_group(name):
        raise ValueError(f"The group {name!r} is not valid in a token.")
    return name


def _secret(name: str) -> str:
    if len(name) > 253 or not re.fullmatch(JOB_PATTERN, name):  # noqa: PLR2004 - a DNS subdomain, RFC 1123
        raise ValueError(f"The Secret {name!r} must be a DNS subdomain name.")
    return name


def _bucket_group(bucket: str) -> str:
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"The bucket {bucket!r} must be a valid S3 bucket name.")
    return f"s3-{bucket}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the manifests for the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.kubernetes.project", description="Print the manifests of one Project."
    )
    parser.add_argument("project")
    parser.add_argument(
        "--submitters", nargs="+", default=[], metavar="GROUP", help="groups that may submit and delete Jobs"
    )
    parser.add_argument(
        "--viewers", nargs="+", default=[], metavar="GROUP", help="groups that may view Jobs and their logs"
    )
    parser.add_argument("--gpus", type=int, default=GPUS, help="GPUs that its Jobs may use at the same time")
    parser.add_argument("--storage", default=STORAGE, help=f"total storage of its volume claims; default {STORAGE}")
    parser.add_argument("--secrets", nargs="+", default=[], metavar="NAME", help="Secrets that its Jobs may use")
    parser.add_argument("--uploads-bucket", metavar="NAME", help="bucket whose uploads may submit Jobs")
    options = parser.parse_args(arguments)
    try:
        stream = commented_project_manifests(**vars(options))
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.writelines(each.as_yaml() for each in stream)


if __name__ == "__main__":
    main()
