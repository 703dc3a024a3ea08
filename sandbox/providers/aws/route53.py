"""DNS records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.listing import Listing, argument
from sandbox.providers.aws.session import error_code
from sandbox.providers.diff import domain_name
from sandbox.providers.resource import Created, Function
from sandbox.providers.values import Properties


def _record_id(zone: str | None, record: Sequence[str]) -> str:
    """A zone's record by name and type."""
    return f"{zone} {domain_name(record[0])} {record[1]}"


class Record(AwsResource):
    """A record set: a name and a type in a hosted zone."""

    sdk_name = "aws:route53/record:Record"
    service = "route53"
    operation = "ChangeResourceRecordSets"
    listing: ClassVar = Listing(
        "list_resource_record_sets",
        "ResourceRecordSets[?Type!='NS' && Type!='SOA'].[Name, Type]",
        "aws:route53/zone:Zone",
        argument("HostedZoneId"),
        name=_record_id,
        known=lambda resource: _record_id(
            resource["outputs"]["zoneId"], [resource["outputs"][name] for name in ("fqdn", "type")]
        ),
    )
    renamed: ClassVar = {"zoneId": "HostedZoneId"}
    handled: ClassVar = frozenset({"name", "type", "ttl", "records", "aliases"})
    limits: ClassVar = {
        "type": "ChangeResourceRecordSets.ChangeBatch.Changes.*.ResourceRecordSet.Type",
        "ttl": "ChangeResourceRecordSets.ChangeBatch.Changes.*.ResourceRecordSet.TTL",
    }
    write_only: ClassVar = frozenset({"allowOverwrite"})
    in_place: ClassVar = frozenset({"ttl", "records", "aliases", "allowOverwrite"})
    computed: ClassVar = frozenset({"allowOverwrite"})
    unordered: ClassVar = frozenset({"records"})
    domain_names: ClassVar = frozenset({"name"})
    reported: ClassVar = frozenset({"aliases", "name"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        if inputs.get("aliases") and inputs.keys() & {"records", "ttl"}:
            yield "aliases", "excludes records and ttl"
        if "records" in inputs and "ttl" not in inputs:
            yield "ttl", "missing: records need one"
        if len(inputs.get("aliases") or []) > 1:
            yield "aliases", "at most one may be given"

    def _set(self, state: Properties) -> dict[str, Any]:
        record: dict[str, Any] = {"Name": self._fqdn(state), "Type": state["type"]}
        if state.get("aliases"):
            alias = state["aliases"][0]
            record["AliasTarget"] = {
                "DNSName": alias["name"],
                "HostedZoneId": alias["zoneId"],
                "EvaluateTargetHealth": alias.get("evaluateTargetHealth", False),
            }
        else:
            record["TTL"] = state["ttl"]
            record["ResourceRecords"] = [{"Value": _quoted(state["type"], v)} for v in state["records"]]
        return record

    def _fqdn(self, state: Properties) -> str:
        name = domain_name(state["name"])
        zone = self.client.get_hosted_zone(Id=state["zoneId"])["HostedZone"]["Name"].rstrip(".").lower()
        return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}".lstrip(".")

    def _change(self, action: str, state: Properties) -> None:
        changes = [{"Action": action, "ResourceRecordSet": self._set(state)}]
        self.client.change_resource_record_sets(HostedZoneId=state["zoneId"], ChangeBatch={"Changes": changes})

    def create(self, inputs: Properties) -> Created:
        """A record that exists already is someone else's unless the program says that it may be overwritten."""
        self._change("UPSERT" if inputs.get("allowOverwrite") else "CREATE", inputs)
        return Created(f"{inputs['zoneId']}_{domain_name(inputs['name'])}_{inputs['type']}")

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if changed & {"ttl", "records", "aliases"}:
            self._change("UPSERT", inputs)

    def _find(self, state: Properties) -> Mapping[str, Any] | None:
        name = self._fqdn(state)
        answer = self.client.list_resource_record_sets(
            HostedZoneId=state["zoneId"], StartRecordName=name, StartRecordType=state["type"], MaxItems="1"
        )
        for record in answer["ResourceRecordSets"]:
            if record["Name"].rstrip(".").lower() == name and record["Type"] == state["type"]:
                return record
        return None

    def describe(self, identity: str, state: Properties) -> Properties | None:
        if "zoneId" not in state:
            zone, name, kind = identity.split("_", 2)[0], *identity.split("_", 1)[1].rsplit("_", 1)
            state = {"zoneId": zone, "name": name, "type": kind}
        record = self._find(state)
        if record is None:
            return None
        found: Properties = {"zoneId": state["zoneId"], "name": domain_name(state["name"]), "type": state["type"]}
        found["fqdn"] = record["Name"].rstrip(".")
        if "AliasTarget" in record:
            target = record["AliasTarget"]
            found["aliases"] = [
                {
                    "name": domain_name(target["DNSName"]),
                    "zoneId": target["HostedZoneId"],
                    "evaluateTargetHealth": target["EvaluateTargetHealth"],
                }
            ]
        else:
            found["ttl"] = record["TTL"]
            found["records"] = [
                item["Value"].strip('"') if state["type"] == "TXT" else item["Value"]
                for item in record["ResourceRecords"]
            ]
        return found

    def remove(self, identity: str, state: Properties) -> None:
        """Route 53 wants the whole record named, and calls one that is gone an invalid change."""
        record = self._find(state)
        if record is None:
            return
        changes = [{"Action": "DELETE", "ResourceRecordSet": record}]
        try:
            self.client.change_resource_record_sets(HostedZoneId=state["zoneId"], ChangeBatch={"Changes": changes})
        except Exception as error:
            if error_code(error) != "InvalidChangeBatch" or self._find(state) is not None:
                raise


def _quoted(kind: str, value: str) -> str:
    return f'"{value}"' if kind == "TXT" and not value.startswith('"') else value


class GetZone(Function[Any]):
    """A hosted zone by id or name."""

    sdk_name = "aws:route53/getZone:getZone"

    def call(self, arguments: Properties) -> Properties:
        client = self.backend.client("route53")
        unsupported = arguments.keys() - {"zoneId", "name", "privateZone"}
        if unsupported:
            raise ValueError(f"the stand-in looks a zone up by zoneId or name, not by {', '.join(sorted(unsupported))}")
        identity = arguments.get("zoneId") or self._by_name(client, arguments)
        answer: Mapping[str, Any] = client.get_hosted_zone(Id=identity)
        zone = answer["HostedZone"]
        short = zone["Id"].rpartition("/")[2]
        servers = answer.get("DelegationSet", {}).get("NameServers", [])
        return {
            "id": short,
            "zoneId": short,
            "arn": f"arn:{self.backend.partition}:route53:::hostedzone/{short}",
            "name": zone["Name"].rstrip("."),
            "callerReference": zone.get("CallerReference", ""),
            "comment": zone.get("Config", {}).get("Comment", ""),
            "privateZone": zone.get("Config", {}).get("PrivateZone", False),
            "nameServers": servers,
            "primaryNameServer": servers[0] if servers else "",
            "resourceRecordSetCount": zone.get("ResourceRecordSetCount", 0),
            "enableAcceleratedRecovery": False,
            "linkedServiceDescription": "",
            "linkedServicePrincipal": "",
            "tags": {},
            "vpcId": "",
        }

    def _by_name(self, client: Any, arguments: Properties) -> str:
        name = f"{arguments.get('name', '').rstrip('.')}."
        zones = client.list_hosted_zones_by_name(DNSName=name)["HostedZones"]
        private = arguments.get("privateZone", False)
        for zone in zones:
            if zone["Name"] == name and zone.get("Config", {}).get("PrivateZone", False) == private:
                return zone["Id"]
        raise LookupError(f"no hosted zone {name!r}")
