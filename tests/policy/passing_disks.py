"""Passing EBS disks: encrypted by the account's default, by their source or by AWS."""

from typing import Final

from tests.policy.rows import KEY, known, one, passing
from tests.policy.servicer import UNKNOWN

_DISK: Final = "encryption-stack/at-rest"

_DEFAULT: Final = one("ebs/encryptionByDefault", "account")
_ENCRYPTED: Final = one("ebs/volume", "source", id="vol-1", encrypted=True)
_SNAPSHOT: Final = one("ebs/snapshot", "snapshot", id="snap-1", volumeId="vol-1")

DISKS: Final = (
    passing(_DISK, "volume of an account that encrypts", one("ebs/volume", size=8), _DEFAULT),
    passing(
        _DISK, "volume that AWS encrypts", one("ebs/volume", size=8), _DEFAULT, reported={"it": {"encrypted": True}}
    ),
    passing(
        _DISK,
        "root disk with other properties, in an account that encrypts",
        one("ec2/instance", ami="ami-1", rootBlockDevice={"volumeSize": 20, "volumeType": "gp3"}),
        _DEFAULT,
        reported={"it": {"rootBlockDevice": {"volumeSize": 20, "encrypted": True, "kmsKeyId": KEY}}},
    ),
    passing(
        _DISK,
        "template in an account that encrypts",
        one("ec2/launchTemplate", blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20}}]),
        _DEFAULT,
    ),
    passing(
        _DISK,
        "more disks of an instance, in an account that encrypts",
        one(
            "ec2/instance", ami="ami-1", rootBlockDevice={"volumeSize": 8}, ebsBlockDevices=[{"deviceName": "/dev/sdf"}]
        ),
        _DEFAULT,
    ),
    passing(
        _DISK, "copied snapshot, in an account that encrypts", one("ebs/snapshotCopy", sourceSnapshotId="s"), _DEFAULT
    ),
    passing(_DISK, "copied image, in an account that encrypts", one("ec2/amiCopy", sourceAmiId="ami-1"), _DEFAULT),
    passing(_DISK, "spot request, in an account that encrypts", one("ec2/spotInstanceRequest", ami="ami-1"), _DEFAULT),
    passing(
        _DISK,
        "launch configuration, in an account that encrypts",
        one("ec2/launchConfiguration", imageId="a"),
        _DEFAULT,
    ),
    passing(
        _DISK,
        "image recipe, in an account that encrypts",
        one("imagebuilder/imageRecipe", blockDeviceMappings=[{"ebs": {"volumeSize": 8}}]),
        _DEFAULT,
    ),
    passing(
        _DISK,
        "copy of an encrypted snapshot",
        _ENCRYPTED,
        _SNAPSHOT,
        one("ebs/snapshotCopy", sourceSnapshotId="snap-1"),
    ),
    passing(
        _DISK,
        "volume of an encrypted volume's snapshot",
        _ENCRYPTED,
        _SNAPSHOT,
        known(one("ebs/volume", snapshotId=UNKNOWN), snapshotId=("snapshot",)),
    ),
    passing(
        _DISK,
        "copy of an image with encrypted disks",
        one("ec2/ami", "image", id="ami-1", ebsBlockDevices=[{"snapshotId": "snap-1", "encrypted": True}]),
        one("ec2/amiCopy", sourceAmiId="ami-1"),
    ),
    passing(
        _DISK,
        "copy of an image of an encrypted instance",
        one("ec2/instance", "golden", id="i-1", ami="ami-0", rootBlockDevice={"encrypted": True}),
        known(one("ec2/amiFromInstance", "image", id="ami-1", sourceInstanceId=UNKNOWN), sourceInstanceId=("golden",)),
        known(one("ec2/amiCopy", sourceAmiId=UNKNOWN), sourceAmiId=("image",)),
    ),
    passing(
        _DISK,
        "instance of an encrypted image",
        one("ec2/amiCopy", "image", id="ami-1", sourceAmiId="ami-0", encrypted=True),
        one("ec2/instance", ami="ami-1"),
    ),
    passing(_DISK, "instance of a template", one("ec2/instance", launchTemplate={"id": "lt-1"})),
    passing(
        _DISK,
        "volume of a foreign snapshot that AWS encrypts",
        one("ebs/volume", snapshotId="snap-9"),
        reported={"it": {"encrypted": True}},
    ),
    passing(
        _DISK,
        "disk of a task with a key",
        one("ecs/service", volumeConfiguration={"managedEbsVolume": {"encrypted": True, "kmsKeyId": KEY}}),
    ),
    passing(
        _DISK,
        "account that encrypts, by the configuration",
        one("ebs/volume", size=8),
        one("ec2/instance", "other", ami="ami-1", rootBlockDevice={"volumeSize": 8}),
        encryption_stack={"ebsEncryptedByDefault": True},
    ),
)
