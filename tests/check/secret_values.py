"""Values that look like keys, drawn when a test runs, so that no file of the repository holds one."""

import random
import string

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def draw(count: int, alphabet: str = LETTERS, seed: int = 7) -> str:
    """Return `count` characters, the same for the same arguments, with a letter and a digit among them."""
    source = random.Random(f"{seed}/{count}/{alphabet}")
    while True:
        value = "".join(source.choice(alphabet) for _ in range(count))
        if any(char.isdigit() for char in value) and any(char.isalpha() for char in value):
            return value


def uuid(seed: int = 7) -> str:
    """Return a UUID."""
    part = draw(32, HEX, seed)
    return f"{part[:8]}-{part[8:12]}-{part[12:16]}-{part[16:20]}-{part[20:]}"
