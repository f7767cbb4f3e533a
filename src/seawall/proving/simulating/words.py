"""The texts of a simulation: plain words in no order, of which every one is one token of o200k.

Invariants:
- A text is a piece of a long row of words that is made once, so that writing one costs no more than a copy.
- Instructions, questions and answers come from different rows: no answer gives its instructions away.
- No two words make a sentence, so nothing in a text orders a model to do anything.
"""

import random
from itertools import accumulate

VOCABULARY = (
    "able again air apple arm art back bag ball band bank bird blue boat body book box bread bridge brown "
    "building car card cat chair child city class clean clock cloud coat cold color copy corn corner "
    "country course cup dance day deep desk doctor dog door dream dress drink dry early earth east eight "
    "engine eye face fair farm fast father field film fine fire first fish five flat floor flower food "
    "foot forest four fresh friend front fruit garden gate glass gold grass green ground group hair half "
    "hand happy heart heat high hill home horse hot hour house ice kind king lake land large late leaf "
    "letter level light line little long low machine map market meal middle milk minute moon music name "
    "narrow near neck new night nine north note office oil old orange page paint paper park part path "
    "piece place plain plant point pool poor post power quick quiet rain red rest rich right ring river "
    "road rock roof room round row salt sand school sea season seat seed seven shape sheet ship shirt "
    "shoe shop short side silver six sky slow small snow soft soil song south space spring square stand "
    "star station stone store story street strong summer sun table team ten test three town train travel "
    "tree two voice wall warm water wave weather week west wheel white wide wind window winter wood word "
    "world yard year yellow young"
)
ROW_WORDS = 100_000


class Row:
    """A long row of words; the same seed makes the same."""

    def __init__(self, seed: str) -> None:
        words = random.Random(seed).choices(VOCABULARY.split(), k=ROW_WORDS)  # noqa: S311 - no secret
        self._text = " ".join(words)
        self._begins = [0, *accumulate(len(word) + 1 for word in words)]

    def text(self, place: int, words: int) -> str:
        """Return so many words from a place on, wherever that is."""
        start = place % (ROW_WORDS - words)
        return self._text[self._begins[start] : self._begins[start + words] - 1]


def count_words(text: str) -> int:
    """Return how many words, and so tokens, a text has."""
    return text.count(" ") + 1
