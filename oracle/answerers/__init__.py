"""Who says: one file per answerer."""
