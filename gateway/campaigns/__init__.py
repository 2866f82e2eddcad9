"""What copies of a campaign had in common, as keyed hashes that mean nothing elsewhere or later."""
