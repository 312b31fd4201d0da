"""Orders for goods and for air time, and delivery notes."""
