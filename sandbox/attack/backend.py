"""Where the states of projects that are applied lie: isolated Terraform applies nothing whose state is local."""

import yaml

from components.settings.accepted import REPOSITORY
from sandbox.attack.target import Target

_BLOCK = """
terraform {{
  backend "s3" {{
    bucket = "{bucket}"
    key    = "{key}"
    region = "{region}"
  }}
}}
"""


def backend(target: Target) -> str:
    """A block with a state of the pull request's repository, for which `{repository}` stands; empty without isolation."""
    if not target.isolated:
        return ""
    settings = yaml.safe_load(target.sandbox.workspace.stack_file(target.sandbox.stack).read_text(encoding="utf-8"))
    prefixes = settings["config"].get("atlantis:terraformStatePrefixes") or [""]
    own = next((prefix for prefix in prefixes if REPOSITORY in prefix), f"{prefixes[0]}{REPOSITORY}/")
    return _BLOCK.format(bucket=state_bucket(target), key=f"{own}attack.tfstate", region=target.sandbox.aws.region)


def state_bucket(target: Target) -> str:
    """The first bucket with Terraform's states."""
    return next(item["Name"] for item in target.client("s3").list_buckets()["Buckets"] if "state" in item["Name"])
