"""The words of the house: types and contracts that everything else is written in."""
