"""Secondary control: area controllers and the units that follow them, one model a file."""
