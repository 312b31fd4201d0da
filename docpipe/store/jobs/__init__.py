"""Jobs of the service in SQL: their states, leases, messages, and the pages between two stages."""
