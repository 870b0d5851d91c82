"""Dynamic models: stabilizers."""
