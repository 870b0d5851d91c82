"""Dynamic models: loads."""
