"""Each fault of the tables is found, and its innocent twin is not."""

import pytest

from tests.policy.verdicts import Verdict
from tests.policy.verdicts_claims import CLAIMS
from tests.policy.verdicts_documents import DOCUMENT_VERDICTS
from tests.policy.verdicts_encryption import ENCRYPTION_VERDICTS
from tests.policy.verdicts_identity import IDENTITY_VERDICTS
from tests.policy.verdicts_network import NETWORK_VERDICTS
from tests.policy.verdicts_operations import OPERATIONS_VERDICTS
from tests.policy.verdicts_public import PUBLIC_VERDICTS
from tests.policy.verdicts_single_task import SINGLE_TASK_VERDICTS
from tests.policy.verdicts_supporting import SUPPORTING_VERDICTS

VERDICTS: tuple[Verdict, ...] = (
    *DOCUMENT_VERDICTS,
    *PUBLIC_VERDICTS,
    *ENCRYPTION_VERDICTS,
    *NETWORK_VERDICTS,
    *SUPPORTING_VERDICTS,
    *SINGLE_TASK_VERDICTS,
    *IDENTITY_VERDICTS,
    *OPERATIONS_VERDICTS,
    *CLAIMS,
)


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.name)
def test_check_reports_the_fault_and_spares_its_innocent_twin(verdict: Verdict) -> None:
    assert bool(verdict.reported()) is verdict.found, verdict.reported()
