"""The plan of an adoption, computed without changes: settings, pairs and problems."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adoption import leftovers, observed, problems, rights, sharing
from adoption.anatomy import Anatomy, AnatomyError, dissect
from adoption.changes import Adopted, judge
from adoption.completeness import require_whole
from adoption.existing import existing_of
from adoption.listener_rules import pair_own_rules
from adoption.lookups import Lookups
from adoption.pairing import Pairing, pair
from adoption.program import register
from adoption.proposal import Proposal
from adoption.proposals import apply, propose
from adoption.state import StateResource, TerraformState, read_state
from adoption.task_inventory import Item, inventory
from adoption.task_inventory import problem as lost_parts
from components.settings import parse
from preflight.aws import Aws
from preflight.errors import UnmetError

EMPTY_REPOSITORY = (
    "The repository is new and empty, so the task of the first `up` can't start, and ECS would roll back. Set atlantis:image to a "
    "public reference of a version that this program accepts, or adopt with desiredCount 0, push the image, then set 1 "
    "(docs/adoption.md, step 6)"
)


UNOBSERVED = (
    "AWS wasn't read ({reason}). The state's {revision} is taken for the running task definition, and the rights are those of the policies "
    "in the state: run the command with credentials of the account to compare what runs"
)


@dataclass
class Plan:
    """The result of planning an adoption."""

    stack: str
    anatomy: Anatomy
    settings: dict[str, Any]
    """The stack file's settings with the proposals applied."""
    given: Mapping[str, Any]
    """The stack file's settings."""
    proposals: list[Proposal]
    notes: list[str]
    pairing: Pairing
    adopted: list[Adopted]
    task: list[Item]
    """What becomes of each part of the running task definition."""
    rights: list[Item]
    """What becomes of the rights of the running task role."""
    accepted: Collection[str] = ()
    """Names of the parts that may be lost."""
    file: Path | None = None
    """The file of the state."""
    problems: list[str] = field(default_factory=list)
    """Problems to fix first. With a problem, nothing is written or rehearsed."""

    @property
    def left(self) -> list[tuple[StateResource, str]]:
        """The resources that stay in Terraform, each with a command or a note."""
        renamed = {id(actual) for actual in self.pairing.renamed.values()}
        return [
            (actual, leftovers.advice(actual, self.pairing))
            for actual in self.pairing.left
            if id(actual) not in renamed
        ]

    @property
    def to_forget(self) -> list[str]:
        """The addresses that Terraform must no longer manage: adopted resources, and those that are to be deleted by hand.

        What the table says to keep isn't among them.
        """
        kept = {actual.address for actual, advice in self.left if advice.endswith(leftovers.KEEP)}
        return [found.address for found in self.anatomy.state.resources if found.address not in kept]

    @property
    def to_remove(self) -> list[str]:
        """The blocks of kept resources in modules that also have resources to forget.

        The code of a module can be another's, so that only its call can be deleted, and Terraform would destroy what is left.
        """
        forgotten = {*self.to_forget}
        modules = {found.module for found in self.anatomy.state.resources if found.address in forgotten} - {""}
        kept = (actual for actual, _ in self.left if actual.address not in forgotten and actual.module in modules)
        return sorted({actual.block for actual in kept})


def make_plan(
    path: Path,
    stack: str,
    given: Mapping[str, Any],
    region: str,
    accepted: Collection[str] = (),
    *,
    aws: Aws | None = None,
) -> Plan:
    """Plan the adoption of the state in `path` by `stack`.

    Args:
        path: the file of the state.
        stack: the stack's name.
        given: the settings of the stack file.
        region: the stack's region.
        accepted: parts of the running task definition that may be lost.
        aws: reads what runs, if it has credentials.

    Raises:
        StateError: the file is not a Terraform state.
        AnatomyError: the state doesn't contain exactly one complete Atlantis stack, or belongs to another region.
        pulumi.RunError: the stack's settings are invalid even with the proposals applied.
    """
    state, may, notes = read_state(path), None, []
    if aws is not None:
        anatomy = dissect(state, existing_of(given))
        try:
            found = list(observed.observed(anatomy, aws))
            state = observed.with_observed(anatomy, found)
            may = observed.may(dissect(state, existing_of(given)), aws, notes)
            revision = found[0].attributes["arn"]
            notes.append(f"AWS was read: {revision} runs, and its role has the policies that the table compares")
        except (UnmetError, LookupError) as error:
            notes.append(UNOBSERVED.format(reason=error, revision=anatomy.task.get("arn")))
    plan = plan_of(state, stack, given, region, accepted, may=may)
    plan.file = path
    plan.notes += notes
    return plan


def plan_of(
    state: TerraformState,
    stack: str,
    given: Mapping[str, Any],
    region: str,
    accepted: Collection[str] = (),
    *,
    may: Callable[[str, str], bool] | None = None,
) -> Plan:
    """Like `make_plan`, for a state that has already been read."""
    anatomy = dissect(state, existing_of(given))
    require_whole(anatomy)
    if anatomy.region != region:
        raise AnatomyError(
            f"The state is of {anatomy.region}, and aws:region of the stack {stack} is {region or 'not set'}: "
            f"`pulumi config set aws:region {anatomy.region} --stack {stack}`, or take the state of that region"
        )
    proposals, notes = propose(anatomy, given, stack)
    settings = apply(given, proposals)
    parse(settings, stack=stack, region=region)  # before the program runs, so that its message is the only one
    wanted = register(stack, region, settings, Lookups(anatomy, settings))
    pairing = pair(anatomy, wanted)
    pair_own_rules(pairing)
    items = inventory(anatomy, pairing.wanted["compute-task"].inputs, settings, pairing.resolve)
    lost = rights.items(pairing, settings, may)
    adopted = [judge(each, pairing) for each in pairing.pairs.values()]
    plan = Plan(stack, anatomy, settings, given, proposals, notes, pairing, adopted, items, lost, accepted)
    plan.problems += lost_parts([*items, *lost], accepted)
    plan.notes += [*leftovers.rights(pairing), *rights.other_policies(pairing), *sharing.notes(anatomy, pairing)]
    # Terraform accepts the family and the revision for the ARN.
    running, known = str(anatomy.service.get("task_definition")), str(anatomy.task.get("arn"))
    if not known.endswith(running.rpartition("/")[2]):
        plan.notes.append(
            f"The service runs {running}, and the state has {known}, which this report calls the running one: compare the two "
            "(`aws ecs describe-task-definition --task-definition <ARN>`), or let Terraform deploy its revision first"
        )
    if "storage-repository" not in pairing.pairs and not settings.get("image"):
        plan.notes.append(EMPTY_REPOSITORY)
    plan.problems += problems.find(anatomy, settings, pairing, plan.adopted)
    return plan
