"""encryption of EBS disks: what the author, the source, the account's default and AWS' answer say together.

EBS encryption by default is a separate resource, and a copy or a restored volume is as its source is. So only the whole
stack shows whether a disk is encrypted; the keys of disks are a check of each resource.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from evaluation.aws.group_users import launch_templates
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, ResourceCheck
from evaluation.values import UNKNOWN, mapping, mappings, shown, text, truth
from policies.encryption_at_rest import AT_REST, is_customer_key, missing_key
from tables.stores import STORES

_DEFAULT: Final = "ebs/encryptionByDefault"
_INSTANCES: Final = ("ec2/instance", "ec2/spotInstanceRequest", "ec2/launchConfiguration")
_DEVICES: Final = (*_INSTANCES, "ec2/ami")
_ROWS: Final = tuple(store.type for store in STORES if store.name == "ebs")
# Where a resource has block devices: its type, the path of the list, and the key of the EBS block in an entry.
_MAPPINGS: Final = (
    ("ec2/launchTemplate", "blockDeviceMappings", "ebs"),
    ("imagebuilder/imageRecipe", "blockDeviceMappings", "ebs"),
    ("imagebuilder/containerRecipe", "instanceConfiguration.blockDeviceMappings", "ebs"),
    ("ecs/service", "volumeConfiguration", "managedEbsVolume"),
)
# The properties of disks, copies and images that name a source, with the types of the source.
_SNAPSHOTS: Final = ("ebs/snapshot", "ebs/snapshotCopy", "ebs/snapshotImport")
_IMAGES: Final = ("ec2/ami", "ec2/amiCopy", "ec2/amiFromInstance")
_SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "snapshotId": _SNAPSHOTS,
    "sourceSnapshotId": _SNAPSHOTS,
    "sourceAmiId": _IMAGES,
    "volumeId": ("ebs/volume",),
    "ami": _IMAGES,
    "imageId": _IMAGES,
    "sourceInstanceId": ("ec2/instance",),
    "ebsBlockDevices.snapshotId": _SNAPSHOTS,
}
_DEPTH: Final = 8


class _Disk(NamedTuple):
    """One disk of a resource. block: its properties, which may be unknown."""

    path: str
    block: Any


def _disks(resource: Resource) -> Iterator[_Disk]:
    """The disks that a resource describes, except devices that aren't attached and instance store volumes."""
    if resource.type in _DEVICES:
        for name in ("rootBlockDevice", "ebsBlockDevices"):
            yield from _listed(resource, name, lambda disk: disk)
    for canonical, path, block in _MAPPINGS:
        if resource.type == canonical:
            for disk in _listed(resource, path, lambda disk, block=block: _inner(disk, block)):
                yield disk if disk.block is UNKNOWN else _Disk(f"{disk.path}.{block}", disk.block)
    if resource.type == "ec2/spotFleetRequest":
        for index, launch in mappings(resource.at("launchSpecifications")):
            for name in ("rootBlockDevices", "ebsBlockDevices"):
                for number, disk in mappings(launch.get(name)):
                    yield _Disk(f"launchSpecifications[{index}].{name}[{number}]", disk)


def _listed(resource: Resource, path: str, block: Callable[[dict[str, Any]], Any]) -> Iterator[_Disk]:
    disks = resource.stated(path)
    if disks is UNKNOWN or (isinstance(disks, list) and UNKNOWN in disks):
        yield _Disk(path, UNKNOWN)
    for index, disk in mappings(disks):
        if not (text(disk.get("noDevice")) or truth(disk.get("noDevice")) or text(disk.get("virtualName"))):
            yield _Disk(f"{path}[{index}]" if isinstance(disks, list) else path, block(disk))


def _inner(disk: dict[str, Any], name: str) -> Any:
    blocks = disk.get(name)
    return blocks[0] if isinstance(blocks, list) and blocks else blocks


def check_disks(stack: Stack, findings: Findings) -> None:
    """Report the disks, snapshots and images of the stack that nothing encrypts."""
    if findings.settings.flag("ebsEncryptedByDefault"):
        return
    regions = {_region(each) for each in stack.of(_DEFAULT) if _enabled(each)}
    types = (*_DEVICES, *(canonical for canonical, _, _ in _MAPPINGS), "ec2/spotFleetRequest")
    for resource in stack.of(*dict.fromkeys((*_ROWS, *types))):
        region = _region(resource)
        if region in regions or (regions and (region is None or None in regions)):
            continue
        if resource.type in _ROWS:
            _disk(stack, resource, _Disk("", resource.properties), findings)
            continue
        for disk in _disks(resource):
            _disk(stack, resource, disk, findings)
        if resource.type in _INSTANCES:
            _missing_root(stack, resource, findings)


def _enabled(default: Resource) -> bool:
    """Whether the account's default encrypts: ``enabled`` is true unless it is set to false."""
    value = default.at("enabled")
    return value is None or value is UNKNOWN or truth(value)


def _region(resource: Resource) -> str | None:
    """The Region of a resource, if its own property or its provider's names it: the default is per Region."""
    return text(resource.at("region")) or text(resource.provider_properties.get("region"))


def _missing_root(stack: Stack, instance: Resource, findings: Findings) -> None:
    templates = list(launch_templates(stack, instance))
    elsewhere = instance.at("launchTemplate") is not None and not templates
    if instance.stated("rootBlockDevice") or elsewhere or any(each.at("blockDeviceMappings") for each in templates):
        return
    image = "imageId" if instance.type == "ec2/launchConfiguration" else "ami"
    if any(_encrypted(stack, each, 0) for each in (*_sources(stack, instance, image), *templates)):
        return
    what = "rootBlockDevice is not set, so the root volume isn't encrypted"
    remedy = "set rootBlockDevice.encrypted to true, or add an aws.ebs.EncryptionByDefault"
    findings.violation(instance, AT_REST, "rootBlockDevice", what, remedy, value=None)


def _disk(stack: Stack, resource: Resource, disk: _Disk, findings: Findings) -> None:
    prefix = f"{disk.path}." if disk.path else ""
    block = mapping(disk.block)
    encrypted = _stated(resource, disk.path, block.get("encrypted"))
    if truth(encrypted):
        return
    if disk.block is UNKNOWN or encrypted is UNKNOWN:
        findings.not_evaluated(resource, AT_REST, f"{prefix}encrypted" if block else disk.path)
        return
    sources = _sources_of(stack, resource, disk, block)
    if sources and all(_encrypted(stack, each, 0) or _evaluated(stack, each) for each in sources):
        return
    reported = encrypted is False and _computed(resource, disk.path) and not _authored(resource, disk.path)
    if encrypted is None and block.get("snapshotId") not in (None, "") and not sources:
        why = "names a snapshot, from which the volume inherits its encryption"
        findings.not_evaluated(resource, AT_REST, f"{prefix}snapshotId", why)
    elif reported and block.get("snapshotId") not in (None, ""):
        what = f"{prefix}encrypted, inherited from its source, is false, so data at rest isn't encrypted"
        remedy = "use an encrypted source, such as an encrypted copy of the snapshot"
        findings.violation(resource, AT_REST, f"{prefix}encrypted", what, remedy)
    else:
        what = f"{prefix}encrypted is {shown(encrypted)}, so the volume isn't encrypted"
        findings.violation(resource, AT_REST, f"{prefix}encrypted", what, f"set {prefix}encrypted to true")


def _stated(resource: Resource, path: str, value: Any) -> Any:
    """The property as the author set it: AWS computes ``encrypted`` too, so it is unknown in a preview that creates the disk."""
    if value is not UNKNOWN or not _computed(resource, path):
        return value
    return UNKNOWN if _authored(resource, path) else None


def _computed(resource: Resource, path: str) -> bool:
    return resource.type in _DEVICES or resource.type in _ROWS or not path


def _authored(resource: Resource, path: str) -> bool:
    """Whether the author set ``encrypted``; without a record of the inputs, a value counts as the author's."""
    top = path.partition("[")[0]
    return resource.authored(f"{top}.encrypted" if top else "encrypted") is not False


def _sources_of(stack: Stack, resource: Resource, disk: _Disk, block: dict[str, Any]) -> list[Resource]:
    """The snapshots and images of this stack that a disk is made from."""
    found: list[Resource] = []
    for name in ("snapshotId", "sourceSnapshotId", "sourceAmiId"):
        value = block.get(name)
        if value in (None, ""):
            continue
        top = disk.path.partition("[")[0].partition(".")[0] or name
        known = [each for canonical in _SOURCES[name] if (each := stack.by_identity(value, canonical)) is not None]
        found += known or [
            each for canonical in _SOURCES[name] for each in stack.dependencies(resource, top, canonical)
        ]
    return found


def _sources(stack: Stack, resource: Resource, path: str) -> list[Resource]:
    return [source for canonical in _SOURCES[path] for source in stack.linked(resource, path, canonical)]


def _evaluated(stack: Stack, source: Resource) -> bool:
    """Whether the source, or the volume of a snapshot, is a disk of this stack that gets a separate finding."""
    return source.type in _ROWS or bool(_sources(stack, source, "volumeId"))


def _encrypted(stack: Stack, resource: Resource, depth: int) -> bool:
    """Whether a volume, a snapshot, an image or an instance is encrypted, by itself or by its source."""
    if truth(resource.at("encrypted")) or truth(resource.at("rootBlockDevice.encrypted")):
        return True
    devices = [device for _, device in mappings(resource.at("ebsBlockDevices"))]
    if devices and all(truth(device.get("encrypted")) for device in devices):
        return True
    if depth >= _DEPTH:
        return False
    sources = [source for path in _SOURCES for source in _sources(stack, resource, path) if source.urn != resource.urn]
    return any(_encrypted(stack, source, depth + 1) for source in sources)


def _keys(resource: Resource, findings: Findings) -> None:
    if "ebs" not in findings.settings.strings("customerKeys"):
        return
    for disk in _disks(resource):
        key = mapping(disk.block).get("kmsKeyId")
        if disk.block is not UNKNOWN and key is not UNKNOWN and not is_customer_key(key):
            missing_key(resource, findings, f"{disk.path}.kmsKeyId")


DISK_KEY_CHECKS: Final[dict[str, tuple[ResourceCheck, ...]]] = dict.fromkeys(
    dict.fromkeys((*_INSTANCES, *(each for each, _, _ in _MAPPINGS), "ec2/spotFleetRequest")), (_keys,)
)
