"""Dynamic device models, one model a file, found by `gridai.models.catalog`."""
