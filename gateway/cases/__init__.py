"""Open requests of people, sealed; the mail they cause; the register of what was handled; breaches."""
