"""How many answers it takes to find captions that do not belong: by suspicion, and by random review."""
