"""Names that AWS can't change: they have a setting, or stop the adoption with the true reason."""

import pytest

from tests.adoption.plans import adopted, plan, proposed
from tests.adoption.states import CLUSTER, State, arn, find, role_arn, small_state


def _named(state: State, *, cluster: str = "atlantis", service: str = "atlantis", balancer: str = "atlantis") -> State:
    cluster_arn = arn("ecs", f"cluster/{cluster}")
    find(state, "aws_ecs_cluster.this").update(id=cluster_arn, arn=cluster_arn, name=cluster)
    find(state, "aws_ecs_service.this").update(cluster=cluster_arn, name=service)
    find(state, "aws_lb.this")["name"] = balancer
    return state


@pytest.mark.parametrize("names", [{"cluster": "main"}, {"service": "server"}, {"balancer": "atlantis-alb"}])
def test_names_that_differ_from_each_other_stop_the_adoption(names: dict[str, str]) -> None:
    found = plan(_named(small_state(), **names))
    (problem,) = found.problems
    all_of_them = {"cluster": "atlantis", "service": "atlantis", "balancer": "atlantis"} | names
    assert problem.startswith(
        f"the cluster is named {all_of_them['cluster']}, the service is named {all_of_them['service']}, "
        f"the load balancer is named {all_of_them['balancer']}. This program names all of them after atlantis:baseName"
    )


@pytest.mark.parametrize("name", ["Atlantis-Prod", "atlantis-of-the-whole-company", "internal-atlantis"])
def test_a_name_that_the_settings_refuse_is_not_proposed_and_says_why(name: str) -> None:
    found = plan(_named(small_state(), cluster=name, service=name, balancer=name))
    (problem,) = found.problems
    assert f"the load balancer is named {name}, and AWS can't rename them" in problem
    assert "atlantis:baseName must be 1 to 23 lowercase letters" in problem
    assert "baseName" not in proposed(found)


def test_a_base_name_of_the_stack_file_that_is_not_the_running_one_is_replaced() -> None:
    found = plan(
        _named(small_state(), cluster="atlantis-dev", service="atlantis-dev", balancer="atlantis-dev"), baseName="other"
    )
    assert not found.problems
    assert (proposed(found)["environment"], proposed(found)["baseName"]) == ("dev", None)
    assert adopted(found, "ingress-alb").pair.actual.attributes["name"] == "atlantis-dev"


def test_a_role_of_the_program_s_name_under_a_path_stops_the_adoption() -> None:
    state, name = small_state(), "atlantis-ecs-task-prod"
    role = f"service/{name}"
    find(state, "aws_iam_role.tasks").update(id=name, name=name, arn=role_arn(role), path="/service/")
    find(state, "aws_ecs_task_definition.this")["task_role_arn"] = role_arn(role)
    (problem,) = plan(state).problems
    assert "permissions-task-role: module.atlantis.aws_iam_role.tasks has the path /service/" in problem


def test_the_load_balancer_of_the_service_is_adopted_whatever_else_has_a_name() -> None:
    assert adopted(plan(small_state()), "compute-cluster").pair.actual.id == CLUSTER
