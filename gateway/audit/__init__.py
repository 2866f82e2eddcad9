"""What was done, per message and recipient, chained and without addresses."""
