"""Finds what starts tasks without a service: EventBridge, Scheduler, Pipes, Step Functions, Systems Manager, builds, Lambda."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from evaluation.aws.policy_holders import Holder, allowed, holders
from evaluation.aws.task_definitions import TASK
from evaluation.aws.tasks import named_tasks
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings
from evaluation.values import MALFORMED, UNKNOWN, integer, mapping, mappings, parse_json, sequence, text

# Type and path of the block with the task definition and the number of tasks.
_TARGETS: Final = (
    ("cloudwatch/eventTarget", "ecsTarget"),
    ("scheduler/schedule", "target.ecsParameters"),
    ("pipes/pipe", "targetParameters.ecsTaskParameters"),
)

_OPERATION: Final = re.compile(r":(?:ecs|applicationautoscaling):(\w+)")
_SERVICES: Final = ("ecs", "application-autoscaling")
_STARTING: Final = ("runtask", "starttask", "createservice", "createtaskset")
_SCALING: Final = ("registerscalabletarget", "putscheduledaction")
# Where commands of the AWS CLI are: type and path of their text. A command is its operation and its options.
_COMMANDS: Final = (
    ("codebuild/project", "source.buildspec"),
    ("ssm/document", "content"),
    ("ssm/association", "parameters"),
)
_COMMAND: Final = re.compile(r"\becs ((?:run|start)-task|(?:create|update)-service|create-task-set)\b([^\n;&|]*)")
_OPTION: Final = re.compile(r"""--([a-z-]+)[ =\\"']+([\w:/.-]+)""")
_REVISION: Final = re.compile(r"[\w/-]+:\d+")
_TASK_VARIABLE: Final = re.compile("task|family", re.IGNORECASE)
# The runbook of AWS that runs a task. Source: the Systems Manager Automation runbook reference.
_RUNBOOK: Final = "AWS-ECSRunTask"
_YAML_STEP: Final = re.compile(r"^\s*- name:", re.MULTILINE)
_YAML_PAIR: Final = re.compile(r"""(\w+)["']?\s*:\s*["']?([\w:/.-]+)""")


@dataclass(frozen=True)
class Start:
    """A resource that starts tasks of a task definition, and how many at a time."""

    starter: Resource
    task: Resource
    count: int


def starts(stack: Stack, findings: Findings) -> Iterator[Start]:
    """The resources that start tasks of the stack's task definitions without a service."""
    for canonical, path in _TARGETS:
        for target in stack.of(canonical):
            for _, block in mappings(target.at(path)):
                named = named_tasks(stack, [block.get("taskDefinitionArn")])
                for task in named or stack.linked(target, f"{path}.taskDefinitionArn", TASK):
                    yield Start(target, task, integer(block.get("taskCount")) or 1)
    for starter, operation, call in stack.once(ecs_calls):
        for task in named_tasks(stack, _names(starter, call) if operation in _STARTING else []):
            yield Start(starter, task, integer(call.get("Count")) or 1)
    for machine in stack.of("sfn/stateMachine"):
        if parse_json(machine.at("definition")) is UNKNOWN:
            for task in stack.dependencies(machine, "definition", TASK):
                yield Start(machine, task, 1)
    for function in stack.of("lambda/function"):
        yield from _of_function(stack, function, findings)


def _names(starter: Resource, call: Mapping[str, Any]) -> list[Any]:
    """The names of task definitions in a call; if an expression or a placeholder names it, all in its state machine."""
    name = call.get("TaskDefinition")
    if isinstance(name, str) and not name.startswith(("$", "{%")):
        return [name]
    return [*mapping(starter.at("definitionSubstitutions")).values(), *_REVISION.findall(str(starter.at("definition")))]


def ecs_calls(stack: Stack) -> list[tuple[Resource, str, Mapping[str, Any]]]:
    """The calls of ECS that schedules, state machines, automations and commands make.

    Each is who makes it, the operation in lower case, such as ``runtask``, and its input, with names as ``TaskDefinition``.
    """
    return [
        (caller, *_normalized(re.sub("[-_]", "", operation).lower(), call))
        for caller, operation, call in (*_documents(stack), *_runbooks(stack), *_commands(stack))
    ]


def _normalized(operation: str, given: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """A call with names in Pascal case; one of Application Auto Scaling as the call of ECS with the same effect."""
    call = {name[:1].upper() + name[1:]: value for name, value in given.items()}
    if operation not in _SCALING:
        return operation, call
    kind, _, identity = str(call.get("ResourceId")).partition("/")
    cluster, _, service = identity.partition("/")
    limits = {**call, **mapping(call.get("ScalableTargetAction"))}
    counts = [integer(limits.get(name)) for name in ("MinCapacity", "MaxCapacity")]
    most = max((count for count in counts if count is not None), default=None)
    return "updateservice", {"Service": service if kind == "service" else "", "Cluster": cluster, "DesiredCount": most}


def _documents(stack: Stack) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for schedule in stack.of("scheduler/schedule"):
        # A universal target: any API call.
        operation = _OPERATION.search(text(schedule.at("target.arn")) or "")
        if operation:
            yield schedule, operation[1], mapping(parse_json(schedule.at("target.input")))
    for machine in stack.of("sfn/stateMachine"):
        for operation, call in _of_states(parse_json(machine.at("definition"))):
            yield machine, operation, call
    for document in stack.of("ssm/document"):
        for operation, call in _of_document(document.at("content")):
            yield document, operation, call


def _runbooks(stack: Stack) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for association in stack.of("ssm/association"):
        if association.at("name") == _RUNBOOK:
            yield association, *_of_runbook(mapping(association.at("parameters")))
    for target in stack.of("cloudwatch/eventTarget"):
        # A rule of aws-native has its targets in a list.
        for each in (target.properties, *(inner for _, inner in mappings(target.at("targets")))):
            if (text(each.get("arn")) or "").endswith(f"automation-definition/{_RUNBOOK}"):
                yield target, *_of_runbook(mapping(parse_json(each.get("input"))))
    for window in stack.of("ssm/maintenanceWindowTask"):
        given = mappings(window.at("taskInvocationParameters.automationParameters.parameters"))
        if window.at("taskArn") == _RUNBOOK:
            yield window, *_of_runbook({str(each.get("name")): each.get("values") for _, each in given})


def _commands(stack: Stack) -> Iterator[tuple[Resource, str, Mapping[str, Any]]]:
    for canonical, path in _COMMANDS:
        for runner in stack.of(canonical):
            for operation, options in _COMMAND.findall(str(runner.at(path)).replace("\\\n", " ")):
                yield (
                    runner,
                    operation,
                    {name.title().replace("-", ""): value for name, value in _OPTION.findall(options)},
                )


def _of_document(content: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The calls of a document of Systems Manager. One in YAML, for which the pack has no parser, is read step by step."""
    if parse_json(content) is not MALFORMED:
        yield from _of_states(parse_json(content))
        return
    for step in _YAML_STEP.split(content) if isinstance(content, str) else ():
        yield from _of_states(dict(_YAML_PAIR.findall(step)))


def _of_runbook(given: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    task, number = (next(iter(sequence(given.get(name))), None) for name in ("taskDefinitionArn", "count"))
    return "runTask", {"TaskDefinition": task, "Count": number}


def _of_states(value: Any, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The calls of a state machine's states, and of an automation's steps, including those nested in others."""
    if depth > 20:
        return
    if isinstance(value, dict):
        operation = _OPERATION.search(str(value.get("Resource", "")))
        if operation:
            for name in ("Parameters", "Arguments"):
                yield operation[1], mapping(value.get(name))
        if str(value.get("Service")).lower() in _SERVICES and isinstance(value.get("Api"), str):
            yield value["Api"], value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _of_states(inner, depth + 1)


def _of_function(stack: Stack, function: Resource, findings: Findings) -> Iterator[Start]:
    variables = mapping(function.at("environment.variables")).items()
    named = [value for name, value in variables if _TASK_VARIABLE.search(name) or ":" in str(value)]
    tasks = named_tasks(stack, named)
    tasks = tasks or stack.dependencies(function, "environment", TASK)
    if not tasks:
        return
    may_run = _may_run_tasks(stack, function)
    for task in tasks:
        if may_run:
            yield Start(function, task, 1)
        elif may_run is None:
            findings.not_evaluated(function, "started", "role", "has no policy in this stack that can be evaluated")


def _may_run_tasks(stack: Stack, function: Resource) -> bool | None:
    """Whether the role of a function allows ecs:RunTask; None if none of its policies can be evaluated."""
    roles = stack.once(_holders_by_role)
    own = [roles[role.urn] for role in stack.linked(function, "role", "iam/role")]
    if any(statement.matches_action("ecs:RunTask") for holder in own for _, statement in allowed(holder)):
        return True
    return False if any(part.statements is not None for holder in own for part in holder.parts) else None


def _holders_by_role(stack: Stack) -> dict[str, Holder]:
    return {holder.resource.urn: holder for holder in holders(stack) if holder.resource is not None}
