"""What things are called in Valkey: names that tell nothing, and belong to one data store each."""

import hashlib

SCHEMA = 1
"""Of all that is kept; gateways of another one count for themselves."""
REMEMBERED_MAX = 100_000


class Names:
    """Names below one prefix, `seawall:<schema>:{<store>}:`.

    The store is told by its salt: gateways on one database share what is here, those of another app do not,
    also where both are on one server. Whoever reads the names learns nothing of users or addresses without
    the salt. All are in one slot of a cluster by what stands in braces, because a script may touch one only.
    """

    def __init__(self, salt: bytes = b"") -> None:
        self.use_salt(salt)

    def use_salt(self, salt: bytes) -> None:
        """Take the salt of the store; ask for names only afterwards."""
        self._salt = hashlib.blake2b(salt, digest_size=32).digest()
        self.prefix = f"seawall:{SCHEMA}:{{{self._hashed(b'store', 'store')[:16]}}}:"
        self._known: dict[str, str] = {}

    def of(self, kind: str) -> str:
        """Return the name of something that there is once."""
        return self.prefix + kind

    def hashed(self, kind: str, text: str | bytes) -> str:
        """Return a name that says nothing of the text."""
        return f"{self.prefix}{kind}:{self._hashed(text.encode() if isinstance(text, str) else text, kind)}"

    def of_limit(self, key: str, kind: str) -> str:
        """Return the name of what is used of a limit; remembered, because every call asks for some."""
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            known = self._known[key] = self.hashed("limit", key)
        return f"{known}:{kind}"

    def _hashed(self, text: bytes, kind: str) -> str:
        return hashlib.blake2b(text, digest_size=16, key=self._salt, person=kind.encode()[:16]).hexdigest()
