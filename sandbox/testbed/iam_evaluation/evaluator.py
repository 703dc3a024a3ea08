"""IAM's decision on one action: ``@cloud-copilot/iam-simulate`` in a separate Node process.

The package validates requests against AWS' service authorization reference. An action, a resource type or a condition
key that AWS doesn't have is an error or is reported as ignored, never silently allowed. The package, and
``evaluator.mjs``, which imports it, are licensed under the AGPL; this module runs them and exchanges JSON with them.
"""

import dataclasses
import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sandbox.testbed import npm
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.iam_evaluation import iam_rules
from sandbox.testbed.paths import CHECKOUT

Document: TypeAlias = Mapping[str, Any]
"""A policy document, decoded."""
Keys: TypeAlias = Mapping[str, str | Sequence[str]]
"""Values of condition keys, by the keys' names in AWS' spelling."""

_SOURCES = Path(__file__).parent
_PACKAGES = npm.Packages(_SOURCES, "the IAM policy evaluator", "iam-evaluation")


@dataclass(frozen=True)
class Principal:
    """The principal that makes a call, with the policies that apply to it.

    Attributes:
        arn: the ARN of a role, user or role session.
        policies: the identity-based policies by name.
        boundary: the permissions boundary.
        session: the session policy.
        keys: condition keys that describe the principal and the connection.
    """

    arn: str
    policies: Mapping[str, Document]
    boundary: Document | None = None
    session: Document | None = None
    keys: Keys = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account ID in the ARN."""
        return self.arn.split(":")[4]

    @property
    def is_limited(self) -> bool:
        """Whether it is a session with a session policy or a boundary."""
        return ":assumed-role/" in self.arn and bool(self.session or self.boundary)

    def without_allows(self) -> "Principal":
        """The principal without the permissions of its policies; what they deny stays denied."""
        policies = {name: iam_rules.denies_of(policy) for name, policy in self.policies.items()}
        limits = (
            limit and iam_rules.denies_of(limit, allowing_the_rest=True) for limit in (self.boundary, self.session)
        )
        boundary, session = limits
        return dataclasses.replace(self, policies=policies, boundary=boundary, session=session)


@dataclass(frozen=True)
class Decision:
    """The decision on one action and resource.

    Attributes:
        result: IAM's decision.
        denied_by: ``policy: Sid`` of each statement with an explicit deny.
        ignored_keys: condition keys of the request that AWS doesn't send for this action and resource.
        allowed_by: ``policy: Sid`` of each statement of an identity-based policy that allows the call.
    """

    result: Literal["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"]
    denied_by: tuple[str, ...] = ()
    ignored_keys: tuple[str, ...] = ()
    allowed_by: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the call is allowed."""
        return self.result == "Allowed"


@dataclass(frozen=True)
class ResourceType:
    """A resource type of an action: its name, its ARN with ``${Placeholders}``, whether it is required, its condition keys."""

    name: str
    arn: str
    required: bool
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """An action in AWS' service authorization reference; ``level`` is its access level, such as ``Write``."""

    level: str
    wildcard_only: bool
    keys: tuple[str, ...]
    types: tuple[ResourceType, ...]


class Evaluator:
    """Client of the evaluator's process, which starts on first use; `close` ends it. It is thread-safe.

    Raises ``SandboxError`` if the evaluator can't be installed, and ``ValueError`` for an invalid request: an unknown
    action, a resource of a type that the action doesn't have, a policy that IAM would reject.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reference = cache(self._ask_reference)

    def __enter__(self) -> "Evaluator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process. A later request starts a new one."""
        if process := self.__dict__.pop("_process", None):
            process.stdin.close()
            process.stdout.close()
            process.wait()

    def decide(
        self, principal: Principal, action: str, resource: str, keys: Keys, resource_policy: Document | None = None
    ) -> Decision:
        """IAM's decision. ``resource`` is an ARN without wildcards, or ``*`` if the action has no resource type."""
        decision = self._decide(principal, action, resource, keys, resource_policy)
        if decision.result == "ImplicitlyDenied" and resource_policy and principal.is_limited:
            granted = iam_rules.direct_grant(resource_policy, principal.arn)
            if granted and self._decide(principal.without_allows(), action, resource, keys, granted).allowed:
                return dataclasses.replace(decision, result="Allowed")
        return decision

    def _decide(
        self, principal: Principal, action: str, resource: str, keys: Keys, resource_policy: Document | None
    ) -> Decision:
        own = {"aws:PrincipalArn": _role_of(principal.arn), "aws:PrincipalAccount": principal.account}

        def read(document: Document) -> Document:
            return iam_rules.normalized(document, principal.arn)

        answer = self._ask(
            {
                "ask": "decide",
                "request": {
                    "principal": principal.arn,
                    "action": action,
                    "resource": {"resource": resource, "accountId": _account(resource) or principal.account},
                    "contextVariables": iam_rules.normalized_keys({**own, **principal.keys, **keys}),
                },
                "identityPolicies": [
                    {"name": name, "policy": read(policy)} for name, policy in principal.policies.items()
                ],
                "serviceControlPolicies": [],
                "resourceControlPolicies": [],
                **({"resourcePolicy": read(resource_policy)} if resource_policy else {}),
                **({"sessionPolicy": read(principal.session)} if principal.session else {}),
                **(
                    {"permissionBoundaryPolicies": [{"name": "boundary", "policy": read(principal.boundary)}]}
                    if principal.boundary
                    else {}
                ),
            }
        )
        return Decision(
            answer["result"], tuple(answer["deniedBy"]), tuple(answer["ignoredKeys"]), tuple(answer["allowedBy"])
        )

    def reference(self, action: str) -> Reference:
        """The entry of ``action``, such as ``ecs:CreateService``, in AWS' service authorization reference."""
        return self._reference(action)

    def _ask_reference(self, action: str) -> Reference:
        answer = self._ask({"ask": "reference", "action": action})
        types = tuple(
            ResourceType(type_["name"], type_["arn"], type_["required"], tuple(type_["keys"]))
            for type_ in answer["types"]
        )
        return Reference(answer["level"], answer["wildcardOnly"], tuple(answer["keys"]), types)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise SandboxError("The IAM policy evaluator exited; see its output on standard error")
        answer = json.loads(line)
        if "error" in answer:
            request = question.get("request") or {}
            on = f" on {request['resource']['resource']}" if request else ""
            raise ValueError(f"{request.get('action') or question['action']}{on}: {answer['error']}")
        return answer

    @cached_property
    def _process(self) -> Any:
        command = [str(npm.NODE), str(_SOURCES / "evaluator.mjs"), str(install())]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=CHECKOUT
        )


def is_installed() -> bool:
    """Whether the packages are installed in this checkout."""
    return _PACKAGES.is_installed


def install() -> Path:
    """The directory with the pinned packages. Installs them from npm on first use; raises ``SandboxError``."""
    return _PACKAGES.install()


def _role_of(arn: str) -> str:
    """The value of ``aws:PrincipalArn``: for a role session, the role's ARN."""
    parts = arn.split(":")
    if parts[2] != "sts":
        return arn
    return ":".join([*parts[:2], "iam", "", parts[4], f"role/{parts[5].split('/')[1]}"])


def _account(arn: str) -> str:
    return arn.split(":")[4] if arn.startswith("arn:") else ""
