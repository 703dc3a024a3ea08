"""Settings: what is refused and how it is said, and what is accepted."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as some

from components import settings
from components.configuration.vcs import published_ranges
from components.settings.accepted import SSL_POLICIES
from components.settings.arguments import AtlantisArgs
from components.settings.schema import settings_of
from tests.tables import table
from tests.unit.recording import EXISTING_VPC, LOCAL, REGION
from tests.unit.stacks import stack


def parse(changes: dict[str, Any], **context: Any) -> settings.Settings:
    values = {key: value for key, value in (LOCAL | changes).items() if value is not None}
    return settings.parse(values, **{"stack": "prod", "region": REGION} | context)


def problems(changes: dict[str, Any], **context: Any) -> list[str]:
    with pytest.raises(settings.SettingsError) as refused:
        parse(changes, **context)
    return refused.value.problems


def flat(parsed: settings.Settings) -> dict[str, Any]:
    """Every setting by the name of its field."""
    return {
        declared.field.name: getattr(getattr(parsed, declared.group) if declared.group else parsed, declared.field.name)
        for declared in settings_of(AtlantisArgs)
    }


def test_a_list_that_is_too_deep_to_be_parsed_is_refused() -> None:
    assert problems({"vpcEndpoints": "[" * 20_000})[0].startswith("vpcEndpoints: must be a list")


def test_every_problem_is_told_at_once_and_how_to_go_on() -> None:
    with pytest.raises(settings.SettingsError) as refused:
        parse({"url": "http://x", "cpu": 3, "allowedCidrBlocks": None, "colour": "blue"})
    assert str(refused.value).splitlines() == [
        "4 settings are invalid; nothing was changed. Fix Pulumi.prod.yaml (docs/settings.md):",
        "  - atlantis:colour: unknown setting; docs/settings.md lists all settings",
        "  - atlantis:allowedCidrBlocks: missing; must be a list",
        "  - atlantis:url = 'http://x': must be https:// and a host name, such as https://atlantis.example.com, "
        "without port or path",
        "  - atlantis:cpu = 3: must be one of 256, 512, 1024, 2048, 4096, 8192, 16384",
    ]


@pytest.mark.parametrize("region", ["", "seoul", "ap-northeast-2a"])
def test_a_region_that_aws_does_not_have_is_refused_under_its_own_key(region: str) -> None:
    (problem,) = problems({"acmCertificateArn": None, "hostedZoneId": "Z0123456789"}, region=region)
    assert problem == f"aws:region = {region!r}: must be an AWS region such as ap-northeast-2"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"ingress": {"allowedCidrBlocks": ["192.0.2.0/24"]}}, "did you mean ingress.allowed_cidr_blocks?"),
        (
            {"ingress": {"allowed_cidr_blocks": "192.0.2.0/24"}},
            "must be a list; write a single item as a list, too: [item]",
        ),
        ({"enviroment": "tools"}, "did you mean environment?"),
    ],
    ids=str,
)
def test_a_hint_for_arguments_names_arguments_and_no_command(arguments: dict[str, Any], hint: str) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        settings.validate(arguments, name="a", region=REGION)
    assert [problem for problem in refused.value.problems if problem.endswith(hint)]
    assert "pulumi config" not in str(refused.value)


def test_the_key_of_a_state_can_be_of_another_region() -> None:
    other = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    parsed = parse({"terraformStateBuckets": ["states"], "terraformStateKeyArns": [other]})
    assert parsed.terraform.terraform_state_key_arns == (other,)
    statements = [
        each
        for policy in stack(terraformStateBuckets=["states"], terraformStateKeyArns=[other]).all(
            "aws:iam/policy:Policy"
        )
        for each in policy.document()
        if each["Sid"] == "UseStateKeys"
    ]
    services = [f"s3.{REGION}.amazonaws.com", "s3.us-east-1.amazonaws.com"]
    assert [each["Condition"] for each in statements] == [{"StringEquals": {"kms:ViaService": services}}]


SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    "changes",
    table(__file__, "secret"),
    ids=", ".join,
)
def test_the_value_of_a_secret_setting_is_never_shown(changes: dict[str, Any]) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        parse(changes, secret_keys=list(changes))
    assert SECRET not in str(refused.value)
    assert "[secret]" in str(refused.value)
    assert next(iter(changes)) in str(refused.value)


@pytest.mark.parametrize("empty", ["", []])
def test_no_webhook_ranges_stand_for_those_that_github_publishes(empty: object) -> None:
    assert parse({"githubWebhookCidrBlocks": empty}).webhook_cidr_blocks == published_ranges("github.com")


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    table(__file__, "accepted"),
    ids=repr,
)
def test_a_value_at_the_edge_is_accepted(changes: dict[str, Any], field: str, value: object) -> None:
    assert flat(parse(changes))[field] == (tuple(value) if isinstance(value, list) else value)


def test_every_tls_policy_has_tls_1_3_and_nothing_below_1_2() -> None:
    assert [policy for policy in SSL_POLICIES if not policy.startswith("ELBSecurityPolicy-TLS13-1-")] == []
    assert [policy for policy in SSL_POLICIES if "-1-0-" in policy or "-1-1-" in policy] == []


def test_ranges_of_ipv6_reach_only_a_load_balancer_that_has_such_addresses() -> None:
    changes = {
        "allowedCidrBlocks": ["203.0.113.0/24", "2001:db8::/32"],
        "githubWebhookCidrBlocks": ["192.0.2.0/24", "2606:50c0::/32"],
    }
    ipv4 = parse(changes)
    assert (ipv4.ingress.allowed_sources, ipv4.webhook_sources) == (["203.0.113.0/24"], ["192.0.2.0/24"])
    both = parse(changes | EXISTING_VPC | {"ipAddressType": "dualstack"})
    assert (both.ingress.allowed_sources, both.webhook_sources) == (
        ["203.0.113.0/24", "2001:db8::/32"],
        ["192.0.2.0/24", "2606:50c0::/32"],
    )


KEYS = [declared.key for declared in settings_of(AtlantisArgs)]
ANYTHING = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text()
    | some.from_regex(r"https?://\S*|arn:\S*|\S+/\d+"),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    changes=some.dictionaries(some.sampled_from(KEYS) | some.text(max_size=12), ANYTHING, max_size=6),
    region=some.text(),
)
@examples(max_examples=150, deadline=None)
def test_whatever_is_given_is_accepted_or_refused_as_settings(changes: dict[str, Any], region: str) -> None:
    with contextlib.suppress(settings.SettingsError):
        assert settings.parse(LOCAL | changes, stack="prod", region=region).region == region
