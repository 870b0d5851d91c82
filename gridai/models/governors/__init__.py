"""Dynamic models: governors."""
