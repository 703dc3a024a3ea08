"""What the tables of data stores have in each row."""

from dataclasses import dataclass
from typing import Final, Literal

Satisfied = Literal["on", "not-off"]

AWS: Final = "https://docs.aws.amazon.com/"
ALWAYS: Final = "Encrypted with a key that AWS owns or manages."


@dataclass(frozen=True)
class Store:
    """One type of data store.

    type: the policies' name. name: its name in the key ``customerKeys``. switch: the property that encrypts it, which must be
    true (``on``), not false (``not-off``, if AWS encrypts by default), or one of the listed values; empty if AWS always
    encrypts the store.
    key: the property with its KMS key. inherits: if one of these properties is set, the encryption is inherited from
    another resource. decides: if one of these inputs is set, it decides alone, and AWS may report any value for the switch.
    control: the Security Hub control; empty if there is none. advice: whether ``encryption-advice`` asks for a KMS key
    although AWS encrypts the store anyway. otherwise: what AWS does without the property, and since when.
    source: the page of AWS' documentation that says so.
    """

    type: str
    name: str
    otherwise: str
    source: str
    switch: str = ""
    satisfied: Satisfied | tuple[str, ...] = "on"
    key: str = ""
    inherits: tuple[str, ...] = ()
    decides: tuple[str, ...] = ()
    control: str = ""
    advice: bool = False
