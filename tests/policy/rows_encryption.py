"""Verdicts on every line of the tables of stores and links."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from tables.links import LINKS, Link
from tables.stores import STORES, Store
from tests.policy.rows import Row, both, found, one, passes, with_value
from tests.policy.servicer import Planned

_KEY: Final = "arn:aws:kms:eu-west-1:123456789012:key/1"


def _good(store: Store) -> Any:
    return True if isinstance(store.satisfied, str) else store.satisfied[0]


def _bad(store: Store) -> Any:
    return False if isinstance(store.satisfied, str) else "DISABLED"


def _with(canonical: str, path: str, value: Any, **properties: Any) -> Planned:
    return one(canonical, **with_value(properties, path, value))


def _stores() -> Iterator[Row]:
    for number, store in enumerate(STORES):
        label = f"{store.type} {number}"
        if store.switch:
            # Other lines of the same type are satisfied, so that only this one counts.
            others = [each for each in STORES if each.type == store.type and each.switch and each is not store]
            rest: dict[str, Any] = {}
            for other in others:
                rest = with_value(rest, other.switch, _good(other))
            yield from both(
                *("encryption-stack/at-rest" if store.name == "ebs" else "encryption/at-rest", label),
                _with(store.type, store.switch, _bad(store), **rest),
                _with(store.type, store.switch, _good(store), **rest),
            )
        if store.key and store.type != "ecr/repository":
            configuration = {"customerKeys": [store.name]}
            keys = [each.key for each in STORES if each.type == store.type and each.key and each is not store]
            rest = {}
            for key in keys:
                rest = with_value(rest, key, _KEY)
            yield from both(
                *("encryption/customer-key", label),
                _with(store.type, store.key, f"alias/aws/{store.name}", **rest),
                _with(store.type, store.key, _KEY, **rest),
                **configuration,
            )


def _links() -> Iterator[Row]:
    for number, link in enumerate(LINKS):
        rest: dict[str, Any] = (
            {"clusterConfig": {"instanceCount": 3}} if "/domain" in link.type else {"engine": "memcached"}
        )
        for other in LINKS:
            if other.type == link.type and other is not link:
                rest = with_value(rest, other.path, other.satisfied[0])
        off = "PLAINTEXT" if isinstance(link.satisfied[0], str) else False
        label = f"{link.type} {number}"
        yield from both(
            *(f"encryption/{link.check}", label),
            _with(link.type, link.path, off, **rest),
            _with(link.type, link.path, link.satisfied[0], **rest),
        )
        yield _absent(link, rest)


def _absent(link: Link, rest: dict[str, Any]) -> Row:
    row = passes if link.default else found
    block = link.path.partition(".")[0]
    rest = {name: value for name, value in rest.items() if not (link.block_default and name == block)}
    return row(f"encryption/{link.check}", f"{link.type} without {link.path}", one(link.type, **rest))


_VOLUME_COPY: Final = replace(
    passes(
        *("encryption-stack/at-rest", "copy of a volume that is reported itself"),
        one("ebs/volume", "source", id="vol-1"),
        one("ebs/snapshot", "snapshot", id="snap-1", volumeId="vol-1"),
        one("ebs/volume", "copy", snapshotId="snap-1"),
    ),
    on="copy",
)

ENCRYPTION_ROWS: Final[tuple[Row, ...]] = (*_stores(), *_links(), _VOLUME_COPY)
