"""Dynamic models: machines."""
