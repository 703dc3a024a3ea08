"""The accepted values of a single setting: one parser for each type of value.

A parser receives the value from the configuration (a string from the engine, or a YAML value) and returns it typed. It
raises `UnacceptableError` with "must be ..."; the caller adds the key and the value.
"""

import dataclasses
import ipaddress
import json
import re
from collections.abc import Callable, Collection
from typing import Any, TypeAlias, TypeVar

import pulumi

T = TypeVar("T")
Parser: TypeAlias = Callable[[object], T]

HOST_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}$){HOST_LABEL}(?:\.{HOST_LABEL})+", re.IGNORECASE | re.ASCII)
ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}|aws):(.+)")


class UnacceptableError(ValueError):
    """The setting doesn't accept the value; the message says what it accepts."""


class HiddenValueError(UnacceptableError):
    """The value isn't shown, because it may contain a secret."""


class NotAListError(HiddenValueError):
    """The value isn't a list; the caller, which has the key, adds the command to set one."""

    def __init__(self) -> None:
        super().__init__("must be a list")


def contains_output(value: object) -> bool:
    """Whether `value` is an output, or a list, mapping or dataclass with an output in it."""
    if isinstance(value, list | tuple):
        return any(contains_output(item) for item in value)
    if isinstance(value, dict):
        return any(contains_output(item) for item in value.values())
    if dataclasses.is_dataclass(value):
        return any(contains_output(getattr(value, field.name)) for field in dataclasses.fields(value))
    return isinstance(value, pulumi.Output)


def shown(value: object) -> str:
    """`value` for a message: its representation, in which an output is `<output>`, because it has no value yet."""
    return repr(_without_outputs(value))


class _Shown:
    def __repr__(self) -> str:
        return "<output>"


def _without_outputs(value: object) -> Any:
    if isinstance(value, list | tuple):
        return [_without_outputs(item) for item in value] if contains_output(value) else value
    if isinstance(value, dict):
        return {key: _without_outputs(item) for key, item in value.items()}
    return _Shown() if isinstance(value, pulumi.Output) else value


def text(value: object) -> str:
    """A string that isn't blank."""
    if not isinstance(value, str) or not value.strip():
        raise UnacceptableError("must be a non-empty string")
    return value


def matching(pattern: str, accepted: str, refusal: type[UnacceptableError] = UnacceptableError) -> Parser[str]:
    """A string that matches `pattern` completely; character classes are ASCII, as in AWS' names.

    `refusal` is `HiddenValueError` where a secret is often set instead of its name.
    """

    def parse(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise refusal(f"must be {accepted}")
        return value

    return parse


def one_of(choices: Collection[str]) -> Parser[str]:
    """One of several strings."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise UnacceptableError(f"must be one of {', '.join(choices)}")
        return value

    return parse


def boolean(value: object) -> bool:
    """A boolean, as a YAML value or as the engine's string."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise UnacceptableError("must be true or false")


def integer(accepted: Collection[int]) -> Parser[int]:
    """An integer in `accepted`, as a YAML value or as the engine's string."""
    words = (
        f"an integer from {accepted.start} to {accepted.stop - 1}"
        if isinstance(accepted, range)
        else f"one of {', '.join(map(str, accepted))}"
    )

    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
            value = int(value)
        elif isinstance(value, float) and value.is_integer():
            value = int(value)  # Pulumi's wire format has no integers
        if not isinstance(value, int) or isinstance(value, bool) or value not in accepted:
            raise UnacceptableError(f"must be {words}")
        return value

    return parse


def as_list(value: object) -> list[Any]:
    """The items of a YAML list or of the engine's JSON.

    Raises:
        NotAListError: it is neither.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise NotAListError from None
    if not isinstance(value, list | tuple):
        raise NotAListError
    return list(value)


def list_of(item: Parser[T], *, at_least: int = 0, at_most: int = 60, unique: bool = True) -> Parser[tuple[T, ...]]:
    """A list, without duplicates if `unique`, as a YAML list or as the engine's JSON. Items that are outputs stay as they are."""

    def parse(value: object) -> tuple[T, ...]:
        items = []
        for position, raw in enumerate(as_list(value), start=1):
            try:
                items.append(raw if isinstance(raw, pulumi.Output) else item(raw))
            except HiddenValueError as refused:
                raise HiddenValueError(f"item {position} {refused}") from None
            except UnacceptableError as refused:
                raise UnacceptableError(f"item {position} ({shown(raw)}) {refused}") from None
        if len(items) < at_least:
            raise UnacceptableError(f"must have at least {at_least} item{'s' if at_least > 1 else ''}")
        if len(items) > at_most:
            raise UnacceptableError(f"must have at most {at_most} items, not {len(items)}")
        if unique and len(set(items)) < len(items):
            raise UnacceptableError("must not contain duplicates")
        return tuple(items)

    return parse


def mapping_of(key: Parser[str], item: Parser[T], *, at_most: int = 50) -> Parser[dict[str, T]]:
    """A mapping, as a YAML mapping or as the engine's JSON. Values that are outputs stay as they are."""

    def parse(value: object) -> dict[str, T]:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                value = None
        if not isinstance(value, dict):
            raise HiddenValueError("must be a mapping of names to values")
        items: dict[str, Any] = {}
        for position, (name, raw) in enumerate(value.items(), start=1):
            try:
                items[key(name)] = raw if isinstance(raw, pulumi.Output) else item(raw)
            except UnacceptableError as refused:
                # A secret as the name, with the variable as the value, isn't shown either.
                is_name = not isinstance(refused, HiddenValueError) or re.fullmatch(
                    r"[A-Z_][A-Z0-9_-]{0,60}", str(name)
                )
                raise type(refused)(f"item {repr(name) if is_name else position} {refused}") from None
        if len(items) > at_most:
            raise UnacceptableError(f"must have at most {at_most} items, not {len(items)}")
        return items

    return parse


def cidr_block(value: object) -> str:
    """An IPv4 or IPv6 range in CIDR notation whose host bits are clear, in its canonical form."""
    if not isinstance(value, str) or "/" not in value:
        raise UnacceptableError("must be a range in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32")
    try:
        interface = ipaddress.ip_interface(value)
    except ValueError:
        raise UnacceptableError("must be a range in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32") from None
    if interface.ip != interface.network.network_address:
        raise UnacceptableError(
            f"must not have host bits set: use {interface.network}, the range that contains {interface.ip}"
        )
    return str(interface.network)


def arn(service: str, resource: str, example: str, *, regional: bool) -> Parser[str]:
    """An ARN of `service` whose last part matches the pattern `resource`.

    For regional ARNs, the caller compares the region.
    """

    def parse(value: object) -> str:
        match = ARN.fullmatch(value) if isinstance(value, str) else None
        if (
            not match
            or match[2] != service
            or bool(match[3]) != regional
            or not re.fullmatch(resource, match[5], re.ASCII)
        ):
            raise UnacceptableError(f"must be an ARN such as {example}")
        return match[0]

    return parse


def host(value: object) -> str:
    """A host name with at least one dot, without scheme, port or path."""
    if not isinstance(value, str) or not HOST.fullmatch(value):
        raise UnacceptableError("must be a host name such as github.com, without scheme, port or path")
    return value.lower()


def https_url(value: object) -> str:
    """`https://host`, under which people and GitHub reach the server."""
    scheme, _, rest = value.partition("://") if isinstance(value, str) else ("", "", "")
    if scheme.lower() != "https" or not HOST.fullmatch(rest.removesuffix("/")):
        raise UnacceptableError(
            "must be https:// and a host name, such as https://atlantis.example.com, without port or path"
        )
    host = rest.removesuffix("/").lower()
    if re.fullmatch(r"[\d.]+", host):
        raise UnacceptableError(
            "must have a host name, not an IP address, because ACM issues no certificates for IP addresses"
        )
    return f"https://{host}"


def https_endpoint(value: object) -> str:
    """`https://host/path`, with an optional port and path, without a query."""
    scheme, _, rest = value.partition("://") if isinstance(value, str) else ("", "", "")
    authority, slash, path = rest.partition("/")
    name, colon, port = authority.partition(":")
    valid_port = not colon or (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535)
    if (
        scheme.lower() != "https"
        or not HOST.fullmatch(name)
        or not valid_port
        or not re.fullmatch(r"[\w.~%/+@:-]*", path, re.ASCII)
    ):
        raise UnacceptableError(
            "must be an https:// URL without a query, such as https://login.example.com/oauth2/token"
        )
    return f"https://{authority.lower()}{slash}{path}"
