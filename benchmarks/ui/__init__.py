"""How fast the screens are, in a real browser, while the trainer learns."""
