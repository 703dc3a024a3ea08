"""The states of `carried/`, which the official provider wrote: of the public Atlantis module, of older forms, and the original's."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adoption.plan import Plan, make_plan
from tests.adoption.states import ORIGINAL_SETTINGS, State, add, find, write

FOLDER = Path(__file__).resolve().parent / "carried"
REGION = "ap-northeast-2"


@dataclass(frozen=True)
class Carried:
    """A state, and the result of its adoption."""

    name: str
    adopted: int
    """Resources that are imported."""
    renamed: frozenset[str] = frozenset()
    """Those that the program creates under another name."""
    proposes: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Parts of the notes that say what to do first."""
    accepted: tuple[str, ...] = ()
    """What may be lost of the running task definition; without it, the adoption stops."""

    fixed: Callable[[State], None] = lambda _state: None
    """What the problems of the state ask for, done in it."""

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.tfstate"

    def state(self) -> State:
        """The state as it is carried."""
        return json.loads(self.path.read_text(encoding="utf-8"))

    def adoptable(self, folder: Path) -> Path:
        """A file in `folder` with the state that can be adopted."""
        state = self.state()
        self.fixed(state)
        return write(folder, state)

    def plan(self, folder: Path | None = None) -> Plan:
        """The plan of the state that can be adopted, whose file stays in `folder`."""
        with tempfile.TemporaryDirectory() as temporary:
            return make_plan(
                self.adoptable(folder or Path(temporary)), "prod", ORIGINAL_SETTINGS, REGION, self.accepted
            )


def _with_rules_as_resources(state: State) -> None:
    """`inline` after Terraform has imported the ingress rules of its groups as resources, as the adoption asks for."""
    groups = ("alb", "service")
    ids = {group: find(state, f"aws_security_group.{group}")["id"] for group in groups}
    peers = [("alb", 443, "cidr_ipv4", "203.0.113.0/25"), ("alb", 443, "cidr_ipv4", "203.0.113.128/25")]
    peers.append(("service", 4141, "referenced_security_group_id", ids["alb"]))
    for number, (group, port, name, peer) in enumerate(peers):
        rule = {
            "id": f"sgr-0aa0bb0cc0dd0ee6{number}",
            "security_group_id": ids[group],
            "ip_protocol": "tcp",
            name: peer,
        }
        rule |= {
            "security_group_rule_id": rule["id"],
            "from_port": port,
            "to_port": port,
            "description": "",
            "tags": None,
        }
        add(state, f"aws_vpc_security_group_ingress_rule.{group}{number}", rule)
        blocks = find(state, f"aws_security_group.{group}")
        blocks["ingress"] = []


ROLES = frozenset({"permissions-execution-role", "permissions-task-role"})
SECRET_FIRST = "adoption that needs an image or a secret first"
OPEN = "allowedCidrBlocks = ['0.0.0.0/0']: opens the server to the internet"

CARRIED = (
    Carried(
        "module-3.28.0",
        13,
        frozenset({"permissions-task-role"}),
        {"allowedCidrBlocks": ["203.0.113.0/25", "203.0.113.128/25"], "baseName": "atlantis", "stopTimeout": 30},
        (SECRET_FIRST, "sslPolicy = 'ELBSecurityPolicy-2016-08'"),
        ("right:ssm",),
    ),
    Carried(
        "module-4.4.1",
        18,
        ROLES,
        {"baseName": "atlantis", "githubAppSecretName": "atlantis-app"},
        (OPEN,),
        ("right:AdministratorAccess",),
    ),
    Carried(
        "module-5.1.0",
        19,
        ROLES,
        {"baseName": "atlantis", "cpuArchitecture": "ARM64"},
        (OPEN,),
        ("right:AdministratorAccess",),
    ),
    Carried(
        "inline",
        19,
        ROLES,
        {"allowedCidrBlocks": ["203.0.113.0/25", "203.0.113.128/25"]},
        (
            "keeps its inline policy state",
            "keeps arn:aws:iam::aws:policy/ReadOnlyAccess",
            "aws_security_group.alb keeps a rule",
        ),
        fixed=_with_rules_as_resources,
    ),
    Carried(
        "original",
        38,
        frozenset(),
        {
            "githubAppSecretName": "atlantis/github-app-v2-prod",
            "webhookSecretName": "atlantis/webhook-secret-v2-prod",
            "efsEncryptionKey": "aws",
        },
        accepted=("ATLANTIS_REPO_CONFIG", "right:*"),
    ),
)
BY_NAME = {carried.name: carried for carried in CARRIED}
