"""Atlantis on AWS: the settings of one stack, the Atlantis that they describe, and what operators need to know about it.

    GitHub, people -> load balancer -> ECS task (Atlantis) -> Terraform -> AWS
                      ingress          compute, secrets,      permissions
                                       storage, locking

`components/atlantis.py` wires the parts together.
"""

import pulumi

import adoption.transform
from components import settings
from components.atlantis import Atlantis

adoption.transform.register(pulumi.get_stack())
atlantis = Atlantis("atlantis", settings.read())

for output, value in atlantis.outputs.items():
    pulumi.export(f"atlantis_{output}", value)
