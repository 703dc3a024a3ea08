"""Refused tags, variables and additional policies."""

from tests.unit.bad_settings.messages import Case

ENVIRONMENT: list[Case] = [
    ({"tags": ["Team"]}, ("tags: ", "must be a mapping of names to values")),
    ({"tags": {"aws:x": "y"}}, ("item 'aws:x'", "must be a tag key")),
    ({"tags": {"x": ""}}, ("item 'x'", "must be a tag value")),
    (
        {"tags": {"environment": "x"}},
        ("tags = 'environment'", "the stack sets Environment, ManagedBy, Name, Project, Service itself"),
    ),
    ({"tags": {"team": "x"}}, ("tags = 'team'", "differs from Team only in case")),
    ({"tags": {f"key{number}": "x" for number in range(41)}}, ("must have at most 40 items, not 41",)),
    ({"environmentVariables": {"AWS_REGION": "x"}}, ("item 'AWS_REGION'", "names that begin with ATLANTIS_, AWS_")),
    ({"environmentVariables": {"PATH": "x"}}, ("item 'PATH'", "PATH, HOME and names")),
    ({"environmentVariables": {"X": 1}}, ("item 'X'", "quote numbers and booleans")),
    (
        {"environmentVariables": {"DB_PASSWORD": "hunter2"}},
        ("environmentVariables = 'DB_PASSWORD'", "looks like a secret"),
    ),
    (
        {"environmentVariables": {"LANG": "C"}, "secretEnvironment": ["LANG=ci/x:y"]},
        ("environmentVariables = 'LANG'", "is in secretEnvironment too"),
    ),
    (
        {"additionalPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
        ("item 1", "not AdministratorAccess or IAMFullAccess"),
    ),
    (
        {"additionalPlanPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        ("additionalPlanPolicyArns", "terraformIsolation"),
    ),
    ({"secretEnvironment": ["TOKEN=ssm:ci/registry/"]}, ("secretEnvironment", "NAME=ssm:/parameter")),
]
