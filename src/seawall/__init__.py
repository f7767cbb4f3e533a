"""Seawall: the defence layer between an AI app and the model providers it pays."""

__version__ = "0.1.0"
