"""secrets: no secrets in plaintext."""

import base64
import re
from typing import Final

from evaluation.aws.task_definitions import containers, variables
from evaluation.configuration import Option
from evaluation.resources import STACK, Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.secret_names import holds_token, looks_secret
from evaluation.values import UNKNOWN, mapping, mappings, printable, text

# Environment variables of types other than tasks: type, path of a list with name and value.
_LISTS: Final = (
    ("codebuild/project", "environment.environmentVariables"),
    ("apprunner/service", "sourceConfiguration.imageRepository.imageConfiguration.runtimeEnvironmentVariables"),
    ("elasticbeanstalk/environment", "settings"),
)
_SCRIPTS: Final = ("ec2/instance", "ec2/launchTemplate", "ec2/launchConfiguration", "ec2/spotInstanceRequest")

# An assignment of a literal in a shell script; a value that begins with $ is another variable or a command.
_ASSIGNMENT: Final = re.compile(
    r"""^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=["']?([^$`"'\s;][^"'\s;]*)""", re.MULTILINE
)


def _check(stack: Stack, findings: Findings) -> None:
    for task in stack.of("ecs/taskDefinition"):
        _task(task, findings)
    for function in stack.of("lambda/function"):
        _function(function, findings)
    for canonical, path in _LISTS:
        for resource in stack.of(canonical):
            _variables(resource, path, findings)
    for instance in stack.of(*_SCRIPTS):
        _scripts(instance, findings)
    for root in stack.of(STACK):
        _outputs(root, findings)
    for database in stack.of("rds/instance", "rds/cluster", "redshift/cluster", "docdb/cluster"):
        if any(database.stated(name) is not None for name in ("password", "masterPassword")):
            what = "the program sets the master password, so the stack's state contains it"
            findings.violation(
                database, "managed-password", "", what, "remove the password, and set manageMasterUserPassword to true"
            )
    for parameter in stack.of("ssm/parameter"):
        if parameter.at("type") == "String" and looks_secret(parameter.name, parameter.at("value")):
            what = "the parameter looks like a secret, but its type is String"
            remedy = "set type to SecureString, or use Secrets Manager"
            findings.violation(parameter, "plain-parameter", "value", what, remedy, value=None)
    if findings.settings.flag("requireRotation"):
        _rotation(stack, findings)


def _task(task: Resource, findings: Findings) -> None:
    for path, container in containers(task, findings, "plain-environment"):
        for index, name, value in variables(container):
            if looks_secret(name, value):
                what = f"{path}.environment[{index}] ({printable(name)}) looks like a secret in plaintext"
                remedy = "store it in Secrets Manager and reference it with valueFrom in secrets"
                findings.violation(task, "plain-environment", f"{path}.environment[{index}].name", what, remedy)


def _function(function: Resource, findings: Findings) -> None:
    found = function.at("environment.variables")
    if found is UNKNOWN:
        findings.not_evaluated(function, "plain-environment", "environment.variables")
    for name, value in mapping(found).items():
        if looks_secret(name, value):
            what = f"environment.variables.{printable(name)} looks like a secret in plaintext"
            remedy = "store it in Secrets Manager and read it at run time"
            findings.violation(function, "plain-environment", "environment.variables", what, remedy, value=name)


def _variables(resource: Resource, path: str, findings: Findings) -> None:
    found = resource.at(path)
    pairs = (
        mapping(found).items()
        if isinstance(found, dict)
        else [(each.get("name"), each.get("value")) for _, each in mappings(found)]
    )
    kinds = {each.get("name"): each.get("type") for _, each in mappings(found)}
    for name, value in pairs:
        plain = kinds.get(name) in (None, "PLAINTEXT")
        if isinstance(name, str) and plain and looks_secret(name, value):
            what = f"{path} ({printable(name)}) looks like a secret in plaintext"
            remedy = "reference Secrets Manager or Parameter Store instead"
            findings.violation(resource, "plain-environment", path, what, remedy, value=name)


def _scripts(instance: Resource, findings: Findings) -> None:
    for name in ("userData", "userDataBase64"):
        content = text(instance.at(name)) or ""
        try:
            decoded = base64.b64decode(content[:40_000], validate=True).decode("utf-8", "replace")
        except ValueError:
            decoded = ""
        if any(holds_token(each) or _assigns_secret(each) for each in (content, decoded)):
            what = f"{name} contains what looks like a secret, and every process of the instance can read it"
            remedy = "store it in Secrets Manager and read it when the instance starts"
            findings.violation(instance, "plain-environment", name, what, remedy, value=None)


def _assigns_secret(script: str) -> bool:
    """Whether a script assigns a secret to a variable, as ``export DB_PASSWORD=...`` does."""
    return any(looks_secret(name, value) for name, value in _ASSIGNMENT.findall(script[:20_000]))


def _outputs(root: Resource, findings: Findings) -> None:
    for name, value in root.properties.items():
        if looks_secret(name, value):
            what = f"the output {printable(name)} looks like a secret"
            remedy = "export the secret's ARN instead, and read the value from Secrets Manager"
            findings.violation(root, "stack-output", "", what, remedy, value=name)


def _rotation(stack: Stack, findings: Findings) -> None:
    rotated = stack.referred("secretsmanager/secretRotation", "secretId", "secretsmanager/secret")
    for secret in stack.of("secretsmanager/secret"):
        if secret.urn not in rotated:
            what = "the secret has no automatic rotation"
            remedy = "add an aws.secretsmanager.SecretRotation, or an exemption that states who rotates it and when"
            findings.violation(secret, "rotation", "", what, remedy)


RULE: Final = Rule(
    name="secrets",
    title="Secrets",
    description="Environment variables, outputs and state contain no secrets, and secrets rotate.",
    why=(
        "Every API call that describes the task returns its environment variables, and the log of every run contains the"
        " outputs. A secret that never rotates stays valid for everyone who has seen it."
    ),
    severity="high",
    level="advisory",
    controls=("CodeBuild.2", "ECS.8", "SecretsManager.1"),
    remediation="Store the value in Secrets Manager and pass its ARN. Then rotate the secret, because it was exposed.",
    checks={
        "plain-environment": "Environment variables and user data contain no secret in plaintext.",
        "stack-output": "Stack outputs contain no secret.",
        "managed-password": "RDS, Redshift and DocumentDB manage the master password in Secrets Manager.",
        "plain-parameter": "SSM parameters that look like a secret have the type SecureString.",
        "rotation": "Secrets have automatic rotation, if `requireRotation` is true.",
    },
    whole_stack=_check,
    settings=(Option("requireRotation", "flag", default=True, description="Require automatic rotation of secrets."),),
)
