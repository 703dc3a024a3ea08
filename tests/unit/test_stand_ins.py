"""The stand-ins' table: each type has an example, and an inventory lists each."""

import pytest

from sandbox.testbed.providers.aws import table
from tests.sandbox.providers.examples import EXAMPLES


@pytest.mark.parametrize("token", sorted(table.RESOURCES.keys() | EXAMPLES.keys()))
def test_a_type_has_an_entry_and_an_example(token: str) -> None:
    assert (token in table.RESOURCES, token in EXAMPLES) == (True, True)


PARTS = {
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:appautoscaling/policy:Policy",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/route:Route",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:backup/vaultPolicy:VaultPolicy",
    "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
    "aws:efs/backupPolicy:BackupPolicy",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:secretsmanager/secretVersion:SecretVersion",
}
"""Types of what is part of another object, or nothing in AWS: it goes with that object."""


def test_an_inventory_lists_every_type_but_parts_of_others() -> None:
    unlisted = {token for token, entry in table.RESOURCES.items() if entry.listing is None}
    assert {token for token in unlisted if not token.startswith("aws:s3/bucket")} == PARTS
    assert "aws:s3/bucket:Bucket" not in unlisted
