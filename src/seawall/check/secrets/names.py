"""Reads from a variable's name whether its value would be a secret, and whose."""

import re
from functools import lru_cache
from typing import Literal as OneOf

Category = OneOf["password", "key", "token", "secret", "auth", "other"]
"""What a name promises; `other` is a bare `key` or another word that is often harmless."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_QUALIFIERS_WORDS = """
prod production dev development stage staging test testing live sandbox local default defaults value val
str string text raw plain base b64 base64 hex bytes old new current backup primary secondary main prd
stg uat qa here tmp temp v once
"""
_QUALIFIERS = frozenset(_QUALIFIERS_WORDS.split())
_PASSWORD = re.compile(
    r"(?:password|passwd|passwort|passwrd|passphrase|passcode|pwd|contrasena|senha|userpass|dbpass|mysqlpass|rootpass"
    r"|adminpass|smtppass|mailpass|ftppass|emailpass|redispass|pgpass|authpass|sqlpass|loginpass|keypass|storepass)$"
)
_SECRET = re.compile(
    r"(?:secret|secretkey|secrets|secretaccesskey|signingkey|signaturekey|encryptionkey|encryptkey|decryptkey|jwtkey"
    r"|hmackey|cryptokey|cipherkey|aeskey|masterkey|privatekey|privkey|sessionkey|cookiekey|cookiesecret|appsecret"
    r"|clientsecret|sharedsecret|sharedkey|fernetkey|secretorkey|symmetrickey|signkey|djangokey|keysecret"
    r"|apisecret|consumersecret|tokensecret|webhooksecret|secretid|authkey|authsalt|securesalt|noncesalt|loggedinsalt"
    r"|loggedinkey|noncekey|secureauthkey|encryptionaeskey|encodingaeskey)$"
)
_TOKEN = re.compile(r"(?:token|tokens|authtoken|accesstoken|jwt|bearer|ticket|pat|sessionid)$")
_KEY = re.compile(
    r"(?:apikey|apikeys|accesskey|accesskeyid|keyapi|servicekey|servicerolekey|rolekey|accountkey|adminkey|clientkey|appkey"
    r"|applicationkey|licensekey|licencekey|deploykey|subscriptionkey|consumerkey|storagekey|writekey|readkey|serverkey"
    r"|userkey|teamkey|projectkey|integrationkey|ingestkey|webhookkey|xkey|hostkey|functionkey|functionskey|authorizationkey"
    r"|credential|credentials|creds|cred|apicredentials)$"
)
_AUTH = re.compile(r"(?:authorization|authorisation|xauth|auth|authentication|authstring|basicauth)$")
_HARMLESS = re.compile(
    r"(?:public|pub|publishable|publish|primary|foreign|sort|partition|cache|idempotency|site|anon|anonymous|row|hash|object"
    r"|range|composite|dict|map|storage|i18n|translation|sorting|group|unique|index|lookup|shortcut|hot|arrow|enter|esc"
    r"|escape|tab|space|any|press|down|up|query|param|state|ref|react|data|item|column|field|list|node|event|attr|attribute"
    r"|property|prop|routing|message|config|setting|settings|env|localstorage|session_storage|store|meta|csrf|xsrf|pagination"
    r"|next|continuation|page|cursor|sync|delta|resume|start|end|stop|max|min|num|total|special|pad|mask|sep|bos|eos|unk|cls"
    r"|first|last|new|input|output|prompt|completion|push|device|fcm|registration|cancel|cancellation|lexer|parser|syntax"
    r"|invite|reset|verify|design|color|theme|vapid_public|s3|bucket|file|image|redis|memcache|prefix|suffix|trie)$"
)
_COMPOUND = re.compile(
    r"(api|access|auth|secret|private|client|app|account|service|role|openai|session|token|key|db|user|admin|root)"
)


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: `OPENAI_apiKey2` is openai, api, key, 2."""
    return tuple(word.lower() for word in _WORD.findall(name[:160]))


@lru_cache(maxsize=8192)
def classify(name: str) -> Category | None:
    """Return what the value of a variable of this name would be, None where it would be no secret."""
    words = list(words_of(name.rstrip("._-$")))
    while len(words) > 1 and (words[-1] in _QUALIFIERS or words[-1].isdigit()):
        words.pop()
    if not words:
        return None
    joined = "".join(words)
    if _PASSWORD.search(joined) or words[-1] == "pass":
        return "password"
    if joined.endswith("publickeytoken"):  # Names an assembly of .NET.
        return None
    before = words[-2] if len(words) > 1 else ""
    if words[-1] in ("key", "keys", "token", "tokens") and _HARMLESS.search(before):
        return None
    if words[-1] in ("tokens", "keys", "secrets") and before in (
        "max",
        "min",
        "num",
        "total",
        "used",
        "count",
    ):
        return None
    if _SECRET.search(joined):
        return "secret"
    if _KEY.search(joined):
        return "key"
    if words[-1] == "pat":
        return (
            "token"
            if {"github", "gitlab", "clarifai", "airtable", "azure", "gh", "devops"} & set(words)
            else None
        )
    if _TOKEN.search(joined) and not joined.endswith("pat"):
        return "token"
    if _AUTH.search(joined):
        return "auth"
    if words[-1] in ("key", "keys", "salt", "sk", "ak", "uuid", "signature", "code", "dsn"):
        return "other" if words[-1] in ("key", "salt", "sk") else None
    if joined.endswith(("key", "appid")):
        return "other"
    return None


@lru_cache(maxsize=2048)
def spaced(name: str) -> str:
    """Return a name's words between underscores, so that a provider's word can be looked for as a whole."""
    return f"_{'_'.join(words_of(name))}_"
