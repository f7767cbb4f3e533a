"""Everything that has to last, in a Postgres database that several gateways share."""
