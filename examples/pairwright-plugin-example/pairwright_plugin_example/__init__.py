"""Parts for Pairwright: one file is one part; pyproject.toml says which family it belongs to."""
