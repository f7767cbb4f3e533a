"""Secrets that are made up at run time, so that no file of the repository holds something that looks live."""

import base64
import json
import random
import string

_LETTERS = string.ascii_letters + string.digits
_WORDY = _LETTERS + "-_"
_UPPER = string.ascii_uppercase + "234567"
_HEX = "0123456789abcdef"

_SHAPES: dict[str, tuple[str | tuple[str, int], ...]] = {
    "openai": ("sk-proj-", (_WORDY, 74), "T3Blbk" + "FJ", (_WORDY, 74)),
    "openai-old": ("sk-", (_LETTERS, 20), "T3Blbk" + "FJ", (_LETTERS, 20)),
    "anthropic": ("sk-ant-" + "api03-", (_WORDY, 93), "AA"),
    "google": ("AI" + "za", (_WORDY, 35)),
    "groq": ("gsk_", (_LETTERS, 52)),
    "xai": ("xai-", (_LETTERS, 80)),
    "openrouter": ("sk-or-" + "v1-", (_HEX, 64)),
    "deepseek": ("sk-", (_HEX, 32)),
    "mistral": ((_LETTERS, 32),),
    "cohere": ((_LETTERS, 40),),
    "together": ((_HEX, 64),),
    "huggingface": ("hf_", (string.ascii_letters, 34)),
    "replicate": ("r8_", (_LETTERS, 37)),
    "elevenlabs": ("sk_", (_HEX, 48)),
    "pinecone": ("pcsk_", (_LETTERS, 6), "_", (_LETTERS, 63)),
    "langsmith": ("lsv2_" + "pt_", (_HEX, 32), "_", (_HEX, 10)),
    "aws-id": ("AK" + "IA", (_UPPER, 16)),
    "aws-secret": ((_LETTERS + "/+", 40),),
    "stripe": ("sk_" + "live_", (_LETTERS, 24)),
    "sendgrid": ("SG.", (_WORDY, 22), ".", (_WORDY, 43)),
    "resend": ("re_", (_LETTERS, 8), "_", (_LETTERS, 24)),
    "github": ("gh" + "p_", (_LETTERS, 36)),
    "slack": ("xox" + "b-", (string.digits, 12), "-", (string.digits, 13), "-", (_LETTERS, 24)),
    "telegram": ((string.digits, 10), ":AA", (_WORDY, 33)),
    "discord": ("MT", (_LETTERS, 24), ".G", (_WORDY, 5), ".", (_WORDY, 38)),
    "twilio": ((_HEX, 32),),
}
_PEM_LINE = 64


def made_up(kind: str, seed: str) -> str:
    """Make a secret of a kind that is always the same for a seed.

    `key:openai` and its like, `key:openai:2` for a second one, `hex:32`, `text:24` (letters and digits), `password`,
    `jwt:service_role` (any role) and `pem`. Raise `KeyError` for a kind that is not known.
    """
    chance = random.Random(f"{seed} {kind}")
    name, _, rest = kind.partition(":")
    if name == "password":
        return (
            _any_of(chance, _LETTERS, int(rest or 14) - 2)
            + chance.choice("!$%+")
            + chance.choice(string.digits)
        )
    if name in ("hex", "text"):
        return _any_of(chance, _HEX if name == "hex" else _LETTERS, int(rest.split(":")[0]))
    if name == "jwt":
        return _jwt(chance, rest)
    if name == "pem":
        return _pem(chance)
    return "".join(
        part if isinstance(part, str) else _any_of(chance, *part) for part in _SHAPES[rest.split(":")[0]]
    )


def _any_of(chance: random.Random, letters: str, count: int) -> str:
    return "".join(chance.choices(letters, k=count))


def _jwt(chance: random.Random, role: str) -> str:
    claims = {
        "iss": "supabase",
        "ref": _any_of(chance, string.ascii_lowercase, 20),
        "role": role,
        "iat": 1738000000,
        "exp": 2053576000,
    }
    head, body = (
        _unpadded(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    return f"{head}.{body}.{_any_of(chance, _WORDY, 43)}"


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _pem(chance: random.Random) -> str:
    text = base64.b64encode(chance.randbytes(1190)).decode()
    rows = [text[start : start + _PEM_LINE] for start in range(0, len(text), _PEM_LINE)]
    dashes = "-" * 5
    return "\\n".join([f"{dashes}BEGIN PRIVATE KEY{dashes}", *rows, f"{dashes}END PRIVATE KEY{dashes}", ""])
