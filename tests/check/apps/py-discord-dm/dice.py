import random
import re

PATTERN = re.compile(r"(\d{1,2})d(\d{1,3})([+-]\d+)?")


def roll(dice: str) -> int:
    match = PATTERN.fullmatch(dice.replace(" ", ""))
    if not match:
        return 0
    count, sides, plus = int(match[1]), int(match[2]), int(match[3] or 0)
    return sum(random.randint(1, max(sides, 1)) for _ in range(count)) + plus
