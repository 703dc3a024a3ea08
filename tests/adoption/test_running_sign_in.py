"""The identity provider at which the users of the running server sign in."""

import pytest

from adoption import report
from tests.adoption.plans import plan, proposed
from tests.adoption.states import State, find, small_state

OIDC = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_id": "atlantis",
    "client_secret": "not-for-anybodys-eyes",
    "scope": "openid email",
    "session_timeout": 28800,
}


def _signs_in(kind: str) -> State:
    state = small_state()
    actions = find(state, "aws_lb_listener.https")["default_action"]
    actions.insert(0, {"type": kind.replace("_", "-"), kind: [OIDC]})
    return state


def test_the_provider_at_which_users_sign_in_is_proposed_if_its_secret_has_a_name() -> None:
    found = plan(_signs_in("authenticate_oidc"), oidcClientSecretName="sign-in")
    assert {key: value for key, value in proposed(found).items() if key.startswith("oidc")} == {
        "oidcIssuer": OIDC["issuer"],
        "oidcAuthorizationEndpoint": OIDC["authorization_endpoint"],
        "oidcTokenEndpoint": OIDC["token_endpoint"],
        "oidcUserInfoEndpoint": OIDC["user_info_endpoint"],
        "oidcClientId": "atlantis",
        "oidcScope": "openid email",
        "oidcSessionHours": 8,
    }
    assert not found.problems
    assert OIDC["client_secret"] not in report.describe(found)


@pytest.mark.parametrize("kind", ["authenticate_oidc", "authenticate_cognito"])
def test_a_sign_in_is_not_lost_without_a_word(kind: str) -> None:
    (problem,) = plan(_signs_in(kind)).problems
    assert "sign-in: users sign in at" in problem
    assert plan(_signs_in(kind), accepted=("sign-in",)).problems == []
