"""The task's way to other networks: trusted certificates and the proxy, in the variables that programs read them from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from ..names import PhysicalNames
from ..settings.outbound import CERTIFICATE_VARIABLES, PROXY_VARIABLES, OutboundArgs
from .container import HARDENED, NO_CAPABILITIES, awslogs, mount, variables

CONTAINER = VOLUME = "certificates"
_DIRECTORY = "/run/certificates"
BUNDLE = f"{_DIRECTORY}/ca-certificates.crt"
_VARIABLE = "CA_CERTIFICATES"
_NEVER_BY_PROXY = ("localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.169.254")
"""This task: its containers, ECS' endpoint with the role's credentials, and the metadata of an instance, where there is one."""

# In another container, whose volume the others mount read-only: a plan could change a file of the server's own user, and an image
# with the certificates needs a build for each version. It costs a second at each start.
_SCRIPT = Path(__file__).with_name("certificates.sh")


def environment(settings: OutboundArgs, names: PhysicalNames, vpc_endpoints: Sequence[str]) -> dict[str, str]:
    """The variables of each container for the proxy and the certificates: empty without the settings."""
    variables = dict.fromkeys(CERTIFICATE_VARIABLES, BUNDLE) if settings.ca_certificates is not None else {}
    if settings.proxies:
        # Private names of the VPC, for example secretsmanager.eu-west-1.amazonaws.com. A domain includes its subdomains.
        endpoints = [names.via(".".join(reversed(service.split(".")))) for service in vpc_endpoints]
        values = (
            settings.http_proxy,
            settings.https_proxy,
            ",".join(dict.fromkeys([*_NEVER_BY_PROXY, *endpoints, *settings.no_proxy])),
        )
        given = {name: value for name, value in zip(PROXY_VARIABLES, values, strict=True) if value}
        # Go reads both spellings, curl and git http_proxy in lower case only.
        variables |= given | {name.lower(): value for name, value in given.items()}
    return variables


def mounts(settings: OutboundArgs) -> list[dict[str, object]]:
    """What a container mounts to read the certificates."""
    if settings.ca_certificates is None:
        return []
    return [mount(VOLUME, _DIRECTORY, read_only=True)]


def dependencies(settings: OutboundArgs) -> list[dict[str, str]]:
    """What a container waits for to read the certificates: if they can't be written, the task doesn't start."""
    return [{"containerName": CONTAINER, "condition": "SUCCESS"}] if settings.ca_certificates is not None else []


def waits(settings: OutboundArgs) -> dict[str, object]:
    """`dependsOn` of a container that waits for nothing else."""
    return {"dependsOn": found} if (found := dependencies(settings)) else {}


def volumes(settings: OutboundArgs) -> list[aws.ecs.TaskDefinitionVolumeArgsDict]:
    """The volume with the certificates, on the task's own disk."""
    return [{"name": VOLUME}] if settings.ca_certificates is not None else []


def container(
    certificates: pulumi.Input[str], *, image: pulumi.Input[str], log_group: pulumi.Input[str], region: str
) -> Mapping[str, object]:
    """The container that writes the public certificates and the given ones into the volume, and ends."""
    return {
        "name": CONTAINER,
        "image": image,
        "essential": False,
        **HARDENED,
        # Root owns the volume; it needs no capability for it.
        "user": "0",
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [_SCRIPT.read_text(encoding="utf-8").strip()],
        "environment": variables({_VARIABLE: certificates}),
        "mountPoints": [mount(VOLUME, _DIRECTORY)],
        "stopTimeout": 10,
        "logConfiguration": awslogs(log_group, region, CONTAINER),
    }
