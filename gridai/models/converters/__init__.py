"""Dynamic models: converters."""
