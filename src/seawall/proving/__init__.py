"""The proving ground: a fake model provider with a bill of its own, and what drives a whole app."""
