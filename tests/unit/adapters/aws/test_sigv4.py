"""Signatures, compared with those of botocore for the same request and time."""

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
    """The credentials, region, URL and time of a signature."""

    credentials: Credentials
    region: str
    url: str
    now: int

    @property
    def ours(self) -> Signer:
        """The signer under test."""
        return Signer(self.credentials, self.region, self.now)

    def by_botocore(self, request: AWSRequest, expires: int | None = None) -> AWSRequest:
        """Sign *request* with botocore at this time: in the query if it *expires*, otherwise in headers."""
        own = self.credentials
        theirs = BotocoreCredentials(own.access_key, own.secret_key, own.token or None)
        signer = (
            SigV4QueryAuth(theirs, "sts", self.region, expires) if expires else SigV4Auth(theirs, "sts", self.region)
        )
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
    """The parameters and the signature are those of botocore; their order does not matter."""
    request = AWSRequest("GET", f"{signing.url}?{urlencode(query)}", headers={"x-k8s-aws-id": cluster})
    theirs = str(signing.by_botocore(request, expires=60).url)

    ours = signing.ours.url(signing.url, query, {"x-k8s-aws-id": cluster}, 60)

    assert ours.partition("?")[0] == signing.url
    assert dict(parse_qsl(urlsplit(ours).query)) == dict(parse_qsl(urlsplit(theirs).query))


@given(signings, words, st.binary())
def test_signed_headers(signing: Signing, kind: str, body: bytes) -> None:
    """The headers are those of botocore, and Host, which botocore leaves to the connection."""
    theirs = signing.by_botocore(AWSRequest("POST", signing.url, {"Content-Type": kind}, body)).headers

    ours = signing.ours.headers(signing.url, {"content-type": kind}, body)

    assert ours == {"host": urlsplit(signing.url).netloc} | {name.lower(): value for name, value in theirs.items()}


def test_secret_key_is_not_sent() -> None:
    """Neither the URL nor the headers contain the secret key."""
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
def test_signature_depends_on_secret_region_and_time(other: Signer) -> None:
    """Another secret, region or second results in another signature."""
    assert signature(other) != signature(Signer(ROLE, "eu-west-1", NOW))


def signature(signer: Signer) -> str:
    """Return the signature of a URL that *signer* presigns."""
    return signer.url(URL, {"Action": "GetCallerIdentity"}, {"x-k8s-aws-id": "gpu-a"}, 60).rpartition("=")[2]
