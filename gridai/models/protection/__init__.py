"""Dynamic models: protection."""
