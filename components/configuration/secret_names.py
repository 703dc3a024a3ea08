"""Recognizes a secret by its name or by the format of its value, and removes values from messages.

`components/configuration/secret_names.py` and `policy/evaluation/secret_names.py` are the same file: each package is installed
without the other, and the stack must accept only variables that its own policy pack accepts.
"""

import re
from typing import Any, Final

HIDDEN: Final = "[hidden]"
# Endings of words that indicate a secret: "token" does, "tokenizer" doesn't.
_SECRET_WORD: Final = re.compile(
    r"(password|passwd|passphrase|credentials?|secrets?|tokens?|apikey|secretkey|privatekey|accesskey|connectionstring)$"
)
_SECRET_WORDS: Final = frozenset({"pass", "pwd", "pw", "creds", "cred"})
_KEYS: Final = re.compile(
    "access|account|api|app|auth|encryption|jwt|license|master|private|secret|service|session|shared|signing|ssh|storage|webhook"
)
# Last words of a name whose value describes a secret but isn't the secret itself.
_ABOUT: Final = re.compile(
    "algorithm|alias|arns?|audience|bucket|class|count|days|disabled|enabled|endpoint|expiration|expires|expiry|field|files?|format|"
    "generation|header|host|hours|ids?|issuer|length|limit|manager|max|method|min|minutes|mode|names?|paths?|policy|port|prefix|"
    "provider|ref|region|required|retention|rotation|rule|scopes?|seconds|size|store|table|timeout|ttl|type|uris?|urls?|user|"
    "username|validity|version"
)
# Each format of a credential after the parts without one of which a text has none: the search for these takes a fiftieth of the time.
_FORMATS: Final = (
    # A key without its end, and with line breaks as a message shows them.
    (
        "-----BEGIN",
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{16,})*(?:\s*\n|\\n)?[A-Za-z0-9+/=]{0,16})",
    ),
    ("AKIA ASIA", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    ("github_pat_", r"\bgithub_pat_\w{20,}"),
    ("glpat- glptt- gldt- glrt- glft- glsoat- glcbt-", r"\bgl(?:pat|ptt|dt|rt|ft|soat|cbt)-[\w.-]{20,}"),
    ("xox", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("xapp-", r"\bxapp-\d-[A-Z0-9-]{10,}[0-9a-f]{10,}"),
    ("hooks.slack", r"\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/\w+/\S*[\w/]"),
    ("discord", r"\bdiscord(?:app)?\.com/api/webhooks/\d+/[\w-]+"),
    (".webhook.office.com", r"\b[\w-]+\.webhook\.office\.com/webhookb2/\S*[\w/]"),
    ("eyJ", r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"),
    ("k_live_", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    ("AIza", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    ("pul-", r"\bpul-[0-9a-f]{40}"),
    ("dckr_pat_", r"\bdckr_pat_[A-Za-z0-9_-]{20,}"),
    ("SG.", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    ("ATATT3", r"\bATATT3[\w=-]{30,}"),
    ("ATBB", r"\bATBB\w{28,}"),
    ("hvs. hvb. hvr.", r"\bhv[sbr]\.[\w-]{20,}"),
    (".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}"),
)
_SECRET_VALUE: Final = re.compile("|".join(form for _, form in _FORMATS))
_IN_SECRET_VALUES: Final = tuple(part for parts, _ in _FORMATS for part in parts.split())
# user:password@host in the URL of a database or registry, as a path with one slash too; ${...} and {{...}} are placeholders.
_PASSWORD_IN_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}:/{1,2}[^/\s:@]*:(?![${<*]|%s)[^/\s@]+@", re.IGNORECASE)
# The value of a key such as "password" in JSON, or in Python's form of it, also within another string; not a placeholder or an ARN.
_NAMED: Final = re.compile(
    r"((?:passw(?:or)?d|passphrase|secret|token|(?:api|private|access|secret)[_-]?key)\\*[\"']\s*:\s*)"
    r"(?!\\*[\"'](?:\\*[\"']|[${<*\[%]|arn:))"
    r"(?:\\+\"(?:(?!\\+\").)*\\*\"?|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?)",
    re.IGNORECASE | re.DOTALL,
)
_PAIR: Final = re.compile(r"[\"']\s*:\s*\\*[\"']")
# Random text: a line of a key, or the secret of an AWS access key. A message omits it; a setting may have such a value.
_RANDOM: Final = re.compile(
    r"(?<![\w+/.-])(?=[A-Z0-9+/]*[a-z])(?=[a-z0-9+/]*[A-Z])(?=[A-Za-z+/]*[0-9])"
    r"(?:(?=(?:[A-Za-z+/]*[0-9]){3})[A-Za-z0-9+/]{32,}={0,2}|[A-Za-z0-9+/]{40}(?![\w+/=]))"
)
_LONG: Final = re.compile(r"[A-Za-z0-9+/]{32}")
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
    content = value[:_SEARCHED] if isinstance(value, str) else ""
    return bool(
        (_may_hold_token(content) and _SECRET_VALUE.search(content))
        or (":/" in content and _PASSWORD_IN_URL.search(content))
    )


def redacted(message: str) -> str:
    """A message without the values in it that have the format of a credential."""
    if _may_hold_token(message):
        message = _SECRET_VALUE.sub(HIDDEN, message)
    if ":/" in message:
        message = _PASSWORD_IN_URL.sub(HIDDEN, message)
    if _PAIR.search(message):
        message = _NAMED.sub(rf"\1{HIDDEN}", message)
    return _RANDOM.sub(HIDDEN, message) if _LONG.search(message) else message


def _may_hold_token(content: str) -> bool:
    return any(part in content for part in _IN_SECRET_VALUES)


def looks_secret(name: str, value: Any) -> bool:
    """Whether the value of a variable, parameter or output with this name is a secret."""
    if not isinstance(value, str) or not value:
        return False
    if holds_token(value) or _NAMED.search(value[:_SEARCHED]):
        return True
    if _POINTER.match(value) or value.lower() in ("true", "false", "none", "null") or value.isdigit():
        return False
    return name not in _SHELL_DIRECTORIES and _names_secret(name[:200])


def _names_secret(name: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+", name)]
    if not words or _ABOUT.fullmatch(words[-1]):
        return False
    for before, word in zip(["", *words], words, strict=False):
        if word in _SECRET_WORDS or _SECRET_WORD.search(word):
            return True
        if word in ("key", "keys") and _KEYS.fullmatch(before):
            return True
    return False
