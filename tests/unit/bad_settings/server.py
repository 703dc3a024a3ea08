"""Refused settings of the server and of how people sign in, and unknown ones."""

from tests.unit.bad_settings.messages import HOST, IMAGE, Case
from tests.unit.recording import ACCOUNT

SERVER: list[Case] = [
    ({"terraformStatePrefixes": ["platform/"]}, ("terraformStatePrefixes", "also requires terraformStateBuckets")),
    *(
        (
            {"terraformStateBuckets": ["one-state"], "terraformStatePrefixes": [prefix]},
            ("terraformStatePrefixes", "must be a prefix of keys that ends with /"),
        )
        for prefix in (
            *("platform", "/platform/", "*/", "a//b/", ""),
            *("{repository}", "{owner}/", "x{repository}/", "{repository}/{repository}/", "${aws:username}/"),
        )
    ),
    *(
        (
            {"secretEnvironment": [f"TOKEN={secret}"], **more},
            ("secretEnvironment", f"must not name {secret}, a secret of the server, because every plan can read it"),
        )
        for secret, more in (
            ("my/app:private_key", {"githubAppSecretName": "my/app"}),
            ("my/webhook:webhook_secret", {"webhookSecretName": "my/webhook"}),
            ("prod-atlantis-webhook-secret:webhook_secret", {}),
            ("prod-atlantis-web-password:web_password", {}),
            ("ci/atlantis:api_secret", {"serverSecrets": ["api-secret=ci/atlantis:api_secret"], "allowApi": True}),
        )
    ),
    ({"repoAllowlist": None}, ("repoAllowlist: missing", "must list repositories")),
    ({"repoAllowlist": "*"}, ("repoAllowlist = '*'", "must have entries in the format host/owner/repository")),
    ({"repoAllowlist": "github.com/*"}, ("repoAllowlist = 'github.com/*'", "must have an owner: it would serve")),
    ({"repoAllowlist": "github.com/*", "serveEveryOwner": True}, ("everyone who uses github.com",)),
    *(
        ({"repoAllowlist": f"github.com/acme/*,{entry}"}, (f"'{entry}'", reason))
        for entry, reason in (
            ("github.com/*/*", "serves anyone/x/ too"),
            ("github.com/acme/*-infra", "serves anyone/x-infra too; list the repositories"),
            ("github.com/*-acme/infra", "serves anyone/x-acme/infra too"),
            ("!github.com/acme/*-secret", "excludes anyone/x-secret too"),
            ("github.com/acme*", "serves every owner whose name begins with acme, and anyone can register one"),
        )
    ),
    ({"repoAllowlist": "github.com/acme/my infra"}, ("'github.com/acme/my infra'", "no name of GitHub has spaces")),
    (
        {
            "githubHostname": "ghe.acme.io",
            "githubWebhookCidrBlocks": ["198.51.100.0/24"],
            "repoAllowlist": "ghe.acme.io/*",
        },
        ("repoAllowlist = 'ghe.acme.io/*'", "serveEveryOwner = False", "every owner of ghe.acme.io; name the owners"),
    ),
    (
        {"repoAllowlist": "https://github.com/my-organization/*"},
        ("must not have a scheme", "use 'github.com/my-organization/*' instead of"),
    ),
    ({"repoAllowlist": "!github.com/my-organization/secret"}, ("must have at least one entry without !",)),
    ({"repoAllowlist": "github.com/my-organization/*,"}, ("repoAllowlist = 'github.com/my-organization/*,'", "not ''")),
    (
        {"repoAllowlist": "gitlab.com/my-organization/*"},
        (
            "repoAllowlist = 'gitlab.com/my-organization/*'",
            "githubHostname = 'github.com': the host of each entry must be githubHostname",
        ),
    ),
    ({"githubHostname": "https://github.com"}, ("githubHostname = 'https://github.com'", HOST)),
    ({"githubHostname": "localhost"}, ("githubHostname = 'localhost'", HOST)),
    (
        {"githubHostname": "github.example.org", "repoAllowlist": "github.example.org/a/*"},
        ("githubHostname = 'github.example.org'", "also requires githubWebhookCidrBlocks"),
    ),
    ({"githubAppSecretName": "a b"}, ("githubAppSecretName: ", "must be the name of a secret")),
    ({"githubAppSecretName": "비밀"}, ("githubAppSecretName: ", "must be the name of a secret")),
    ({"webhookSecretName": "s" * 513}, ("webhookSecretName: ", "must be the name of a secret")),
    (
        {"webhookSecretName": "mine", "webhookSecretGeneration": 2},
        ("webhookSecretName, webhookSecretGeneration", "remove one of the two"),
    ),
    ({"webhookSecretGeneration": 0}, ("webhookSecretGeneration = 0", "must be an integer from 1 to 10000")),
    (
        {"secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:policy/x"]},
        ("item 1", "must be an ARN such as arn:aws:iam::123456789012:role"),
    ),
    (
        {"secretReaderArns": None},
        (
            "secretReaderArns: missing; must list the roles or users that deploy the stack",
            "the GitHub App's secret (or set githubAppSecretName), the webhook secret (or set webhookSecretName), the web page's password.",
            "`aws sts get-caller-identity` prints your identity",
        ),
    ),
    (
        {"secretReaderArns": None, "githubAppSecretName": "mine", "webhookSecretName": "mine", "webBasicAuth": False}
        | {"lockingDatabase": "redis"},
        ("secretReaderArns: missing", "the secrets that it creates: the locking database's password."),
    ),
    ({"image": "atlantis"}, ("image = 'atlantis'", IMAGE)),
    ({"image": "ghcr.io/runatlantis/atlantis:latest"}, ("image = 'ghcr.io", "must not be `latest`")),
    (
        {"image": "ghcr.io/runatlantis/atlantis:v0.40.0"},
        ("v0.40.0'", "must be v0.47.1 or newer", "GHSA-rjh2-4xgw-p2hj"),
    ),
    (
        {"image": "registry.example.com/platform/atlantis:v0.47.0-2@sha256:" + 64 * "0"},
        ("image = 'registry", "must be v0.47.1 or newer"),
    ),
    ({"imageTag": "v0.40.0"}, ("imageTag = 'v0.40.0'", "must be v0.47.1 or newer", "such as v0.47.1-1")),
    ({"imageTag": "v0.47.0-1"}, ("imageTag = 'v0.47.0-1'", "must be v0.47.1 or newer")),
    ({"image": "a/b:v1", "imageTag": "v0.48.0"}, ("image = 'a/b:v1', imageTag = 'v0.48.0'", "remove imageTag")),
    ({"imageTag": "latest"}, ("imageTag = 'latest'", "must not be `latest`, because a push would change the image")),
    ({"imageTag": "v1 2"}, ("imageTag = 'v1 2'", "must be an image tag, such as v0.47.1")),
    ({"logLevel": "trace"}, ("logLevel = 'trace'", "must be one of debug, info, warn, error")),
]

SIGN_IN: list[Case] = [
    ({"planRequirements": ["reviewed"]}, ("planRequirements", "must be one of approved, mergeable, undiverged")),
    ({"webBasicAuth": "maybe"}, ("webBasicAuth = 'maybe'",)),
    (
        {"webBasicAuth": False, "webPasswordGeneration": 2},
        ("webPasswordGeneration = 2", "isn't used if webBasicAuth is false or oidcIssuer is set"),
    ),
    (
        {"oidcIssuer": "http://login.example.com"},
        ("oidcIssuer = 'http://login.example.com'", "must be an https:// URL"),
    ),
    (
        {"oidcIssuer": "https://login.example.com/tenant"},
        (
            "oidcIssuer = 'https://login.example.com/tenant'",
            "also requires oidcAuthorizationEndpoint, oidcTokenEndpoint, oidcUserInfoEndpoint, oidcClientId, oidcClientSecretName",
            "https://login.example.com/tenant/.well-known/openid-configuration",
        ),
    ),
    ({"oidcScope": "openid email"}, ("oidcScope = 'openid email'", "requires oidcIssuer")),
    ({"oidcScope": "email"}, ("oidcScope = 'email'", "that include openid")),
    ({"oidcSessionHours": 169}, ("oidcSessionHours = 169", "must be an integer from 1 to 168")),
]

UNKNOWN: list[Case] = [
    ({"vpcID": "vpc-0a1b2c3d4e5f60718"}, ("vpcID: unknown setting; did you mean vpcId?",)),
    ({"allowedCidrs": ["203.0.113.0/24"]}, ("allowedCidrs: unknown setting; did you mean allowedCidrBlocks?",)),
    ({"colour": "blue"}, ("colour: unknown setting; docs/settings.md lists all settings",)),
]
