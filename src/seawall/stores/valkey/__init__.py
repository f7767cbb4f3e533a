"""Homes on Valkey or Redis: shared by several gateways, and worth nothing that may not be lost."""
