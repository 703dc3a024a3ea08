"""What looks like a secret: by its name, or by the form of its value."""

import re
from typing import Any, Final

from rules.values import text

__all__ = ["holds_token", "looks_secret"]

# Endings of the words of a name that say: a secret. "token" is one, "tokenizer" is not.
_SECRET_WORD: Final = re.compile(
    r"(password|passwd|passphrase|credentials?|secrets?|tokens?|apikey|secretkey|privatekey|accesskey|connectionstring)$"
)
_SECRET_WORDS: Final = frozenset({"pass", "pwd", "pw", "creds", "cred"})
_KEYS: Final = frozenset(
    {
        "access",
        "account",
        "api",
        "app",
        "auth",
        "encryption",
        "jwt",
        "license",
        "master",
        "private",
        "secret",
        "service",
    }
    | {"session", "shared", "signing", "ssh", "storage", "webhook"}
)
# Such a name may end in a word that says: here stands something about the secret, not the secret.
_ABOUT: Final = frozenset(
    {
        "algorithm",
        "alias",
        "arn",
        "arns",
        "audience",
        "bucket",
        "class",
        "count",
        "days",
        "disabled",
        "enabled",
        "endpoint",
    }
    | {
        "expiration",
        "expires",
        "expiry",
        "field",
        "file",
        "files",
        "format",
        "generation",
        "header",
        "host",
        "hours",
        "id",
    }
    | {
        "ids",
        "issuer",
        "length",
        "limit",
        "manager",
        "max",
        "method",
        "min",
        "minutes",
        "mode",
        "name",
        "names",
        "path",
    }
    | {
        "paths",
        "policy",
        "port",
        "prefix",
        "provider",
        "ref",
        "region",
        "required",
        "retention",
        "rotation",
        "rule",
        "scope",
    }
    | {"scopes", "seconds", "size", "store", "table", "timeout", "ttl", "type", "uri", "uris", "url", "urls", "user"}
    | {"username", "validity", "version"}
)
_SECRET_VALUE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22,}|\bglpat-[A-Za-z0-9_-]{20}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bhooks\.slack\.com/services/T[A-Z0-9]+/"
    r"|\b[rs]k_live_[A-Za-z0-9]{20,}|\bAIza[A-Za-z0-9_-]{35}|\bnpm_[A-Za-z0-9]{36}|\bpul-[0-9a-f]{40}"
    r"|\bdckr_pat_[A-Za-z0-9_-]{20,}|\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"
)
# user:password@host in the URL of a database or registry; ${...} and {{...}} are filled in later.
_PASSWORD_IN_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@]*:(?![${<*]|%s)[^/\s@]+@", re.IGNORECASE)
# A value that says where the secret is: an ARN, a path of a parameter or file, a placeholder, a reference.
_POINTER: Final = re.compile(
    r"arn:aws|(/[\w.-]+){2,}/?$|\$\{|\{\{|<[^>]*>$|(ssm|vault|secretsmanager|op|file|projects|awssm)[:/]|\*+$|https?://",
    re.IGNORECASE,
)
_SHELL_DIRECTORIES: Final = ("PWD", "OLDPWD")
# A key or token stands near the start of a value; the rest of a long one is not searched.
_SEARCHED: Final = 20_000


def holds_token(value: Any) -> bool:
    """Whether a text contains a key, a token of a known form, or a URL with a password."""
    content = (text(value) or "")[:_SEARCHED]
    return bool(_SECRET_VALUE.search(content) or _PASSWORD_IN_URL.search(content))


def looks_secret(name: str, value: Any) -> bool:
    """Whether a variable, parameter or output of this name holds a secret in its value."""
    content = text(value)
    if content is None:
        return False
    if holds_token(content):
        return True
    if _POINTER.match(content) or content.lower() in ("true", "false", "none", "null") or content.isdigit():
        return False
    return name not in _SHELL_DIRECTORIES and _names_secret(name[:200])


def _names_secret(name: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+", name)]
    if not words or words[-1] in _ABOUT:
        return False
    for before, word in zip(["", *words], words, strict=False):
        if word in _SECRET_WORDS or _SECRET_WORD.search(word):
            return True
        if word in ("key", "keys") and before in _KEYS:
            return True
    return False
