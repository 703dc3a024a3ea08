"""The roles, users and groups of a stack, each with all policy documents that the stack attaches to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from evaluation.aws.documents import Statement, statements
from evaluation.resources import Resource, Stack
from evaluation.values import MALFORMED, UNKNOWN, mappings, parse_json, text

NO_ACCOUNT: Final = "000000000000"
Kind = Literal["role", "user", "group"]
_TYPES: Final[dict[Kind, str]] = {"role": "iam/role", "user": "iam/user", "group": "iam/group"}
_POLICY: Final = "iam/policy"


class Part(NamedTuple):
    """One policy document: its resource and path, and its statements, which are None if they are unknown or malformed."""

    carrier: Resource
    path: str
    statements: list[Statement] | None
    problem: str = ""


@dataclass
class Holder:
    """An identity with its policies. An identity of another stack has no resource and may have no name."""

    kind: Kind
    resource: Resource | None = None
    own: list[str] = field(default_factory=list)
    """Its ARN, and the ARNs of a user's groups, with ``NO_ACCOUNT`` as the account."""
    policies: list[str] = field(default_factory=list)
    """The ARNs of its managed policies."""
    parts: list[Part] = field(default_factory=list)

    @property
    def undecided(self) -> bool:
        """Whether one of its policies is unknown: it may deny what another one allows."""
        return any(part.statements is None for part in self.parts)


def holders(stack: Stack) -> list[Holder]:
    """All identities of a stack, and one for each policy that isn't attached to any of them."""
    return _Builder(stack).build()


def _arn(kind: str, name: str | None, path: Any = None) -> list[str]:
    if not name:
        return []
    folder = path if isinstance(path, str) and path.startswith("/") else "/"
    return [f"arn:aws:iam::{NO_ACCOUNT}:{kind}{folder}{name}"]


class _Builder:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._holders: dict[str, Holder] = {}
        self._strangers: list[Holder] = []
        for kind, canonical in _TYPES.items():
            for each in stack.of(canonical):
                self._holders[each.urn] = Holder(kind, each, _arn(kind, text(each.at("name")), each.at("path")))

    def build(self) -> list[Holder]:
        for kind, canonical in _TYPES.items():
            for each in self._stack.of(canonical):
                for index, inline in mappings(each.at("inlinePolicies")):
                    self._holders[each.urn].parts.append(
                        _part(each, f"inlinePolicies[{index}].policy", inline.get("policy"))
                    )
                for policy in self._stack.linked(each, "managedPolicyArns", _POLICY):
                    self._attach(policy, [self._holders[each.urn]])
            for policy in self._stack.of(f"iam/{kind}Policy"):
                self._give(kind, self._owners(policy, kind), policy, text(policy.at(kind)))
        self._attachments()
        self._memberships()
        self._unattached()
        return [*self._holders.values(), *self._strangers]

    def _owners(self, resource: Resource, path: str, kind: Kind | None = None) -> list[Holder]:
        canonical = _TYPES[kind or _kind(path)]
        return [self._holders[each.urn] for each in self._stack.linked(resource, path, canonical)]

    def _give(self, kind: Kind, owners: list[Holder], policy: Resource, name: str | None) -> None:
        part = _part(policy, "policy", policy.at("policy"))
        if not owners:
            owners = [Holder(kind, None, _arn(kind, name))]
            self._strangers += owners
        for owner in owners:
            owner.parts.append(part)

    def _attach(self, policy: Resource, owners: list[Holder]) -> None:
        part = _part(policy, "policy", policy.at("policy"))
        for owner in owners:
            owner.policies += _arn("policy", text(policy.at("name")), policy.at("path"))
            owner.parts.append(part)

    def _attachments(self) -> None:
        for kind in _TYPES:
            for attachment in self._stack.of(f"iam/{kind}PolicyAttachment"):
                for policy in self._stack.linked(attachment, "policyArn", _POLICY):
                    self._attach(policy, self._owners(attachment, kind))
        for attachment in self._stack.of("iam/policyAttachment"):
            for policy in self._stack.linked(attachment, "policyArn", _POLICY):
                for kind in _TYPES:
                    self._attach(policy, self._owners(attachment, f"{kind}s", kind))

    def _memberships(self) -> None:
        """A user also has the policies of its groups, and can change its own permissions through a group's policy."""
        for membership in self._stack.of("iam/userGroupMembership", "iam/groupMembership"):
            single = membership.type == "iam/groupMembership"
            for user in self._owners(membership, "users" if single else "user", "user"):
                for group in self._owners(membership, "group" if single else "groups", "group"):
                    user.own += group.own
                    user.policies += group.policies
                    user.parts += group.parts

    def _unattached(self) -> None:
        held = {part.carrier.urn for holder in self._holders.values() for part in holder.parts}
        for policy in self._stack.of(_POLICY):
            if policy.urn not in held:
                self._give("role", [], policy, None)


def _kind(path: str) -> Kind:
    return "user" if path == "user" else "group" if path == "group" else "role"


def _part(carrier: Resource, path: str, document: Any) -> Part:
    content = parse_json(document)
    if content is UNKNOWN:
        return Part(carrier, path, None, "is unknown until the update")
    if content is MALFORMED:
        return Part(carrier, path, None, "isn't a JSON document")
    return Part(carrier, path, statements(content))


def allowed(holder: Holder) -> Iterator[tuple[Part, Statement]]:
    """The Allow statements, each with its document."""
    for part in holder.parts:
        for statement in part.statements or ():
            if statement.allows:
                yield part, statement
