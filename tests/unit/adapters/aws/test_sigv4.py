"""Signatures, held against botocore's for the same request at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

import botocore.auth
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.aws.sigv4 import Credentials, Signer

NOW = 1_795_600_000
URL = "https://sts.eu-west-1.amazonaws.com/"
ROLE = Credentials("ASIAEXAMPLE", "unencoded", "tok/en+==")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
words = st.from_regex(r"[!-~]+( +[!-~]+)*", fullmatch=True)


@dataclass(frozen=True)
class Signing:
    """Who signs, for which region and URL, and when."""

    who: Credentials
    region: str
    url: str
    now: int

    @property
    def ours(self) -> Signer:
        """Our signer."""
        return Signer(self.who, self.region, self.now)

    def by_botocore(self, request: AWSRequest, expires: int | None = None) -> AWSRequest:
        """*request*, signed by botocore at that time: in its query where it *expires*."""
        who = BotocoreCredentials(self.who.access_key, self.who.secret_key, self.who.token or None)
        signer = SigV4QueryAuth(who, "sts", self.region, expires) if expires else SigV4Auth(who, "sts", self.region)
        with pytest.MonkeyPatch.context() as clock:
            clock.setattr(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(self.now, UTC))
            signer.add_auth(request)
        return request


signings = st.builds(
    Signing,
    st.builds(Credentials, st.from_regex("[A-Z0-9]{16,20}", fullmatch=True), words, st.just("") | words),
    st.sampled_from(["eu-west-1", "us-gov-west-1", "cn-north-1"]),
    st.sampled_from([URL, "http://127.0.0.1:4566/", "https://vpce.example.com/a b/%7E/"]),
    st.integers(0, 4_000_000_000),
)


@given(signings, st.dictionaries(st.from_regex("[A-Za-z]+", fullmatch=True), texts, min_size=1), words)
def test_presigned_url(signing: Signing, query: dict[str, str], cluster: str) -> None:
    """The same parameters, and so the same signature; their order is no part of it."""
    request = AWSRequest("GET", f"{signing.url}?{urlencode(query)}", headers={"x-k8s-aws-id": cluster})
    theirs = str(signing.by_botocore(request, expires=60).url)

    ours = signing.ours.url(signing.url, query, {"x-k8s-aws-id": cluster}, 60)

    assert ours.partition("?")[0] == signing.url
    assert dict(parse_qsl(urlsplit(ours).query)) == dict(parse_qsl(urlsplit(theirs).query))


@given(signings, words, st.binary())
def test_signed_headers(signing: Signing, kind: str, body: bytes) -> None:
    """All that botocore sends, and the host, which it leaves to the connection."""
    theirs = signing.by_botocore(AWSRequest("POST", signing.url, {"Content-Type": kind}, body)).headers

    ours = signing.ours.headers(signing.url, {"content-type": kind}, body)

    assert ours == {"host": urlsplit(signing.url).netloc} | {name.lower(): value for name, value in theirs.items()}


def test_nothing_but_the_signature_tells_of_the_secret() -> None:
    """Which goes into neither URL nor headers."""
    signer = Signer(ROLE, "eu-west-1", NOW)

    assert ROLE.secret_key not in signer.url(URL, {"Action": "a"}, {}, 60)
    assert ROLE.secret_key not in str(signer.headers(URL, {}, b""))


@pytest.mark.parametrize(
    "other",
    [
        Signer(Credentials("ASIAEXAMPLE", "other", "tok/en+=="), "eu-west-1", NOW),
        Signer(ROLE, "eu-west-2", NOW),
        Signer(ROLE, "eu-west-1", NOW + 1),
    ],
)
def test_signature_is_of_secret_region_and_second(other: Signer) -> None:
    """Each of them makes another."""
    assert signature(other) != signature(Signer(ROLE, "eu-west-1", NOW))


def signature(signer: Signer) -> str:
    """The last parameter of a URL that *signer* makes."""
    return signer.url(URL, {"Action": "GetCallerIdentity"}, {"x-k8s-aws-id": "gpu-a"}, 60).rpartition("=")[2]
