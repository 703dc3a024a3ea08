"""Settings that must be refused: what is changed, and the parts that the message has to have (key, value, what is accepted)."""

from tests.unit.bad_settings.environment import ENVIRONMENT
from tests.unit.bad_settings.existing import EXISTING
from tests.unit.bad_settings.messages import Case
from tests.unit.bad_settings.network import INGRESS, NETWORK
from tests.unit.bad_settings.server import SERVER, SIGN_IN, UNKNOWN
from tests.unit.bad_settings.task import LOCKING, PERMISSIONS, TASK

__all__ = ["CASES", "Case"]

CASES: list[Case] = (
    NETWORK + INGRESS + EXISTING + ENVIRONMENT + SERVER + TASK + PERMISSIONS + LOCKING + SIGN_IN + UNKNOWN
)
