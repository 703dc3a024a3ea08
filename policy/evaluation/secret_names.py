"""Recognizes a secret by its name or by the format of its value."""

import re
from typing import Any, Final

from evaluation.values import text

__all__ = ["holds_token", "looks_secret"]

# Endings of words that indicate a secret: "token" does, "tokenizer" doesn't.
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
# Last words of a name whose value describes a secret but isn't the secret itself.
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
# user:password@host in the URL of a database or registry; ${...} and {{...}} are placeholders.
_PASSWORD_IN_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@]*:(?![${<*]|%s)[^/\s@]+@", re.IGNORECASE)
# A value that refers to a secret: an ARN, the path of a parameter or file, a placeholder, a reference.
_POINTER: Final = re.compile(
    r"arn:aws[a-z-]*:|(/[\w.-]+){2,}/?$|\$\{|\{\{|<[^>]*>$|(ssm|vault|secretsmanager|op|file|projects|awssm)[:/]|\*+$|https?://",
    re.IGNORECASE,
)
_SHELL_DIRECTORIES: Final = ("PWD", "OLDPWD")
# A key or token is near the start of a value; the rest of a long value isn't searched.
_SEARCHED: Final = 20_000


def holds_token(value: Any) -> bool:
    """Whether a text contains a private key, a token of a known format, or a URL with a password."""
    content = (text(value) or "")[:_SEARCHED]
    return bool(_SECRET_VALUE.search(content) or _PASSWORD_IN_URL.search(content))


def looks_secret(name: str, value: Any) -> bool:
    """Whether the value of a variable, parameter or output with this name is a secret."""
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
