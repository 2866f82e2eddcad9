"""A second reading of finished mail, by another parser than the one that edited it. Pure and synchronous."""
