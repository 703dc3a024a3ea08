"""secrets: no secret value in plain sight."""

import re
from typing import Any, Final

from rules.resources import STACK, Resource, Stack
from rules.rule import Findings, Rule
from rules.settings import Setting
from rules.task_definitions import containers, variables
from rules.values import UNKNOWN, mapping, printable, text

__all__ = ["RULE"]

_SECRET_NAME = re.compile(
    r"(password|passwd|passphrase|secret|token|private_?key|api_?key|app_?key|access_?key|credential)s?", re.IGNORECASE
)
# Such a name may end in a word that says: here stands where the secret is, not the secret.
_POINTER_NAME = re.compile(
    r"(arns?|names?|ids?|files?|paths?|urls?|ur[in]s?|type|length|generation|rotation|key_?id|version|alias)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abpr]-[A-Za-z0-9-]{10,}"
)
_ARN: Final = "arn:aws"
# A key or token stands near the start of a value; the rest of a long one is not searched.
_SEARCHED: Final = 20_000


def _looks_secret(name: str, value: Any) -> bool:
    content = text(value)
    if content is None:
        return False
    if _SECRET_VALUE.search(content[:_SEARCHED]):
        return True
    if content.startswith(_ARN) or content.lower() in ("true", "false") or content.isdigit():
        return False
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:200])
    return bool(_SECRET_NAME.search(words)) and not _POINTER_NAME.search(words)


def _check(stack: Stack, findings: Findings) -> None:
    for task in stack.of("ecs/taskDefinition"):
        _task(task, findings)
    for function in stack.of("lambda/function"):
        _function(function, findings)
    for root in stack.of(STACK):
        _outputs(root, findings)
    for database in stack.of("rds/instance", "rds/cluster"):
        if database.at("password") is not None or database.at("masterPassword") is not None:
            what = "its password is set by the program, and so it stands in the stack's state"
            findings.violation(database, "managed-password", what, "set manageMasterUserPassword to true instead")
    for parameter in stack.of("ssm/parameter"):
        if parameter.at("type") == "String" and _looks_secret(parameter.name, parameter.at("value")):
            what = "it looks like a secret and is stored as plain String"
            findings.violation(parameter, "plain-parameter", what, "use the type SecureString, or Secrets Manager")
    if findings.settings.flag("requireRotation"):
        _rotation(stack, findings)


def _task(task: Resource, findings: Findings) -> None:
    for path, container in containers(task, findings, "plain-environment"):
        for index, name, value in variables(container):
            if _looks_secret(name, value):
                findings.violation(
                    task,
                    "plain-environment",
                    f"{path}.environment[{index}] ({printable(name)}) holds what looks like a secret, in clear",
                    "move it to Secrets Manager and name it in secrets with valueFrom",
                )


def _function(function: Resource, findings: Findings) -> None:
    found = function.at("environment.variables")
    if found is UNKNOWN:
        findings.not_evaluated(function, "plain-environment", "environment.variables")
    for name, value in mapping(found).items():
        if _looks_secret(name, value):
            findings.violation(
                function,
                "plain-environment",
                f"environment.variables.{printable(name)} holds what looks like a secret, in clear",
                "read it from Secrets Manager at run time",
            )


def _outputs(root: Resource, findings: Findings) -> None:
    for name, value in root.properties.items():
        if _looks_secret(name, value):
            findings.violation(
                root,
                "stack-output",
                f"the output {printable(name)} holds what looks like a secret",
                "export the ARN of the secret instead, and read the value where it is used",
            )


def _rotation(stack: Stack, findings: Findings) -> None:
    rotated = {
        secret.urn
        for rotation in stack.of("secretsmanager/secretRotation")
        for secret in stack.linked(rotation, "secretId", "secretsmanager/secret")
    }
    for secret in stack.of("secretsmanager/secret"):
        if secret.urn not in rotated:
            what = "the secret does not rotate by itself"
            remedy = "add an aws.secretsmanager.SecretRotation, or an exemption that says who changes it and when"
            findings.violation(secret, "rotation", what, remedy)


RULE: Final = Rule(
    name="secrets",
    title="Secrets",
    description="Secrets are not in environment variables, outputs or state, and they rotate.",
    why=(
        "An environment variable is shown by every call that describes the task, an output by every run's log. Neither can"
        " be taken back, and a secret that never changes stays good for whoever has it."
    ),
    severity="high",
    level="advisory",
    controls=("ECS.8", "SecretsManager.1", "SSM.7"),
    remediation="Keep the value in Secrets Manager and hand over its ARN; then change the secret, for it has been shown.",
    checks={
        "plain-environment": "Tasks and functions get no secret in a plain environment variable.",
        "stack-output": "The stack exports no secret.",
        "managed-password": "RDS manages its own master password.",
        "plain-parameter": "SSM parameters that look secret are SecureString.",
        "rotation": "Secrets rotate, where `requireRotation` is true.",
    },
    whole_stack=_check,
    settings=(
        Setting("requireRotation", "flag", default=True, description="Demand that secrets rotate by themselves."),
    ),
)
