"""Applications in the stack's user pool, in an account on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.commands.application import main
from tests.account.account import Account
from tests.account.stacks import DeployedStack

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUTS = {"UserPoolId": "eu-west-1_Example1", "TokenUrl": "https://t.example/token", "BaseUrl": "https://a.example/v1"}
POOL = OUTPUTS["UserPoolId"]
STACK = "researcher-dev"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Start an account with a stack that has a user pool."""
    account = Account({"name": "gpu-east"})
    account.start()
    account.stacks.by_name[STACK] = DeployedStack(STACK, outputs=dict(OUTPUTS), status="CREATE_COMPLETE")
    for name, value in account.environment().items():
        monkeypatch.setenv(name, value)
    yield account
    account.close()


def create(*groups: str, name: str = "sweeps") -> int:
    """Run the command."""
    return main(["--stack", STACK, "--name", name, "--groups", *groups])


def test_scopes_of_others_stay(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The first Application creates the resource server; a later one adds the groups that are missing."""
    assert create("team-a") == 0
    first = capsys.readouterr().out
    assert create("team-c", "team-a", "team-c") == 0

    (secret, scopes), (_, later) = account.clients.values()
    assert account.scopes[POOL] == ["team-a", "team-c"]
    assert (scopes, later) == (["researcher/team-a"], ["researcher/team-a", "researcher/team-c"])
    assert first.splitlines() == [
        f"export CLIENT_ID={next(iter(account.clients))}",
        f"export CLIENT_SECRET={secret}",
        f"export TOKEN_URL={OUTPUTS['TokenUrl']}",
        f"export BASE_URL={OUTPUTS['BaseUrl']}",
    ]


def test_lost_update_is_repeated(account: Account) -> None:
    """If another run replaces the scopes at the same time, the scopes of both are there at the end."""
    create("team-a")
    account.interruptions = [lambda: account.scopes.update({POOL: ["team-a", "team-b"]})]

    assert create("team-c") == 0
    assert account.scopes[POOL] == ["team-a", "team-b", "team-c"]


def test_interrupted_again_and_again(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """After five attempts nothing is created."""
    create("team-a")
    account.interruptions = [lambda: account.scopes.update({POOL: ["team-a"]})] * 9

    assert create("team-c", name="late") == 1
    assert "changed by others" in capsys.readouterr().err
    assert len(account.clients) == 1


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["Team A"], "Team A: a group has lower-case letters"),
        ([f"g{number}" for number in range(51)], "at most 50 groups"),
        (["one", "two"], "The user pool has 99 groups; Cognito allows 100."),
    ],
    ids=["invalid", "of an Application", "of the pool"],
)
def test_limits_of_cognito(
    account: Account, capsys: pytest.CaptureFixture[str], groups: list[str], message: str
) -> None:
    """A group that is no scope, and more than Cognito's quotas, change nothing."""
    account.scopes[POOL] = [f"other-{number}" for number in range(99)]

    assert create(*groups) == 1
    assert message in capsys.readouterr().err
    assert (len(account.scopes[POOL]), account.clients) == (99, {})


def test_stack_without_a_pool(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """With another token issuer, the error says where Applications are created."""
    del account.stacks.by_name[STACK].outputs["UserPoolId"]

    assert create("team-a") == 1
    assert "create the Application at its token issuer" in capsys.readouterr().err
