"""What AWS has and the state lacks, if there are credentials: the revision that runs where CI deploys, and its role's policies."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adoption.anatomy import Anatomy
from adoption.properties import snake
from adoption.state import OFFICIAL_PROVIDER, StateResource, TerraformState
from preflight.aws import Aws, listed
from preflight.errors import UnmetError

_AS_IT_IS = ("containerDefinitions", "cpu", "memory", "requiresCompatibilities")
_DENIED = ("explicitDeny", "implicitDeny")
UNSIMULATED = "IAM's simulation of the running role failed ({reason}): a right that its boundary denies is listed as if the role had it"


def observed(anatomy: Anatomy, aws: Aws) -> Iterator[StateResource]:
    """The task definition that runs, and the policies of its role as data sources.

    Raises:
        FailedError: there are no credentials, or AWS refuses a call.
        LookupError: the credentials are of another account, or the service doesn't exist.
    """
    if (account := aws.read("sts", "get_caller_identity")["Account"]) != anatomy.account:
        raise LookupError(f"the credentials are of the account {account}")
    name = str(anatomy.service.get("name"))
    services = aws.read("ecs", "describe_services", cluster=anatomy.cluster_name, services=[name])["services"]
    if not services:
        raise LookupError(f"the cluster {anatomy.cluster_name} has no service {name}")
    arn = services[0]["taskDefinition"]
    task = aws.read("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    attributes = {**anatomy.task.attributes, **_terraform(task), "arn": arn}
    yield replace(anatomy.task, attributes=attributes)
    role = str(attributes.get("task_role_arn") or "").rpartition("/")[2]
    for policy in aws.read("iam", "list_role_policies", RoleName=role)["PolicyNames"] if role else ():
        document = aws.read("iam", "get_role_policy", RoleName=role, PolicyName=policy)["PolicyDocument"]
        yield data_source("aws_iam_role_policy", {"role": role, "name": policy, "policy": json.dumps(document)})
    attached = aws.read("iam", "list_attached_role_policies", RoleName=role)["AttachedPolicies"] if role else ()
    for policy in attached:
        yield data_source("aws_iam_role_policy_attachment", {"role": role, "policy_arn": policy["PolicyArn"]})
        document = aws.policy_document(policy["PolicyArn"])
        yield data_source("aws_iam_policy", {"arn": policy["PolicyArn"], "policy": json.dumps(document)})


def with_observed(anatomy: Anatomy, found: list[StateResource]) -> TerraformState:
    """The state with what `observed` found."""
    task, *policies = found
    service = {**anatomy.service.attributes, "task_definition": task.attributes["arn"]}
    changed = {id(anatomy.task): task, id(anatomy.service): replace(anatomy.service, attributes=service)}
    resources = tuple(changed.get(id(each), each) for each in anatomy.state.resources)
    return TerraformState(resources, (*anatomy.state.data, *policies))


def may(anatomy: Anatomy, aws: Aws, notes: list[str]) -> Callable[[str, str], bool]:
    """Whether the running role may do something, by IAM's simulation, which includes its boundary and the organization's policies.

    True for an action with a wildcard, which can't be simulated, if a condition needs a value that only a request has, and if IAM refuses
    the simulation, which `notes` gets once for each reason.
    """

    def simulated(action: str, resource: str) -> bool:
        if "*" in action or "?" in action:
            return True
        asked = {"PolicySourceArn": anatomy.task_role_arn, "ActionNames": [action], "ResourceArns": [resource]}
        try:
            answer = aws.read("iam", "simulate_principal_policy", **asked)
        except UnmetError as refused:
            if (note := UNSIMULATED.format(reason=refused)) not in notes:
                notes.append(note)
            return True
        return not any(
            each["EvalDecision"] in _DENIED and not each.get("MissingContextValues")
            for each in answer["EvaluationResults"]
        )

    return simulated


def data_source(type_: str, attributes: Mapping[str, Any]) -> StateResource:
    """What was read from AWS, as if the state had it as a data source."""
    return StateResource(f"data.{type_}.observed", type_, OFFICIAL_PROVIDER[0], attributes)


def _terraform(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task definition in the form of Terraform's attributes: blocks are lists, names are in snake case."""
    kept = {key: task.get(key) for key in _AS_IT_IS}
    blocks = {_snake(key): _block(value) for key, value in task.items() if key not in _AS_IT_IS}
    blocks["volume"] = blocks.pop("volumes", [])
    kept["containerDefinitions"] = json.dumps(kept["containerDefinitions"])
    return {**blocks, **{_snake(key): value for key, value in kept.items()}}


def _block(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [{_snake(key): _block(item) for key, item in value.items()}]
    return [found for item in value for found in listed(_block(item))] if isinstance(value, list) else value


def _snake(name: str) -> str:
    return snake(name.replace("GiB", "Gib"))
