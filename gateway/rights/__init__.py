"""Requests of people: terms, the desk that handles them, their effects, replies and exports."""
