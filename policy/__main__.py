"""The policy pack's entry point. The pack's constructor serves it until the engine closes the connection."""

import gc

gc.disable()  # while the SDK is imported: its objects live until the end

from pulumi_policy import EnforcementLevel, PolicyPack  # noqa: E402

from evaluation.documentation import PACK  # noqa: E402
from evaluation.garbage_collector import tune_garbage_collector  # noqa: E402
from evaluation.launch import warn_about_configuration  # noqa: E402
from policies.catalogue import PACK_NAME, policies  # noqa: E402

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
