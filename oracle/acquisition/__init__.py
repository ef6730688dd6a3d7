"""What to ask next: one file per acquisition function."""
