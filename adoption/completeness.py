"""Rejects a state that holds only a part of the stack, because the program would create the rest a second time."""

from adoption.anatomy import LISTENERS, Anatomy, AnatomyError


def require_whole(anatomy: Anatomy) -> None:
    """Reject a state without a resource that the service uses and that the stack file doesn't name as existing.

    Raises:
        AnatomyError: with what is missing, and the way to have it in the state or in the stack file.
    """
    unfinished = [
        f"{resource.address} is {resource.unfinished}" for resource in anatomy.state.resources if resource.unfinished
    ]
    if unfinished:
        raise AnatomyError(
            f"Terraform did not finish its last apply: {', '.join(unfinished)}. Finish it (`terraform apply`), then pull again"
        )
    existing = anatomy.existing
    missing = [
        f"{what} {identity}"
        for what, identity, found in (
            ("the file system", anatomy.volume.get("file_system_id"), anatomy.file_system),
            ("the cluster", anatomy.service.get("cluster"), existing.cluster_name or anatomy.cluster),
            ("the execution role", anatomy.task.get("execution_role_arn"), anatomy.role("execution_role_arn")),
            ("the task role", anatomy.task.get("task_role_arn"), anatomy.role("task_role_arn")),
            ("the target group", anatomy.target_group_arn, anatomy.target_group),
            (
                "the load balancer of the target group",
                anatomy.target_group_arn,
                existing.listener_arn or anatomy.load_balancer,
            ),
        )
        if identity and found is None
    ]
    for rule in [] if existing.listener_arn or anatomy.load_balancer else anatomy.leading_rules:
        if anatomy.state.find(arn := str(rule.get("listener_arn")), *LISTENERS):
            continue
        raise AnatomyError(
            f"{rule.address} is a rule of the listener {arn}, which this state doesn't hold: another state manages the load "
            f"balancer, and others may use it. {anatomy.listener_settings(arn)}, and the load balancer remains unchanged. If only "
            "Atlantis uses it, move it into this state (`terraform state mv -state-out`) instead, and pull the state again"
        )
    if missing:
        cluster = (
            f". If others use the cluster too, set atlantis:clusterName to {anatomy.cluster_name}"
            if any(item.startswith("the cluster ") for item in missing)
            else ""
        )
        raise AnatomyError(
            f"The state is half of a stack: the service {anatomy.service.address} runs on {', '.join(missing)}, which it doesn't "
            "hold, and the program would make a second one. Move all of the stack into one state first "
            f"(`terraform state mv -state-out`), then pull that{cluster}"
        )
