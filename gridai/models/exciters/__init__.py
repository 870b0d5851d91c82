"""Dynamic models: exciters."""
