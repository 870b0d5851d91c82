"""Electrical controls of renewable units and storage, one file each."""
