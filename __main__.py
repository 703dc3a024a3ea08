"""Atlantis on AWS: the settings of one stack, the Atlantis that they describe, and what operators need to know about it.

    GitHub, people -> load balancer -> ECS task (Atlantis) -> Terraform -> AWS
                      ingress          compute, secrets,      permissions
                                       storage, locking

`components/atlantis.py` wires the parts together.
"""

from components.sdk_imports import quick_imports

with quick_imports():
    import pulumi

    from components import adoption, settings
    from components.atlantis import Atlantis

adoption.register(pulumi.get_stack())
atlantis = Atlantis("atlantis", settings.read())

for output, value in atlantis.outputs.items():
    pulumi.export(f"atlantis_{output}", value)
