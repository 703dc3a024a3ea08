"""Hosted zones and DNS records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from sandbox.testbed.providers.aws.base import AwsResource, GoneError
from sandbox.testbed.providers.aws.calls import pairs
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.aws.mapping import to_api
from sandbox.testbed.providers.aws.session import error_code
from sandbox.testbed.providers.diff import domain_name
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties

_ZONE: Final = {"ResourceType": "hostedzone"}


def _record_id(zone: str | None, record: Sequence[str]) -> str:
    """The id of a record: zone, name and type."""
    return f"{zone} {domain_name(record[0])} {record[1]}"


class Zone(AwsResource):
    """A public hosted zone."""

    sdk_name = "aws:route53/zone:Zone"
    listing: ClassVar = Listing("list_hosted_zones", "HostedZones[].Id", name=lambda _, item: item.rpartition("/")[2])

    def create(self, inputs: Properties) -> Created:
        """Route 53 returns the id with a prefix, which its other calls don't require."""
        return Created(super().create(inputs).id.rpartition("/")[2])

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.update_hosted_zone_comment(Id=identity, Comment=inputs["comment"])

    def retag(self, identity: str, inputs: Properties) -> None:
        """Route 53 changes tags with one call for all kinds of resources."""
        new, old = inputs.get("tags") or {}, self.tags_of(identity)
        added, removed = pairs(new), [key for key in old if key not in new]
        changes = {name: tags for name, tags in (("AddTags", added), ("RemoveTagKeys", removed)) if tags}
        if changes:
            self.client.change_tags_for_resource(ResourceId=identity, **_ZONE, **changes)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        found = super().describe(identity, state) or {}
        return {**found, "name": domain_name(found["name"])}


class Record(AwsResource):
    """A record set: a name and a type in a hosted zone."""

    sdk_name = "aws:route53/record:Record"
    listing: ClassVar = Listing(
        "list_resource_record_sets",
        "ResourceRecordSets[?Type!='NS' && Type!='SOA'].[Name, Type]",
        "aws:route53/zone:Zone",
        "HostedZoneId",
        name=_record_id,
        known=lambda resource: _record_id(
            resource["outputs"]["zoneId"], [resource["outputs"][name] for name in ("fqdn", "type")]
        ),
    )

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        if inputs.get("aliases") and inputs.keys() & {"records", "ttl"}:
            yield "aliases", "excludes records and ttl"
        if "records" in inputs and "ttl" not in inputs:
            yield "ttl", "missing: records need one"
        if len(inputs.get("aliases") or []) > 1:
            yield "aliases", "at most one may be given"

    def _change(self, action: str, zone: str, record: Mapping[str, Any]) -> None:
        changes = [{"Action": action, "ResourceRecordSet": record}]
        self.client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def _put(self, action: str, inputs: Properties) -> None:
        record: dict[str, Any] = {"Name": self._fqdn(inputs), "Type": inputs["type"]}
        if inputs.get("aliases"):
            alias = self.client.meta.service_model.shape_for("AliasTarget")
            record["AliasTarget"] = {"EvaluateTargetHealth": False} | to_api(
                inputs["aliases"], alias, self.renamed, "*."
            )
        else:
            record["TTL"] = inputs["ttl"]
            record["ResourceRecords"] = [{"Value": _quoted(inputs["type"], value)} for value in inputs["records"]]
        self._change(action, inputs["zoneId"], record)

    def _fqdn(self, state: Properties) -> str:
        name = domain_name(state["name"])
        zone = domain_name(self.client.get_hosted_zone(Id=state["zoneId"])["HostedZone"]["Name"])
        return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}".lstrip(".")

    def create(self, inputs: Properties) -> Created:
        """Without `allowOverwrite`, an existing record is an error."""
        self._put("UPSERT" if inputs.get("allowOverwrite") else "CREATE", inputs)
        return Created(self.named.format_map({**inputs, "name": domain_name(inputs["name"])}))

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self._put("UPSERT", inputs)

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        """The record set in Route 53."""
        wanted = {**self.parts(identity), **state}
        name = self._fqdn(wanted)
        answer = self.client.list_resource_record_sets(
            HostedZoneId=wanted["zoneId"], StartRecordName=name, StartRecordType=wanted["type"], MaxItems="1"
        )
        for record in answer["ResourceRecordSets"]:
            if (domain_name(record["Name"]), record["Type"]) == (name, wanted["type"]):
                return record
        raise GoneError(f"{wanted['zoneId']} has no {wanted['type']} {name}")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        record, wanted = self.found(identity, state), {**self.parts(identity), **state}
        name = {"name": domain_name(wanted["name"]), "fqdn": record["Name"].rstrip(".")}
        found: Properties = {"zoneId": wanted["zoneId"], "type": wanted["type"], **name}
        if "AliasTarget" in record:
            shown = self.properties({"Aliases": [record["AliasTarget"]]})["aliases"]
            return {**found, "aliases": [{**alias, "name": domain_name(alias["name"])} for alias in shown]}
        values = [item["Value"] for item in record["ResourceRecords"]]
        shown = [value.strip('"') for value in values] if wanted["type"] == "TXT" else values
        return {**found, "ttl": record["TTL"], "records": shown}

    def remove(self, identity: str, state: Properties) -> None:
        """Route 53 requires the complete record set for a deletion, and reports a missing one as InvalidChangeBatch."""
        try:
            self._change("DELETE", state["zoneId"], self.found(identity, state))
        except Exception as error:
            if error_code(error) != "InvalidChangeBatch" or self.read(identity, state) is not None:
                raise


def _quoted(kind: str, value: str) -> str:
    return f'"{value}"' if kind == "TXT" and not value.startswith('"') else value
