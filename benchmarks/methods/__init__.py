"""Every named system of the positive half at equal budget, beside lightly's own parts for the same."""
