"""encryption of listeners: HTTP behind an internet-facing load balancer is a violation, behind an internal one an advice.

The load balancer decides, and is another resource than its listeners and their rules, so the whole stack is required.
"""

from typing import Final

from evaluation.resources import Resource, Stack
from evaluation.rule import Findings
from evaluation.values import UNKNOWN, at, each_at, integer, mappings, sequence, text, truth

LISTENER: Final = "listener-tls"
INTERNAL: Final = "internal-tls"
_BALANCER: Final = "lb/loadBalancer"
_LISTENER: Final = "lb/listener"
# Ports of TCP listeners that are HTTP: http and http-alt of IANA's registry, and the default of Atlantis. Others may carry TLS.
_PLAIN_PORTS: Final = (80, 4141, 8008, 8080)
_REDIRECT: Final = "redirect to HTTPS (type redirect, protocol HTTPS, statusCode HTTP_301), or use an HTTPS listener"


def check_listeners(stack: Stack, findings: Findings) -> None:
    """Report what serves HTTP behind a load balancer that is internet-facing, or that isn't in the stack."""
    _listeners(stack, findings, internal=False)
    _classic_policies(stack, findings)


def advise_listeners(stack: Stack, findings: Findings) -> None:
    """Report what serves HTTP behind an internal load balancer."""
    _listeners(stack, findings, internal=True)
    for balancer in stack.of("elb/loadBalancer"):
        if truth(balancer.stated("internal")):
            for path, what, remedy in classic_listeners(balancer):
                findings.violation(balancer, INTERNAL, path, what, remedy)


def _listeners(stack: Stack, findings: Findings, *, internal: bool) -> None:
    check = INTERNAL if internal else LISTENER
    scheme = {listener.urn: _internal(stack, listener) for listener in stack.of(_LISTENER)}
    for listener in stack.of(_LISTENER):
        if scheme[listener.urn] is internal:
            _application(listener, check, findings)
            _network(stack, listener, check, findings)
        elif scheme[listener.urn] is None and not internal and _is_http(listener):
            why = "names a load balancer whose scheme is unknown until the update"
            findings.not_evaluated(listener, check, "loadBalancerArn", why)
    for rule in stack.of("lb/listenerRule"):
        serving = redirects_only(rule.at("actions"))
        for listener in stack.linked(rule, "listenerArn", _LISTENER) if serving else ():
            if (
                scheme[listener.urn] is internal
                and _is_http(listener)
                and not redirects_only(listener.at("defaultActions"))
            ):
                what = f"actions[{(serving or [0])[0]}] serves HTTP, although the default action of its listener redirects to HTTPS"
                remedy = "move the rule to the HTTPS listener, or redirect to HTTPS in the rule"
                findings.violation(rule, check, f"actions[{(serving or [0])[0]}].type", what, remedy)


def _internal(stack: Stack, listener: Resource) -> bool | None:
    """Whether the load balancer of a listener is internal; None if that is unknown. A load balancer of another stack isn't."""
    schemes = [balancer.stated("internal") for balancer in stack.linked(listener, "loadBalancerArn", _BALANCER)]
    if UNKNOWN in schemes:
        return None
    return bool(schemes) and all(truth(scheme) for scheme in schemes)


def _is_http(listener: Resource) -> bool:
    """Whether a listener is an HTTP listener; only the listener of a Gateway Load Balancer has neither protocol nor port."""
    protocol = listener.stated("protocol")  # AWS computes it too
    return protocol == "HTTP" or (protocol is None and listener.at("port") is not None)


def redirects_only(actions: object) -> list[int] | None:
    """The indexes of actions that serve HTTP instead of redirecting to HTTPS; None if they are unknown."""
    if actions is UNKNOWN or any(action is UNKNOWN for action in sequence(actions)):
        return None
    return [
        index
        for index, action in mappings(actions)
        if action.get("type") != "fixed-response"
        and not (action.get("type") == "redirect" and at(action, "redirect.protocol") == "HTTPS")
    ]


def _application(listener: Resource, check: str, findings: Findings) -> None:
    if listener.stated("protocol") is UNKNOWN:
        findings.not_evaluated(listener, check, "protocol")
    if not _is_http(listener):
        return
    serving = redirects_only(listener.at("defaultActions"))
    if serving is None:
        findings.not_evaluated(listener, check, "defaultActions")
    for index in serving or ():
        what = f"defaultActions[{index}] of the HTTP listener doesn't redirect to HTTPS"
        findings.violation(listener, check, f"defaultActions[{index}].type", what, _REDIRECT)


def _network(stack: Stack, listener: Resource, check: str, findings: Findings) -> None:
    """HTTP through a Network Load Balancer: a TCP port of HTTP to a target other than an Application Load Balancer."""
    port = integer(listener.at("port"))
    if listener.at("protocol") not in ("TCP", "TCP_UDP") or port not in _PLAIN_PORTS:
        return
    known = each_at(listener.properties, "defaultActions.targetGroupArn")
    targets = [each for value in known if (each := stack.by_identity(value, "lb/targetGroup")) is not None]
    targets = targets or stack.dependencies(listener, "defaultActions", "lb/targetGroup")
    if not any(target.at("targetType") == "alb" for target in targets):
        what = f"the listener forwards TCP port {port}, which is used for HTTP"
        remedy = "use a TLS listener, or forward to an Application Load Balancer that redirects to HTTPS"
        findings.violation(listener, check, "port", what, remedy)


# The resources that set the security policy of a Classic Load Balancer's listener, with the properties of balancer and port.
_CLASSIC_POLICIES: Final = (
    ("elb/sslNegotiationPolicy", "loadBalancer", "lbPort"),
    ("elb/listenerPolicy", "loadBalancerName", "loadBalancerPort"),
)


def _classic_policies(stack: Stack, findings: Findings) -> None:
    """Report TLS listeners of Classic Load Balancers with the default security policy (ELBSecurityPolicy-2016-08)."""
    chosen = {
        (balancer.urn, integer(policy.at(port)))
        for canonical, name, port in _CLASSIC_POLICIES
        for policy in stack.of(canonical)
        for balancer in stack.linked(policy, name, "elb/loadBalancer")
    }
    for balancer in stack.of("elb/loadBalancer"):
        # In aws-native, the policies are properties of the load balancer.
        if truth(balancer.stated("internal")) or balancer.at("policies") is not None:
            continue
        for index, listener in mappings(balancer.at("listeners")):
            tls = (text(listener.get("lbProtocol")) or "").lower() in ("https", "ssl")
            if tls and (balancer.urn, integer(listener.get("lbPort"))) not in chosen:
                what = f"listeners[{index}] has the default security policy, which accepts TLS versions older than 1.2"
                remedy = "add an aws.elb.SslNegotiationPolicy with Reference-Security-Policy ELBSecurityPolicy-TLS-1-2-2017-01"
                findings.violation(balancer, LISTENER, f"listeners[{index}]", what, remedy)


def classic_listeners(balancer: Resource) -> list[tuple[str, str, str]]:
    """The paths of the listeners of a Classic Load Balancer that accept HTTP, each with what is wrong and its fix."""
    remedy = "set lbProtocol to https with a certificate, or migrate to an Application Load Balancer"
    found: list[tuple[str, str, str]] = []
    for index, listener in mappings(balancer.at("listeners")):
        protocol = (text(listener.get("lbProtocol")) or "").lower()
        if protocol == "http" or (protocol == "tcp" and integer(listener.get("lbPort")) in _PLAIN_PORTS):
            found.append((f"listeners[{index}]", f"listeners[{index}] accepts HTTP", remedy))
    return found
