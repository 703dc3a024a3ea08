"""An existing HTTPS listener: it fits the settings, and no rule of others opens the server or takes its requests."""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

from components.ingress.existing_listener import first_priority
from components.settings.accepted import MOST_LISTENER_RULES
from components.settings.schema import known
from preflight.certificate import covers, names_of
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError

_MOST_PRIORITY = 50_000
_NONE = "httpsListenerArn is not set"


def exists(deployment: Deployment) -> str:
    """The listener exists, uses HTTPS, and its load balancer is in the VPC and as the settings say."""
    if not deployment.settings.existing.https_listener_arn:
        return _NONE
    arn = _arn(deployment)
    answer = deployment.aws.find("elbv2", "describe_listeners", ListenerArns=[arn])
    if answer is None or not answer["Listeners"]:
        raise FailedError(f"{arn} does not exist", "correct httpsListenerArn")
    listener, settings = answer["Listeners"][0], deployment.settings
    if listener["Protocol"] != "HTTPS":
        raise FailedError(f"the listener uses {listener['Protocol']}, not HTTPS", "name the HTTPS listener")
    named = {"LoadBalancerArns": [listener["LoadBalancerArn"]]}
    balancer = deployment.aws.read("elbv2", "describe_load_balancers", **named)["LoadBalancers"][0]
    for found, wanted, key in (
        (balancer["VpcId"], settings.network.vpc_id, "vpcId"),
        (balancer["Scheme"], settings.ingress.load_balancer_scheme, "loadBalancerScheme"),
        (balancer["IpAddressType"], settings.ingress.ip_address_type, "ipAddressType"),
    ):
        if found != wanted:
            raise FailedError(
                f"the load balancer {balancer['LoadBalancerName']} has {found}, and {key} is {wanted}", f"correct {key}"
            )
    return f"{balancer['LoadBalancerName']}, port {listener['Port']}"


def certificate_covers_host(deployment: Deployment) -> str:
    """One of the listener's certificates covers the URL's host."""
    if not deployment.settings.existing.https_listener_arn:
        return _NONE
    host = known(deployment.settings.ingress.host)
    listed = deployment.aws.read("elbv2", "describe_listener_certificates", ListenerArn=_arn(deployment))
    names: list[str] = []
    for certificate in listed["Certificates"]:
        arn = certificate["CertificateArn"]
        if ":acm:" not in arn:
            raise NotCheckedError(f"{arn} isn't a certificate of ACM")
        found = deployment.aws.read("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
        names += names_of(found)
    match = next((name for name in names if covers(name, host)), None)
    if match is None:
        raise FailedError(
            f"the listener's certificates are for {', '.join(names) or 'no name'}, none of which covers {host}",
            "add a certificate to the listener: aws elbv2 add-listener-certificates",
        )
    return f"{match} covers {host}"


def priorities(deployment: Deployment) -> str:
    """No rule of others has one of the priorities that the stack's rules use."""
    if not deployment.settings.existing.https_listener_arn:
        return _NONE
    first = first_priority(deployment.settings.existing, deployment.names)
    last = first + MOST_LISTENER_RULES - 1
    taken = sorted(int(rule["Priority"]) for rule in existing_rules(deployment))
    conflicts = [str(priority) for priority in taken if first <= priority <= last]
    if conflicts:
        free = next(
            (
                start
                for start in range(MOST_LISTENER_RULES, _MOST_PRIORITY - MOST_LISTENER_RULES, MOST_LISTENER_RULES)
                if not any(start <= priority < start + MOST_LISTENER_RULES for priority in taken)
            ),
            None,
        )
        raise FailedError(
            f"rules of others use {', '.join(conflicts)}, and the stack uses {first} to {last}",
            f"set listenerRulePriority to {free}, from which {MOST_LISTENER_RULES} are free"
            if free
            else "renumber the rules of others, so that 128 consecutive priorities are free",
        )
    return f"{first} to {last} are free"


def rules_of_others(deployment: Deployment) -> str:
    """No rule of others forwards to the stack's target group, or comes first and matches the host."""
    if not deployment.settings.existing.https_listener_arn:
        return _NONE
    group, host = deployment.names.target_group, known(deployment.settings.ingress.host)
    listener = deployment.aws.read("elbv2", "describe_listeners", ListenerArns=[_arn(deployment)])["Listeners"][0]
    opening = [
        f"rule {rule['Priority']}" for rule in existing_rules(deployment) if _forwards(rule["Actions"], group)
    ] + (["the default action"] if _forwards(listener["DefaultActions"], group) else [])
    if opening:
        raise FailedError(
            f"{', '.join(opening)} of the listener forwards to {group}, past the allowed ranges",
            "delete the rule, or forward to another target group",
        )
    first = first_priority(deployment.settings.existing, deployment.names)
    before = [
        rule["Priority"]
        for rule in existing_rules(deployment)
        if int(rule["Priority"]) < first and _matches_host(rule["Conditions"], host)
    ]
    if before:
        raise WarnedError(
            f"rules {', '.join(before)} of others come first, and can match requests to {host}",
            "limit them to other hosts with a host-header condition, or set a smaller listenerRulePriority",
        )
    return f"no rule of others matches {host} first, or forwards to {group}"


CHECKS = (
    Check("existing listener", "fits", exists),
    Check("existing listener", "certificate covers the host", certificate_covers_host, needs=(exists,)),
    Check("existing listener", "priorities are free", priorities, needs=(exists,)),
    Check("existing listener", "rules of others", rules_of_others, needs=(exists,)),
)


def existing_rules(deployment: Deployment) -> list[dict[str, Any]]:
    """The listener's rules except the default action and the stack's own, which have its tags."""
    found = deployment.aws.read("elbv2", "describe_rules", ListenerArn=_arn(deployment))["Rules"]
    rules = {rule["RuleArn"]: rule for rule in found if rule["Priority"] != "default"}
    arns, own = sorted(rules), set[str]()
    # A call accepts at most 20 ARNs.
    for start in range(0, len(arns), 20):
        answer = deployment.aws.read("elbv2", "describe_tags", ResourceArns=arns[start : start + 20])
        own |= {each["ResourceArn"] for each in answer["TagDescriptions"] if deployment.owns(each.get("Tags", []))}
    return [rule for arn, rule in rules.items() if arn not in own]


def _arn(deployment: Deployment) -> str:
    return known(deployment.settings.existing.https_listener_arn) or ""


def _forwards(actions: Iterable[Mapping[str, Any]], group: str) -> bool:
    targets = [
        each for action in actions for each in (action, *action.get("ForwardConfig", {}).get("TargetGroups", []))
    ]
    return any(f":targetgroup/{group}/" in target.get("TargetGroupArn", "") for target in targets)


def _matches_host(conditions: Iterable[Mapping[str, Any]], host: str) -> bool:
    """Whether a rule with these conditions can match requests to `host`. Without a condition on the host, it can."""
    patterns = [
        condition.get("HostHeaderConfig", {}).get("Values") or condition.get("Values", [])
        for condition in conditions
        if condition["Field"] == "host-header"
    ]
    return all(any(fnmatch.fnmatchcase(host.lower(), value.lower()) for value in values) for values in patterns)
