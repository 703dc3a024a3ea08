"""The aws stand-in: its table, configuration and schemas."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.testbed.providers import schema, validation
from sandbox.testbed.providers.aws import base, table
from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.mapping import bound, member
from sandbox.testbed.providers.aws.session import EVERY_SERVICE, ProviderSettings, Session
from sandbox.testbed.providers.package import Package
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.schema import ResourceSchema, Shape
from sandbox.testbed.providers.values import Properties

_KNOWN = names(
    "region accessKey secretKey token assumeRoles endpoints defaultTags maxRetries version pluginDownloadURL insecure s3UsePathStyle "
    "skipCredentialsValidation skipMetadataApiCheck skipRegionValidation skipRequestingAccountId"
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class AwsPackage(Package):
    """The stand-in for pulumi-aws."""

    name = "aws"
    version = importlib.metadata.version("pulumi-aws")
    resources = table.RESOURCES
    functions = table.FUNCTIONS

    def __init__(self) -> None:
        self._settings: ProviderSettings | None = None
        self._sessions: dict[str, Session] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def schemas(self) -> Mapping[str, ResourceSchema]:
        """The schemas, loaded on first use."""
        with schema.LOADING:
            if not base.SCHEMAS:
                tokens = sorted([*self.resources, *self.functions])
                sources = sorted([*Path(__file__).parent.glob("*.py"), *Path(__file__).parent.glob("*.yaml")])
                base.SCHEMAS.update(schema.load("pulumi-aws", tokens, _refiner(), sources))
        return base.SCHEMAS

    def check_configuration(self, values: Properties) -> list[validation.Failure]:
        """A setting that isn't supported is an error."""
        found: list[validation.Failure] = []
        for name in values.keys() - _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it knows {', '.join(sorted(_KNOWN))}"
            found.append((name, f"the stand-in does not know the setting aws:{name}; {hint}"))
        if not values.get("region"):
            found.append(("region", "missing required setting aws:region"))
        try:
            endpoints = _endpoints(values)
        except ValueError as error:
            return [*found, ("endpoints", str(error))]
        for service, url in endpoints.items():
            if urlsplit(url).hostname not in _LOOPBACK:
                found.append(
                    ("endpoints", f"{service}: {url!r} is not on loopback; the stand-in serves the sandbox only")
                )
        return found

    def configure(self, values: Properties) -> None:
        """Set the configuration, and create in advance the client that every program uses first."""
        tags = _parsed(values.get("defaultTags")) or {}
        self._settings = ProviderSettings(
            region=values["region"],
            endpoints=_endpoints(values),
            roles=[role["roleArn"] for role in _parsed(values.get("assumeRoles")) or []],
            # As the official provider, it reads what isn't set from the environment.
            access_key=values.get("accessKey") or os.environ.get("AWS_ACCESS_KEY_ID", "test"),
            secret_key=values.get("secretKey") or os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
            token=values.get("token"),
            default_tags=tags.get("tags", {}),
            path_style=_parsed(values.get("s3UsePathStyle")) is not False,
            attempts=int(values.get("maxRetries", 12)),
        )
        threading.Thread(target=self._warm_up, daemon=True).start()

    def load(self) -> None:
        """Load the schemas and boto3."""
        super().load()
        importlib.import_module("boto3.session")

    def _warm_up(self) -> None:
        session: Session = self.backend(None)
        if {"sts", EVERY_SERVICE} & session.settings.endpoints.keys():
            session.client("sts")

    def backend(self, region: str | None) -> Any:
        """The session for a region."""
        if self._settings is None:
            raise RuntimeError("the engine called before it configured the provider")
        settings = self._settings
        name = region or settings.region
        with self._lock:
            if name not in self._sessions:
                self._sessions[name] = Session(replace(settings, region=name), self._stopping)
            return self._sessions[name]

    @property
    def default_tags(self) -> Mapping[str, str]:
        """The setting `aws:defaultTags`."""
        return self._settings.default_tags if self._settings else {}

    def cancel(self) -> None:
        """Cancel all waits."""
        self._stopping.set()


def _parsed(value: Any) -> Any:
    """A setting's decoded value: the engine passes all values except strings as JSON."""
    return json.loads(value) if isinstance(value, str) else value


def _endpoints(values: Properties) -> Mapping[str, str]:
    listed = _parsed(values.get("endpoints")) or []
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ValueError(
            "aws:endpoints must be a list of objects from service to URL, such as [{'ecs': 'http://127.0.0.1:4566'}]"
        )
    named = {service: url for item in listed for service, url in item.items() if url}
    # An explicit provider of a program for AWS names none, and the sandbox sets this variable, which the official provider reads too.
    default = os.environ.get("AWS_ENDPOINT_URL")
    return {**({EVERY_SERVICE: default} if default else {}), **named}


def _refiner() -> schema.Refine:
    """Adds limits from the service models, and marks properties that an entry doesn't support."""
    import botocore.session  # noqa: PLC0415  (only on a cache miss)

    session = botocore.session.get_session()

    def refine(token: str, inputs: Shape) -> None:
        entry = table.RESOURCES.get(token)
        if entry is None or not issubclass(entry, AwsResource):
            return
        model: Any = session.get_service_model(entry.service)
        api = model.operation_model(entry.operation).input_shape
        for name, shape in inputs.properties.items():
            key = member(api, name, entry.renamed)
            if name in entry.refused:
                inputs.properties[name] = Shape("unsupported")
            elif name in entry.limits:
                bound(shape, _parameter(model, entry.limits[name]), entry.renamed, "*.")
            elif key and name not in entry.handled:
                bound(shape, api.members[key], entry.renamed, "*.")
            elif name not in entry.handled | entry.write_only | {"tags"}:
                inputs.properties[name] = Shape("unsupported")

    return refine


def _parameter(model: Any, path: str) -> Any:
    operation, *names = path.split(".")
    api = model.operation_model(operation).input_shape
    for name in names:
        api = api.member if name == "*" else api.members[name]
    return api
