"""What a dynamic model is made of: the contract, the control blocks, and how both become machine code."""
