"""What docs/openapi.json says, by room: shapes, errors, calls, stored answers, the admin API, health."""
