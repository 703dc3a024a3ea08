"""The properties that decide whether connections to a data store use TLS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tables import read


@dataclass(frozen=True)
class Link:
    """A property that decides whether connections to a data store use TLS.

    satisfied: the values that require TLS. default: whether AWS uses TLS if the property isn't set; block_default: whether it
    does if only the last step of the path isn't set. without: the property isn't evaluated if one of these is
    set. control: the Security Hub control.
    """

    type: str
    path: str
    satisfied: Sequence[Any] = (True, "true")
    default: bool = False
    block_default: bool = False
    check: str = "store-transit"
    without: Sequence[str] = ()
    control: str = ""


LINKS: Final = tuple(
    Link(canonical, path, **row) for canonical, paths in read("links").items() for path, row in paths.items()
)
