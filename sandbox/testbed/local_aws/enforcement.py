"""IAM enforcement in the local AWS: the evaluator, instead of ministack, decides on calls with a role's credentials.

ministack evaluates a call on one resource, often ``*``, and supports few condition keys. It therefore denies calls that
AWS allows. It still authenticates the caller, and stores roles and policies. It also still decides on calls of users,
which the sandbox doesn't use.
"""

import contextvars
import dataclasses
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import alb, dynamodb, ec2, ecs, iam, kms, secretsmanager, sts, tagging

from sandbox.testbed.files import write_private
from sandbox.testbed.iam_evaluation import wire
from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import Authorization, authorizations, passing
from sandbox.testbed.iam_evaluation.evaluator import Decision, Document, Evaluator, Principal
from sandbox.testbed.iam_evaluation.parameters import listed
from sandbox.testbed.iam_evaluation.resource_arns import UNNAMED
from sandbox.testbed.iam_evaluation.supplied_keys import unsupplied
from sandbox.testbed.iam_evaluation.trial_policies import TrialPolicies

_LOG = logging.getLogger("ministack")
_AS_MINISTACK_SAYS = re.compile(
    r"s3:|dynamodb:(Batch|Get|Put|Update|Delete|ConditionCheck|PartiQL)\w*(Item|Select|Insert)|dynamodb:(Query|Scan)$"
)
"""Actions whose resources and keys depend on more than the parameters: ministack evaluates each item or object."""
_ONE_ITEM = re.compile(r"dynamodb:(Get|Put|Update|Delete)Item")

_request: contextvars.ContextVar[wire.HttpRequest | None] = contextvars.ContextVar("iam_request", default=None)
_denied: contextvars.ContextVar[Authorization | None] = contextvars.ContextVar("iam_denied", default=None)
_ask_ministack = iam_evaluator.enforce
_find_resource = iam_actions.extract_resource_arn
_answer_denied = iam_actions.access_denied_response
_evaluator = Evaluator()
_decisions = Path("iam-decisions.jsonl")
"""File in the local AWS' directory. It is cleared at each start."""


def install() -> None:
    """Install the evaluator in ministack's process, in which this is called.

    Decisions are logged in the working directory.
    """
    write_private(_decisions, "")
    iam_evaluator.enforce = _enforce
    iam_actions.extract_resource_arn = _note_request
    iam_actions.access_denied_response = _name_what_is_denied


def _note_request(  # noqa: PLR0917 - ministack's own signature
    service: str, method: str, path: str, headers: dict, body: bytes, query_params: dict, region: str, account_id: str
) -> str:
    _request.set(wire.HttpRequest(service, query_params, body, method, path, headers))
    return _find_resource(service, method, path, headers, body, query_params, region, account_id)


def _name_what_is_denied(service: str, action: str, *positional: Any, **named: Any) -> tuple:
    if asked := _denied.get():
        _denied.set(None)
        action, named["resource_arn"] = asked.action, asked.resource
    return _answer_denied(service, action, *positional, **named)


def _enforce(  # noqa: PLR0917
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """Replaces ministack's ``enforce``: None if the call is allowed, otherwise the result for the error response."""
    usual = (access_key_id, iam_action, service, region, resource_arn, service_context)
    if not access_key_id or iam_evaluator.is_root_access_key(access_key_id):
        return _ask_ministack(*usual)
    account = get_account_id()
    # ministack verifies a request's signature once. For S3 objects and for further resources, it has done so before.
    verified = iam_evaluator.authenticate(access_key_id, account) or iam_evaluator.resolve_credential(
        access_key_id, account
    )
    if (
        not isinstance(verified, iam_evaluator.ResolvedCredential)
        or verified.principal_type != "AssumedRole"
        or iam_action in iam_evaluator._ALWAYS_ALLOWED_ACTIONS
    ):
        return _ask_ministack(*usual)
    principal = _principal(verified)
    trial = TrialPolicies.of_session(Path(), principal.arn, iam_action)
    enforced = principal if trial is None else dataclasses.replace(principal, policies=trial)
    existing = _existing(account, region, service)
    try:
        asked = _asked(iam_action, service, resource_arn, service_context or {}, existing)
        for authorization in asked:
            own = _decide(principal, authorization, existing)
            decision = own if trial is None else _decide(enforced, authorization, existing)
            missing = [] if own.allowed else _unsupplied(principal, authorization, existing)
            _note(principal, authorization, own, None if trial is None else decision, missing)
            if not decision.allowed:
                _denied.set(authorization)
                return _refusal(enforced, authorization, decision)
    except ValueError as error:
        # The reference doesn't have the action, or ministack uses another resource type for it.
        _LOG.warning("IAM evaluator: %s; ministack decides on %s alone", error, resource_arn)
        if trial is not None:
            # ministack would decide by the role's own policies, which aren't the ones that are tried.
            _note(principal, Authorization(iam_action, resource_arn, {}), None, None)
            return None
        return _ask_ministack(*usual)
    return None


def _refusal(principal: Principal, asked: Authorization, decision: Decision) -> iam_evaluator.EvalResult:
    if decision.result != "ExplicitlyDenied":
        return iam_evaluator.EvalResult("ImplicitDeny", principal_arn=principal.arn)
    by_resource = asked.resource if _denied_by_resource(principal, asked) else ""
    return iam_evaluator.EvalResult("Deny", principal_arn=principal.arn, resource_policy_arn=by_resource)


def _asked(
    action: str, service: str, resource: str, context: Mapping[str, Any], existing: ExistingResources
) -> list[Authorization]:
    prefix, operation = action.split(":", 1)
    request = _request.get()
    if _AS_MINISTACK_SAYS.match(action) or request is None or request.service != service:
        keys = {key: value for key, value in context.items() if value is not None}
        if _ONE_ITEM.fullmatch(action) and request and request.service == service:
            keys["dynamodb:LeadingKeys"] = _leading_keys(wire.parameters_of(request, operation))
        asked = [Authorization(action, resource, keys)]
        if action == "s3:PutReplicationConfiguration" and request:
            call = ApiCall(prefix, operation, wire.parameters_of(request, "PutBucketReplication"))
            asked += passing(action, _evaluator.reference(action), call, existing)
        return asked
    parameters = wire.parameters_of(request, operation)
    if prefix == "apigateway":
        # Its actions are HTTP methods, and its resources are paths. A body has tags and roles.
        call = ApiCall(prefix, operation, parameters)
        tags = {name: value for name, value in parameters.items() if name.lower() == "tags"}
        own = authorizations(
            _evaluator.reference, ApiCall(prefix, operation, {"ResourceArn": resource, **tags}), existing
        )
        return [*own, *passing(action, _evaluator.reference(action), call, existing)]
    if resource != "*" and not parameters:
        # ministack knows the resource in a REST path of a service that has other actions than operations.
        parameters = {"ResourceArn": resource}
    return authorizations(_evaluator.reference, ApiCall(prefix, operation, parameters), existing)


def _leading_keys(parameters: Mapping[str, Any]) -> list[str]:
    """The value of the partition key of the item in the call; the local AWS has no table without one."""
    table = dynamodb._tables.get(str(parameters.get("TableName", "")).rpartition("/")[2]) or {}
    name = next((key["AttributeName"] for key in table.get("KeySchema", []) if key["KeyType"] == "HASH"), "")
    typed = (parameters.get("Key") or parameters.get("Item") or {}).get(name) or {}
    return [str(value) for value in typed.values()]


def _decide(principal: Principal, asked: Authorization, existing: ExistingResources) -> Decision:
    return _evaluator.decide(
        principal, asked.action, asked.resource, asked.keys, existing.resource_policy(asked.resource)
    )


def _denied_by_resource(principal: Principal, asked: Authorization) -> bool:
    """Whether the resource-based policy denies the call, which AWS' error response states."""
    without = _evaluator.decide(principal, asked.action, asked.resource, asked.keys, None)
    return without.result != "ExplicitlyDenied"


def _unsupplied(principal: Principal, asked: Authorization, existing: ExistingResources) -> list[str]:
    """The condition keys that the call lacks in the sandbox, in the policies that led to a denial."""
    limits = (principal.boundary, principal.session, existing.resource_policy(asked.resource))
    documents = [*principal.policies.values(), *(document for document in limits if document)]
    return unsupplied(documents, asked.action, asked.keys)


def _note(
    principal: Principal,
    asked: Authorization,
    own: Decision | None,
    tried: Decision | None,
    missing: Sequence[str] = (),
) -> None:
    """Append a line to the log of decisions. It shows which actions a task requested, and why they were denied.

    ``own`` is the decision by the role's own policies, or None if the evaluator can't decide. ``tried`` is the one by
    `TrialPolicies`. ``missing`` are condition keys in the policies that the call doesn't have in the sandbox.
    """
    line = {
        "principal": principal.arn,
        "action": asked.action,
        "resource": asked.resource,
        "keys": asked.keys,
        "result": own.result if own else "Undecided",
        "denied_by": own.denied_by if own else (),
        "allowed_by": own.allowed_by if own else (),
        **({"unsupplied_keys": missing} if missing else {}),
        **({"tried": tried.result, "tried_denied_by": tried.denied_by} if tried else {}),
    }
    with _decisions.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def _principal(credential: iam_evaluator.ResolvedCredential) -> Principal:
    account = credential.account_id
    role = (
        iam._roles.get_scoped(account, None, iam_evaluator._role_name_from_assumed_arn(credential.principal_arn)) or {}
    )
    attached = {
        arn: iam_evaluator._resolve_managed_policy_document(arn, account) for arn in role.get("AttachedPolicies", [])
    }
    documents = {**(role.get("InlinePolicies") or {}), **attached}
    boundary = role.get("PermissionsBoundary")
    session = sts._sessions.get(credential.access_key_id) or {}
    passed = session.get("SessionPolicies") or {}
    # A tag of the session precedes the role's own with the same name.
    tags = {tag["Key"]: tag["Value"] for tag in [*(role.get("Tags") or []), *(session.get("SessionTags") or [])]}
    address, secure = iam_evaluator._request_origin.get()
    return Principal(
        credential.principal_arn,
        {name: _document(text) for name, text in documents.items() if text},
        boundary=_document(iam_evaluator._resolve_managed_policy_document(boundary, account)) if boundary else None,
        session=_document(passed["Policy"]) if passed.get("Policy") else None,
        keys={
            "aws:SourceIp": address,
            "aws:SecureTransport": str(secure).lower(),
            **{f"aws:PrincipalTag/{key}": value for key, value in tags.items()},
        },
    )


def _existing(account: str, region: str, service: str) -> ExistingResources:
    def boundary_of(arn: str) -> str | None:
        role = iam._roles.get_scoped(account, None, arn.rsplit("/", 1)[-1])
        return (role or {}).get("PermissionsBoundary")

    def full_arn(arn: str) -> str:
        if service == "secretsmanager":
            _, secret = secretsmanager._resolve(arn)
            return secret["ARN"] if secret else arn
        if service == "kms":
            key = kms._resolve_key(arn.partition(":key/")[2] or arn)
            return key["Arn"] if key else arn
        kind, _, name = arn.partition(":iam:")[2].rpartition(":")[2].partition("/")
        stored = {"role": iam._roles, "user": iam._users, "instance-profile": iam._instance_profiles}.get(kind)
        # IAM's calls name their resources without the path.
        return (stored.get_scoped(account, None, name) or {}).get("Arn", arn) if stored is not None else arn

    def trust(arn: str) -> Document | None:
        role = iam._roles.get_scoped(arn.split(":")[4], None, arn.rsplit("/", 1)[-1])
        return _document(role["AssumeRolePolicyDocument"]) if role else None

    def trusted_services(arn: str) -> list[str]:
        statements = listed((trust(arn) or {}).get("Statement"))
        named = (statement.get("Principal") for statement in statements if statement["Effect"] == "Allow")
        return [name for item in named if isinstance(item, Mapping) for name in listed(item.get("Service"))]

    def roles_in(profile: str) -> list[str]:
        names = (iam._instance_profiles.get_scoped(account, None, profile) or {}).get("Roles", [])
        found = (iam._roles.get_scoped(account, None, name) for name in names)
        return [role["Arn"] for role in found if role]

    def resource_policy(arn: str) -> Document | None:
        if service == "sts" and ":role/" in arn:
            return trust(arn)  # ministack looks it up itself; the evaluator needs it for other accounts
        if service == "kms" and arn.endswith(f":key/{UNNAMED}"):
            return _policy_of_unnamed_keys(account)
        found = iam_evaluator._resource_policy(service, arn)
        return _document(found[0]) if found and found[0] else None

    return ExistingResources(
        account,
        region,
        tags=_tags,
        boundary_of=boundary_of,
        full_arn=full_arn,
        properties=_properties,
        trusted_services=trusted_services,
        roles_in=roles_in,
        resource_policy=resource_policy,
    )


def _policy_of_unnamed_keys(account: str) -> Document:
    """What the policies of keys without an ID in a call allow to IAM policies of the account.

    They are AWS' own, such as aws/dynamodb, which exist since their first use. A key that is created with tags has no policy
    yet, and IAM policies decide on its tags.
    """
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant", "kms:TagResource"],
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [allowed]}


_IN_A_VPC = (
    "security_groups",
    "subnets",
    "route_tables",
    "network_interfaces",
    "network_acls",
    "nat_gateways",
    "instances",
)
"""ministack's stores of EC2's resources that belong to a VPC."""


def _properties(arn: str) -> dict[str, Any]:
    """The condition keys of KMS and EC2 that describe a resource."""
    head, _, name = arn.rpartition("/")
    if ":kms:" in arn:
        aliases = [alias.partition(":alias/")[2] for alias, key in kms._aliases.items() if key == name]
        return {"kms:ResourceAliases": [f"alias/{alias}" for alias in aliases]} if aliases else {}
    if ":ec2:" in arn:
        found = (getattr(ec2, f"_{store}").get(name) for store in _IN_A_VPC)
        vpc = next((record["VpcId"] for record in found if record and record.get("VpcId")), None)
        return {"ec2:Vpc": f"{head.rpartition(':')[0]}:vpc/{vpc}"} if vpc else {}
    return {}


def _tags(arn: str) -> dict[str, str]:
    if not arn.startswith("arn:"):
        return {}
    service, resource = arn.split(":")[2], arn.split(":", 5)[-1]
    if service == "ec2":
        kept = ec2._tags.get(resource.partition("/")[2])
    elif service in ("ecs", "elasticloadbalancing"):
        kept = (ecs if service == "ecs" else alb)._tags.get(arn)
    else:
        return tagging.resource_tags(arn) or {}
    return {tag.get("Key") or tag["key"]: tag.get("Value") or tag.get("value", "") for tag in kept or []}


def _document(policy: Any) -> Document:
    return json.loads(policy) if isinstance(policy, str) else policy
