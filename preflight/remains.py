"""Print what an uninstalled stack has left in the account, found by its tags: keys until their deletion, and recovery points."""

import sys

from preflight.deployment import Deployment
from preflight.printed import parser, print_document

_IDENTIFYING = ("Project", "Environment", "ManagedBy")


def main() -> int:
    """Run the command. Returns 0, or 2 if the stack's file is invalid or a call to AWS fails."""
    return print_document(parser("preflight.remains", __doc__).parse_args(), remains)


def remains(deployment: Deployment) -> str:
    """The ARNs of what has the tags of the stack, with the last day of each key."""
    filters = [{"Key": key, "Values": [deployment.settings.tags[key]]} for key in _IDENTIFYING]
    found = deployment.aws.read("resourcegroupstaggingapi", "get_resources", TagFilters=filters)
    arns = sorted(resource["ResourceARN"] for resource in found["ResourceTagMappingList"])
    return (
        "\n".join(f"{arn}  {_until(deployment, arn)}".rstrip() for arn in arns)
        or "Nothing with the stack's tags remains"
    )


def _until(deployment: Deployment, arn: str) -> str:
    if ":ecs:" in arn:
        return "inactive: ECS keeps its record"
    if ":kms:" not in arn:
        return ""
    key = deployment.aws.read("kms", "describe_key", KeyId=arn)["KeyMetadata"]
    return f"deleted on {key['DeletionDate']:%Y-%m-%d}" if "DeletionDate" in key else key["KeyState"]


if __name__ == "__main__":
    sys.exit(main())
