"""Attacks of a plan on the states of repositories, where `terraformStatePrefixes` has `{repository}`."""

import json

from components.names import REPOSITORY_TAG
from components.settings.accepted import REPOSITORY
from sandbox.attack.identities import identities
from sandbox.attack.provider import called
from sandbox.attack.pull_requests import state_bucket
from sandbox.attack.row import Outcome, SkippedError, row
from sandbox.attack.target import Target

_TAG = f"${{aws:PrincipalTag/{REPOSITORY_TAG}}}"
_PREFIX = f"states/{REPOSITORY}/"


def _prefix(target: Target) -> str:
    """The prefix of a repository's states; `_PREFIX` on a stack that has none because it doesn't isolate Terraform."""
    if not target.isolated:
        return _PREFIX
    for document in identities(target).plan.policies.values():
        for statement in document["Statement"]:
            if statement["Sid"] == "ReadState":
                keys = [arn.partition(":::")[2].partition("/")[2].removesuffix("*") for arn in statement["Resource"]]
                if own := next((key for key in keys if _TAG in key), ""):
                    return own.replace(_TAG, REPOSITORY)
    raise SkippedError(f"terraformStatePrefixes has no {REPOSITORY}, so the repositories share their states")


def _statuses(target: Target) -> dict[str, int]:
    """How S3 answers a plan that reads a state of its own repository, which doesn't exist, and one of another repository."""

    def run() -> dict[str, int]:
        bucket, prefix = state_bucket(target), _prefix(target)
        other = prefix.replace(REPOSITORY, target.repository("victim"))
        target.client("s3").put_object(Bucket=bucket, Key=f"{other}terraform.tfstate", Body=b"{}")
        url = f'"$AWS_ENDPOINT_URL/{bucket}'
        own = prefix.replace(REPOSITORY, "$own")
        encoded = prefix.replace("/", "%2F")
        own_names = encoded.replace(REPOSITORY, r"${own/\//%2F}")
        calls = {
            "other": f'{url}/{other}terraform.tfstate"',
            "other-lock": f'-X PUT -d attack {url}/{other}terraform.tfstate.tflock"',
            "own": f'{url}/{own}terraform.tfstate"',
            "all-names": f'{url}?list-type=2"',
            "other-names": f'{url}?list-type=2&prefix={encoded.partition(REPOSITORY)[0]}"',
            "own-names": f'{url}?list-type=2&prefix={own_names}"',
            "own-lock": f'-X PUT -d attack {url}/{own}terraform.tfstate.tflock"',
        }
        return called(target, "states-other", calls)

    return target.once("states-statuses", run)


def _digest(target: Target, operation: str) -> Outcome:
    """How DynamoDB answers a plan that reads or writes the digest of a state of its own repository."""

    def run() -> dict[str, int]:
        table = next(name for name in target.client("dynamodb").list_tables()["TableNames"] if "lock" in name)
        key = f"{state_bucket(target)}/{_prefix(target).replace(REPOSITORY, '$own')}terraform.tfstate-md5"
        calls = {}
        for name, item in (("GetItem", "Key"), ("PutItem", "Item")):
            body = json.dumps({"TableName": table, item: {"LockID": {"S": key}}}).replace('"', '\\"')
            headers = f"-H 'X-Amz-Target: DynamoDB_20120810.{name}' -H 'Content-Type: application/x-amz-json-1.0'"
            calls[name] = f'{headers} -d "{body}" "$AWS_ENDPOINT_URL/"'
        return called(target, "state-digest", calls, service="dynamodb")

    status = target.once("state-digest-statuses", run)[operation]
    return Outcome(status == 200, f"{operation} was answered with {status}")


def _outcome(target: Target, *calls: str) -> Outcome:
    answers = {call: _statuses(target)[call] for call in calls}
    # An object that doesn't exist is one that may be read.
    seen = ", ".join(f"{call} was answered with {status}" for call, status in answers.items())
    return Outcome(any(status in {200, 404} for status in answers.values()), seen)


ROWS = (
    row(
        "state-of-another-repository", lambda target: _outcome(target, "other"), lambda target: _outcome(target, "own")
    ),
    row(
        "names-of-other-states",
        lambda target: _outcome(target, "all-names", "other-names"),
        lambda target: _outcome(target, "own-names"),
    ),
    row(
        "lock-of-another-repository",
        lambda target: _outcome(target, "other-lock"),
        lambda target: _outcome(target, "own-lock"),
    ),
    row("state-digest", lambda target: _digest(target, "PutItem"), lambda target: _digest(target, "GetItem")),
)
