"""The data stores that encryption evaluates: the property that encrypts each, and its key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tables import read


@dataclass(frozen=True)
class Store:
    """A data store, or one of several things that a type stores.

    type: the policies' name. name: its name in the key ``customerKeys``. switch: the property that encrypts it, which must be
    true (``on``), not false (``not-off``, if AWS encrypts by default), or one of the listed values; empty if AWS always
    encrypts the store.
    key: the property with its KMS key. inherits: if one of these properties is set, the encryption is inherited from
    another resource. decides: if one of these inputs is set, it decides alone, and AWS may report any value for the switch.
    control: the Security Hub control; empty if there is none. advice: what AWS does without a key, if ``encryption-advice``
    asks for one all the same.
    """

    type: str
    name: str
    switch: str = ""
    satisfied: Literal["on", "not-off"] | Sequence[str] = "on"
    key: str = ""
    inherits: Sequence[str] = ()
    decides: Sequence[str] = ()
    control: str = ""
    advice: str = ""


STORES: Final = tuple(
    Store(canonical, name, **row)
    for name, types in read("stores").items()
    for canonical, rows in types.items()
    for row in (rows if isinstance(rows, list) else [rows])
)
KEY_NAMES: Final = tuple(sorted({store.name for store in STORES if store.key}))
