"""Detectors: text in, findings out. They never decide."""
