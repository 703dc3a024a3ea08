"""The policy pack's entry point. The pack's constructor serves it until the engine closes the connection."""

from pulumi_policy import EnforcementLevel, PolicyPack

from rules.catalogue import PACK_NAME, policies
from rules.garbage_collector import tune_garbage_collector
from rules.launch import warn_about_configuration

tune_garbage_collector()
warn_about_configuration()
PolicyPack(
    name=PACK_NAME,
    enforcement_level=EnforcementLevel.ADVISORY,
    policies=policies(),
    display_name="Atlantis guard",
    provider="aws",
)
