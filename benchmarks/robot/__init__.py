"""Sorting from placements alone, one thing at a time: against full labels, simple classifiers, and Ghose et al."""
