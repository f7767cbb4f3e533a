"""What a search of one text returns before it is masked."""

from msgspec import Struct

from seawall.check.findings import Confidence, Severity
from seawall.check.secrets.kinds import Provider


class Secret(Struct, frozen=True):
    """A secret as it stands in a text; it never leaves this package unmasked."""

    kind: str
    what: str
    value: str
    start: int
    end: int
    severity: Severity
    confidence: Confidence
    is_token: bool = True
    name: str = ""
    provider: Provider | None = None
