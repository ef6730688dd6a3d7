"""Other people's systems, run as published on the same features and the same oracle; each file drives one package."""
