"""Services in front of a load balancer that no security group restricts by client address.

An API Gateway VPC link, a CloudFront VPC origin and a PrivateLink endpoint service reach an internal load balancer from
AWS' network: the load balancer's security group evaluates their addresses instead of the client's.
"""

import re
from typing import Final

from evaluation.aws.conditions import Condition, demands, excludes_others
from evaluation.aws.documents import statements
from evaluation.aws.networks import Network, contained, parse_network
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings
from evaluation.values import UNKNOWN, each_at, mapping, mappings, parse_json, sequence, text, truth

ENTRY: Final = "entry"
_REST_API: Final = "apigateway/restApi"


def check_entries(stack: Stack, findings: Findings) -> None:
    """Report VPC links, VPC origins and endpoint services that accept requests from everywhere."""
    _http_api(stack, findings)
    _rest_api(stack, findings)
    for origin in stack.of("cloudfront/vpcOrigin"):
        _distribution(stack, origin, findings)
    for endpoint in stack.of("verifiedaccess/endpoint"):
        why = "contains the policy of Verified Access for addresses of the internet, which isn't evaluated"
        if endpoint.at("endpointType") in ("load-balancer", "network-interface"):
            findings.not_evaluated(endpoint, ENTRY, "policyDocument", why)
    _endpoint_services(stack, findings)
    _accelerators(stack, findings)


# OpenAPI documents, in JSON or YAML, define integrations with x-amazon-apigateway-integration.
_BODY_LINK = re.compile(r"""["']?connectionType["']?\s*:\s*["']?VPC_LINK""", re.IGNORECASE)
# What else a private integration names: a link of REST and WebSocket APIs, or the target of a link of another stack.
_PRIVATE: Final = (
    ("connectionId", "apigateway/vpcLink"),
    ("integrationUri", "lb/listener"),
    ("integrationUri", "servicediscovery/service"),
)


def _linked_body(stack: Stack, api: Resource, link: str) -> bool:
    """Whether the OpenAPI document of an API has an integration with a VPC link."""
    body = api.at("body")
    if body is UNKNOWN:
        return bool(stack.dependencies(api, "body", link))
    return isinstance(body, str | dict) and _BODY_LINK.search(str(body)) is not None


def _http_api(stack: Stack, findings: Findings) -> None:
    link = "apigatewayv2/vpcLink"
    integrations = [
        each
        for each in stack.of("apigatewayv2/integration")
        if each.at("connectionType") == "VPC_LINK"
        and any(stack.linked(each, *target) for target in (("connectionId", link), *_PRIVATE))
    ]
    for entrance in (*integrations, *(api for api in stack.of("apigatewayv2/api") if _linked_body(stack, api, link))):
        what = "the API accepts requests from any address, and HTTP and WebSocket APIs don't support resource policies"
        remedy = (
            "use a REST API with a resource policy on aws:SourceIp, or connect clients to the load balancer directly"
        )
        findings.violation(entrance, ENTRY, "connectionType", what, remedy)


def _rest_api(stack: Stack, findings: Findings) -> None:
    policies: dict[str, list[object]] = {}
    for each in stack.of("apigateway/restApiPolicy"):
        for api in stack.linked(each, "restApiId", _REST_API):
            policies.setdefault(api.urn, []).append(each.at("policy"))
    for integration in stack.of("apigateway/integration"):
        links = (("connectionId", "apigateway/vpcLink"), ("connectionId", "apigatewayv2/vpcLink"))
        named = any(stack.linked(integration, *each) for each in (*links, ("integrationTarget", "lb/loadBalancer")))
        # The variable is a stage's: only requests to that stage reach the link.
        if not named and "stageVariables" not in str(integration.at("connectionId")):
            continue
        apis = stack.linked(integration, "restApi", _REST_API)
        if not apis:
            findings.not_evaluated(integration, ENTRY, "restApi", "names an API of another stack")
        for api in apis:
            _restricted_api(integration, api, policies.get(api.urn, []), findings)
    for api in stack.of(_REST_API):
        if api.at("bodyS3Location") is not None:
            findings.not_evaluated(api, ENTRY, "bodyS3Location", "names an OpenAPI document in S3, which isn't read")
        if _linked_body(stack, api, "apigateway/vpcLink"):
            separate = policies.get(api.urn, [])
            document = mapping(parse_json(api.at("body"))).get("x-amazon-apigateway-policy")
            _restricted_api(api, api, [*separate, document] if document else separate, findings)


def _restricted_api(integration: Resource, api: Resource, separate: list[object], findings: Findings) -> None:
    if "PRIVATE" in each_at(api.properties, "endpointConfiguration.types"):
        return
    policies = [*([api.at("policy")] if api.at("policy") not in (None, "") else []), *separate]
    if any(document is UNKNOWN for document in policies):
        findings.not_evaluated(integration, ENTRY, "restApi", "has a resource policy that is unknown until the update")
    elif not any(_restricts_addresses(document, findings) for document in policies):
        what = "the REST API of this VPC link integration accepts requests from outside of the allowed ranges"
        remedy = "add a resource policy to the API that tests aws:SourceIp against the allowed ranges"
        findings.violation(integration, ENTRY, "restApi", what, remedy, value=policies)


def _restricts_addresses(document: object, findings: Findings) -> bool:
    """Whether a policy allows only requests from the allowed ranges, by its Allow statements or a Deny for all others."""
    allowed = findings.settings.ranges["allowedCidrBlocks"]

    def inside(test: Condition) -> bool:
        return test.key in ("aws:sourceip", "aws:vpcsourceip") and all(
            _contained(value, allowed) for value in test.values
        )

    found = statements(document)
    denied = any(
        not each.allows
        and each.every_principal
        and excludes_others(each.conditions)
        and all(inside(test) for test in each.conditions)
        for each in found
    )
    allows = [each for each in found if each.allows]
    return denied or (bool(allows) and all(demands(each.conditions, inside) for each in allows))


def _contained(value: str, allowed: tuple[Network, ...]) -> bool:
    network = parse_network(value)
    return network is not None and contained(network, allowed)


def _distribution(stack: Stack, origin: Resource, findings: Findings) -> None:
    users = [user for name, user in stack.dependents.get(origin.urn, ()) if user.type == "cloudfront/distribution"]
    for user in users or [origin]:
        if user.type == "cloudfront/distribution" and user.at("webAclId") not in (None, ""):
            findings.not_evaluated(user, ENTRY, "webAclId", "names a web ACL, whose rules aren't evaluated")
        else:
            what = "CloudFront accepts requests from any address and forwards them to the load balancer through a VPC origin"
            remedy = "associate a web ACL with an IP set of the allowed ranges with the distribution"
            findings.violation(user, ENTRY, "webAclId", what, remedy)


def _accelerators(stack: Stack, findings: Findings) -> None:
    """Global Accelerator gives an internal load balancer public addresses."""
    for group in stack.of("globalaccelerator/endpointGroup"):
        for index, endpoint in mappings(group.at("endpointConfigurations")):
            known = stack.by_identity(endpoint.get("endpointId"), "lb/loadBalancer")
            unknown = endpoint.get("endpointId") is UNKNOWN
            balancers = [known] if known else []
            balancers = balancers or (
                stack.dependencies(group, "endpointConfigurations", "lb/loadBalancer") if unknown else []
            )
            if any(truth(balancer.at("internal")) for balancer in balancers):
                what = f"endpointConfigurations[{index}] gives an internal load balancer public addresses"
                remedy = (
                    "remove the endpoint, or use an internet-facing load balancer whose groups allow only the ranges"
                )
                findings.violation(
                    group, ENTRY, "endpointConfigurations", what, remedy, value=[balancer.urn for balancer in balancers]
                )


def _endpoint_services(stack: Stack, findings: Findings) -> None:
    separate: dict[str, list[object]] = {}
    for allowed in stack.of("ec2/vpcEndpointServiceAllowedPrinciple"):
        for service in stack.linked(allowed, "vpcEndpointServiceId", "ec2/vpcEndpointService"):
            separate.setdefault(service.urn, []).extend(sequence(allowed.at("principalArn")))
    for service in stack.of("ec2/vpcEndpointService"):
        principals = [*sequence(service.at("allowedPrincipals")), *separate.get(service.urn, ())]
        if any(text(each) == "*" for each in principals) and not truth(service.at("acceptanceRequired")):
            what = "every AWS account can connect to the endpoint service without acceptance"
            remedy = "list accounts in allowedPrincipals, or set acceptanceRequired to true"
            findings.violation(service, ENTRY, "allowedPrincipals", what, remedy, value=principals)
