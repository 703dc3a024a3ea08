"""The policy pack's entry point. Constructing the pack serves it until the engine closes the connection."""

from pulumi_policy import EnforcementLevel, PolicyPack

from rules.catalogue import PACK_NAME, policies
from rules.memory import collect_rarely

collect_rarely()
PolicyPack(
    name=PACK_NAME,
    enforcement_level=EnforcementLevel.ADVISORY,
    policies=policies(),
    display_name="Atlantis guard",
    provider="aws",
)
