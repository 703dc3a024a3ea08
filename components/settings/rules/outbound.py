"""Rules for the proxy and the certificate authorities."""

from collections.abc import Iterator

from ..arguments import Settings
from ..outbound import CERTIFICATE_VARIABLES, PROXY_VARIABLES
from ..problem import Problem, Rule


def _no_proxy(settings: Settings) -> Iterator[Problem]:
    outbound = settings.outbound
    if outbound.no_proxy and not outbound.proxies:
        yield Problem({"noProxy": list(outbound.no_proxy)}, "applies only with httpProxy or httpsProxy; remove it")


def _set_twice(settings: Settings) -> Iterator[Problem]:
    """Variables of workflows that would have two values."""
    own, configuration = settings.outbound, settings.configuration
    taken = {
        **(dict.fromkeys(CERTIFICATE_VARIABLES, "caCertificates") if own.ca_certificates is not None else {}),
        **(dict.fromkeys(PROXY_VARIABLES, " and ".join(own.proxies)) if own.proxies else {}),
    }
    names = {
        "environmentVariables": list(configuration.environment_variables),
        "secretEnvironment": [reference.split("=", 1)[0] for reference in configuration.secret_environment],
    }
    for key, found in names.items():
        for name in found:
            # curl reads some of them in lower case only, the others read both.
            if by := taken.get(name.upper()):
                yield Problem({key: name}, f"is set by {by}; remove it")


RULES: tuple[Rule, ...] = (_no_proxy, _set_twice)
