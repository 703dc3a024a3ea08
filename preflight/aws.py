"""Calls to AWS, whose errors become messages with a remedy. Responses to read-only calls are cached for later checks."""

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from preflight.errors import FailedError

READING = ("batch_get_", "describe_", "get_", "head_", "list_", "simulate_")
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
BAD_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
IAM_PREFIXES = {"elbv2": "elasticloadbalancing"}
IAM_ACTIONS = {
    ("s3", "head_bucket"): "s3:ListBucket",
    ("s3", "get_bucket_encryption"): "s3:GetEncryptionConfiguration",
}
"""The IAM actions whose name differs from that of the operation."""


_ABSENT = re.compile(r"404|.*(NotFound|NoSuch|Nonexistent).*")
"""The error codes of a resource that doesn't exist, such as NoSuchEntity, ResourceNotFoundException and InvalidVpcID.NotFound."""


class AnswerError(FailedError):
    """AWS answered with the error `code`."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.code = code

    @property
    def is_absent(self) -> bool:
        """Whether the resource doesn't exist."""
        return _ABSENT.fullmatch(self.code) is not None


class RefusedByResourceError(AnswerError):
    """The resource's policy explicitly denies the call. Permissions of the caller can't override it."""


class Aws:
    """One region, with the credentials and the endpoint of the environment (AWS_PROFILE, AWS_ENDPOINT_URL and so on)."""

    def __init__(self, region: str, session: boto3.Session | None = None) -> None:
        self.region = region
        self._session = session  # a new one fails if AWS_PROFILE names no profile, which `call` reports
        self._clients: dict[str, Any] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._others: dict[str, Aws] = {}

    def in_region(self, region: str) -> "Aws":
        """The same credentials in another region, with its cached responses."""
        if region == self.region:
            return self
        return self._others.setdefault(region, Aws(region, self._session))

    def endpoint(self, service: str) -> str:
        """The endpoint URL of `service`."""
        return self._client(service).meta.endpoint_url

    def is_emulated(self, service: str) -> bool:
        """Whether the endpoint of `service` isn't one of AWS' own."""
        host = urlsplit(self.endpoint(service)).hostname or ""
        return not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))

    def read(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The response to a call; paginated lists are complete.

        Raises:
            FailedError: a permission is missing, the credentials are invalid, or AWS can't be reached or denies the call.
        """
        if not operation.startswith(READING):
            raise AssertionError(f"{service}.{operation} doesn't only read")
        key = json.dumps([service, operation, parameters], sort_keys=True)
        if key not in self._answers:
            self._answers[key] = self.call(service, operation, **parameters)
        return self._answers[key]

    def find(
        self, service: str, operation: str, *, absent: Collection[str] = (), **parameters: Any
    ) -> dict[str, Any] | None:
        """Like `read`, but None if the resource doesn't exist, or if AWS answers with one of the error codes `absent`."""
        try:
            return self.read(service, operation, **parameters)
        except AnswerError as error:
            if error.is_absent or error.code in absent:
                return None
            raise

    def policy_document(self, arn: str) -> dict[str, Any]:
        """The default version of an IAM policy."""
        version = self.read("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self.read("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        return found["PolicyVersion"]["Document"]

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Like `read`, but also for calls that change something, and never from the cache."""
        try:
            return self._call(service, operation, parameters)
        except ClientError as error:
            raise self._refusal(service, operation, error) from None
        except NoCredentialsError:
            raise FailedError(
                "there are no AWS credentials in this environment",
                "log in (`aws sso login`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ) from None
        # botocore raises ValueError for an endpoint that isn't a URL.
        except (BotoCoreError, ValueError) as error:
            raise FailedError(
                f"{service} {operation}: {error}", "check the network, AWS_ENDPOINT_URL and the AWS configuration"
            ) from None

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
            self._session = self._session or boto3.Session()
            self._clients[service] = self._session.client(service, region_name=self.region, config=config)
        return self._clients[service]

    def _call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        client = self._client(service)
        if client.can_paginate(operation):
            return client.get_paginator(operation).paginate(**parameters).build_full_result()
        return getattr(client, operation)(**parameters)

    def _refusal(self, service: str, operation: str, error: ClientError) -> AnswerError:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in BAD_CREDENTIALS:
            return AnswerError(
                code,
                f"AWS rejects the credentials: {code}",
                "log in again, or correct AWS_PROFILE or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
            )
        if code in DENIED:
            api_name = self._client(service).meta.method_to_api_mapping[operation]
            action = IAM_ACTIONS.get((service, operation), f"{IAM_PREFIXES.get(service, service)}:{api_name}")
            # Secrets Manager returns this message if KMS denies the use of the key that encrypts the secret.
            if "Access to KMS is not allowed" in message:
                action = "kms:Decrypt"
            if "explicit deny in a resource-based policy" in message:
                return RefusedByResourceError(
                    code, f"the resource's own policy denies {action}", "use credentials that the policy allows"
                )
            return AnswerError(
                code,
                f"the permission {action} is missing",
                f"allow {action} to the caller, or use credentials that have it",
            )
        return AnswerError(code, f"{service} {operation} answered {code}: {message}", "see AWS' error message")


def listed(value: Any) -> list[Any]:
    """The items of an element of a policy document, which can be a single one."""
    return value if isinstance(value, list) else [] if value is None else [value]
