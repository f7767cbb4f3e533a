"""The ASGI edge: HTTP in, calls through the pipeline, answers out."""
