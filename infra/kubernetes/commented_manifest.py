"""A Kubernetes object with a comment."""

from __future__ import annotations

from typing import NamedTuple

import yaml

Manifest = dict[str, object]
"""A Kubernetes object as JSON."""


class CommentedManifest(NamedTuple):
    """A manifest and the comment that explains its purpose."""

    comment: str
    manifest: Manifest

    def as_yaml(self) -> str:
        """Return a document of a YAML stream, with its comment."""
        return f"---\n# {self.comment}\n{yaml.safe_dump(self.manifest, sort_keys=False)}"


def with_comment(comment: str, kind: str, metadata: Manifest, **fields: object) -> CommentedManifest:
    """Return the object of *kind*, such as `batch/v1/Job`, with *comment*."""
    api_version, _, name = kind.rpartition("/")
    return CommentedManifest(comment, {"apiVersion": api_version, "kind": name, "metadata": metadata, **fields})
