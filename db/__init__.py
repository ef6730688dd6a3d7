"""What is known: nouns, tables, the feedback log, the question queue, model versions, artifacts."""
