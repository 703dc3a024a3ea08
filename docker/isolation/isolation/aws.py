"""The agents' calls of AWS, signed (version 4) with the task role's credentials: sessions, the workers' tasks, the agent's log."""

import datetime
import hashlib
import hmac
import json
import os
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from isolation.web import Answer, fetch

_METADATA = "http://169.254.170.2"
_TIMEOUT = 20


class AwsError(Exception):
    """A call has failed; the message has AWS' reason."""


@dataclass(frozen=True)
class Session:
    """Temporary credentials."""

    access_key_id: str
    secret_access_key: str
    token: str
    expires: datetime.datetime

    @property
    def seconds_left(self) -> float:
        """Seconds until the session ends."""
        return (self.expires - datetime.datetime.now(datetime.UTC)).total_seconds()

    def process_output(self) -> dict[str, str]:
        """The members that the SDKs expect from a `credential_process`, without the version."""
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.token,
            "Expiration": self.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class TaskRole:
    """The task role's session, from ECS' credentials endpoint, read again before it ends."""

    _RENEW_BEFORE = 300

    def __init__(self, environment: Mapping[str, str]) -> None:
        relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        self._url = f"{_METADATA}{relative}" if relative else environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
        self._lock, self._session = threading.Lock(), None

    def session(self) -> Session:
        """The current session."""
        with self._lock:
            if self._session is None or self._session.seconds_left < self._RENEW_BEFORE:
                self._session = self._read()
            return self._session

    def _read(self) -> Session:
        if not self._url:
            raise AwsError(
                "ECS has set no AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: the task definition has no task role"
            )
        try:
            found = fetch(urllib.request.Request(self._url), _TIMEOUT, direct=True).document()  # noqa: S310 the host's address
            return Session(found["AccessKeyId"], found["SecretAccessKey"], found["Token"], _parsed(found["Expiration"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise AwsError(f"the task role's credentials can't be read: {problem!r}") from problem


@dataclass(frozen=True)
class Service:
    """What a signed request is for: the service, its region, and the form of the body."""

    name: str
    region: str
    content_type: str = "application/x-www-form-urlencoded; charset=utf-8"
    target: str = ""
    """The operation, for services with JSON bodies."""


def assume_role(task_role: TaskRole, role_arn: str, session_name: str, tags: Mapping[str, str], region: str) -> Session:
    """A session of `role_arn`; AWS limits one that a role's session has assumed to an hour.

    The tags aren't transitive: sessions of other roles that Terraform assumes with this one don't have them, so the trust
    policies of those roles needn't allow them.
    """
    url = os.environ.get("AWS_ENDPOINT_URL_STS") or os.environ.get("AWS_ENDPOINT_URL") or endpoint("sts", region)
    body = urllib.parse.urlencode(
        {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": role_arn,
            "RoleSessionName": session_name,
            "DurationSeconds": "3600",
            **{
                f"Tags.member.{number}.{part}": text
                for number, tag in enumerate(tags.items(), start=1)
                for part, text in zip(("Key", "Value"), tag, strict=True)
            },
        }
    ).encode()
    try:
        return _session(post(task_role.session(), url, body, Service("sts", region)))
    except AwsError as problem:
        raise AwsError(f"{role_arn} can't be assumed: {problem}") from problem


def post(session: Session, url: str, body: bytes, service: Service) -> bytes:
    """Send a signed POST to the root of an endpoint, and return the answer's body.

    Raises:
        AwsError: AWS denies it or doesn't answer; the message has the reason.
    """
    headers = signed_headers(session, url, body, service, datetime.datetime.now(datetime.UTC))
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 a configured endpoint
    try:
        answer = fetch(request, _TIMEOUT)
    except OSError as problem:
        raise AwsError(f"{service.name} doesn't answer: {problem}") from problem
    if answer.status >= 300:
        raise AwsError(_reason(answer.content))
    return answer.content


def call(session: Session, service: str, region: str, target: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Call an operation (`target`) of a service with JSON bodies, at the endpoint of the environment or of the region.

    Raises:
        AwsError: AWS denies it, doesn't answer, or answers something else.
    """
    url = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    described = Service(service, region, "application/x-amz-json-1.1", target)
    content = post(session, url or endpoint(service, region), json.dumps(asked).encode(), described)
    try:
        return Answer(200, content, {}).document()
    except ValueError as problem:
        raise AwsError(f"the answer of {service} can't be read: {problem}") from problem


def signed_headers(session: Session, url: str, body: bytes, service: Service, now: datetime.datetime) -> dict[str, str]:
    """The headers of a POST to the root of an endpoint, signed."""
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {
        "content-type": service.content_type,
        "host": urllib.parse.urlsplit(url).netloc,
        "x-amz-date": time,
        "x-amz-security-token": session.token,
        **({"x-amz-target": service.target} if service.target else {}),
    }
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{day}/{service.region}/{service.name}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{session.secret_access_key}".encode()
    for part in (day, service.region, service.name, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{session.access_key_id}/{scope}"
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}",
    }


def endpoint(service: str, region: str) -> str:
    """The address of a service in a region of any partition."""
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{region}.{domain}"


def _session(content: bytes) -> Session:
    try:
        found = _elements(content)
        return Session(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], _parsed(found["Expiration"])
        )
    except (ElementTree.ParseError, KeyError, ValueError) as problem:
        raise AwsError(f"STS' answer can't be read: {problem}") from problem


def _reason(content: bytes) -> str:
    """The code and the message of an error in XML or JSON."""
    try:
        if content.lstrip().startswith(b"{"):
            document = json.loads(content)
            code = str(document.get("__type", "")).rpartition("#")[2]
            return f"{code}: {document.get('message') or document.get('Message', '')}"
        found = _elements(content)
    except (ElementTree.ParseError, ValueError):
        return content[:300].decode(errors="replace")
    return f"{found.get('Code', '')}: {found.get('Message', '')}"


def _elements(content: bytes) -> dict[str, str]:
    """The texts of an XML document by the names of their elements."""
    found = ElementTree.fromstring(content).iter()  # noqa: S314 AWS' own answer, over TLS
    return {element.tag.rpartition("}")[2]: element.text or "" for element in found}


def _parsed(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
