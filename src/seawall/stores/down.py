"""What is raised where a store cannot be reached, whatever it is."""

from seawall.core.errors import Overloaded


class StoreDown(Overloaded):
    """The ledger cannot be reached, so no money can be held. Try again in a moment."""

    def __init__(self, private: str) -> None:
        super().__init__(retry_after_s=1.0, private=private)
