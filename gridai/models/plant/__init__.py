"""Plant controllers of renewable units, one file each."""
