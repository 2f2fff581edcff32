"""Old versions of the functions: which are deleted, and which stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.commands.prune_versions import main

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]


class FakeAws:
    """Lambda with versions and aliases of functions, and CloudFormation with their stack; all answers have pages."""

    def __init__(self, versions: Mapping[str, int], aliases: Mapping[str, list[Json]]) -> None:
        self.versions = {name: [str(each + 1) for each in range(count)] for name, count in versions.items()}
        self._aliases = aliases

    def client(self, service: str) -> FakeAws:
        """Return the client of a service."""
        assert service in {"lambda", "cloudformation"}
        return self

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - boto3's paginators have no types
        """Return the paginator of an operation."""
        fake = self

        class Paginator:
            """The paginator of that operation."""

            def paginate(self, **arguments: str) -> list[Json]:
                """Return all pages."""
                return getattr(fake, f"_{operation}")(**arguments)  # type: ignore[no-any-return] # by name

        return Paginator()

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:  # noqa: N803 - boto3's names
        """Delete one version, and never the function."""
        self.versions[FunctionName].remove(Qualifier)

    def _list_versions_by_function(self, *, FunctionName: str) -> list[Json]:  # noqa: N803
        pages = [["$LATEST"], *([each] for each in self.versions[FunctionName])]
        return [{"Versions": [{"Version": each} for each in page]} for page in pages]

    def _list_aliases(self, *, FunctionName: str) -> list[Json]:  # noqa: N803
        return [{"Aliases": []}, {"Aliases": self._aliases.get(FunctionName, [])}]

    def _list_stack_resources(self, *, StackName: str) -> list[Json]:  # noqa: N803
        assert StackName == "researcher-dev"
        resources = [{"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": each} for each in self.versions]
        return [
            {"StackResourceSummaries": [each]}
            for each in (*resources, {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "bucket"})
        ]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """Return an account in which the live version of two functions is not the newest."""
    aws = FakeAws(
        {"list": 12, "get": 10, "cleanup": 0},
        {
            "list": [{"FunctionVersion": "12"}],
            "get": [
                {"FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}},
                {"FunctionVersion": "10"},
            ],
        },
    )
    monkeypatch.setattr("boto3.client", aws.client)
    return aws


def test_versions_that_are_needed_stay(aws: FakeAws) -> None:
    """The newest ones by number, and those that an alias or its routing names, stay."""
    assert main(["--stack", "researcher-dev", "--delete"]) == 0
    assert aws.versions == {"list": ["10", "11", "12"], "get": ["2", "4", "8", "9", "10"], "cleanup": []}


def test_only_lists_by_default(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --delete nothing is deleted."""
    main(["--stack", "researcher-dev", "--keep", "11"])

    assert capsys.readouterr().out == "Would delete list:1\n"
    assert len(aws.versions["list"]) == 12


def test_keeps_at_least_one(aws: FakeAws) -> None:
    """--keep 0 is an error: the slice of the newest would be empty."""
    with pytest.raises(SystemExit):
        main(["--stack", "researcher-dev", "--keep", "0", "--delete"])
    assert len(aws.versions["get"]) == 10
