"""single-manager: a single Pulumi resource manages each setting in AWS."""

from itertools import starmap
from typing import Final, NamedTuple

from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN
from tables import read
from tables.standards import WELL_ARCHITECTED


class _Pair(NamedTuple):
    """A resource that defines its parts inline, in a property, and the resource type that defines one part."""

    whole: str
    inline: str
    part: str
    reference: str


_TABLE: Final = read("single_manager")


def _check(stack: Stack, findings: Findings) -> None:
    for pair in starmap(_Pair, _TABLE["inline"]):
        for part in stack.of(pair.part):
            for whole in stack.linked(part, pair.reference, pair.whole):
                _inline(pair, part, whole, findings)
    for canonical, reference, subject in _TABLE["exclusive"]:
        _exclusive(stack, canonical, reference, subject, findings)
    _attachments(stack, findings)


def _inline(pair: _Pair, part: Resource, whole: Resource, findings: Findings) -> None:
    authored = whole.authored(pair.inline)
    if authored is None:
        findings.not_evaluated(whole, "inline-and-separate", pair.inline, "is known only in previews and updates")
    elif authored and whole.at(pair.inline) not in (None, "", []):
        kind = pair.part.rpartition("/")[2]
        what = f"{whole.name} also manages {pair.inline} inline, so each update reverts the other's changes"
        remedy = f"use either the property {pair.inline} or {kind} resources"
        findings.violation(part, "inline-and-separate", pair.inline, what, remedy, value=whole.urn)


def _exclusive(stack: Stack, canonical: str, reference: str, subject: str, findings: Findings) -> None:
    owner: dict[str, Resource] = {}
    for resource in stack.of(canonical):
        for owned in stack.linked(resource, reference, subject):
            first = owner.setdefault(owned.urn, resource)
            if first is not resource:
                what = f"{first.name} manages the same setting of {owned.name}, and each overwrites the other"
                findings.violation(resource, "exclusive", reference, what, "merge the two resources", value=owned.urn)


def _attachments(stack: Stack, findings: Findings) -> None:
    """An iam.PolicyAttachment detaches its policy from every identity that it doesn't list."""
    exclusive = {
        each.at("policyArn"): each for each in stack.of("iam/policyAttachment") if isinstance(each.at("policyArn"), str)
    }
    owned = {
        policy.urn: each
        for each in stack.of("iam/policyAttachment")
        for policy in stack.linked(each, "policyArn", "iam/policy")
    }
    for attachment in stack.of("iam/rolePolicyAttachment", "iam/userPolicyAttachment", "iam/groupPolicyAttachment"):
        arn = attachment.at("policyArn")
        rival = exclusive.get(arn) if arn is not UNKNOWN and isinstance(arn, str) else None
        for policy in stack.linked(attachment, "policyArn", "iam/policy"):
            rival = rival or owned.get(policy.urn)
        if rival is not None:
            what = f"{rival.name} is exclusive: it detaches the policy from every identity that it doesn't list"
            remedy = "replace the aws.iam.PolicyAttachment with separate attachments"
            findings.violation(attachment, "exclusive", "policyArn", what, remedy, value=rival.urn)


RULE: Final = Rule(
    name="single-manager",
    title="Single manager",
    description="No two resources of a stack manage the same setting in AWS.",
    why=(
        "If a security group has inline rules and separate rule resources, or a bucket has two policy resources, each update"
        " reverts the other's changes. In the meantime, traffic can be allowed that should be denied, or denied that should be"
        " allowed."
    ),
    severity="medium",
    level="advisory",
    controls=("REL08-BP05",),
    standard=WELL_ARCHITECTED,
    remediation="Remove one of the two resources or properties.",
    checks={
        "inline-and-separate": "A setting is managed inline or by separate resources, not by both.",
        "exclusive": "An exclusive resource, such as a bucket policy, is the only one for its target.",
    },
    whole_stack=_check,
)
