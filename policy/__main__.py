"""The policy pack's entry point. The pack's constructor serves it until the engine closes the connection."""

from pulumi_policy import EnforcementLevel, PolicyPack

from evaluation.documentation import PACK
from evaluation.garbage_collector import tune_garbage_collector
from evaluation.launch import warn_about_configuration
from policies.catalogue import PACK_NAME, policies

tune_garbage_collector()
warn_about_configuration()
PolicyPack(
    name=PACK_NAME,
    enforcement_level=EnforcementLevel.ADVISORY,
    policies=policies(),
    display_name="Atlantis guard",
    readme=(PACK / "README.md").read_text(encoding="utf-8"),
    provider="aws",
)
