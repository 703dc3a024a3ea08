"""Atlantis on AWS: the settings of one stack, the Atlantis that they describe, and what operators need to know about it.

    GitHub, people -> load balancer -> ECS task (Atlantis) -> Terraform -> AWS
                      ingress          compute, secrets,      permissions
                                       storage, locking

`components/atlantis.py` wires the parts together.
"""

import gc

# Half of a preview's imports would be collections of the AWS SDK's 200,000 objects, which live until the end.
gc.disable()

import pulumi  # noqa: E402

from components import adoption, settings  # noqa: E402
from components.atlantis import Atlantis  # noqa: E402

gc.freeze()
gc.enable()

adoption.register(pulumi.get_stack())
atlantis = Atlantis("atlantis", settings.read())

for output, value in atlantis.outputs.items():
    pulumi.export(f"atlantis_{output}", value)
