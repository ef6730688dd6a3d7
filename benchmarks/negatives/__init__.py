"""Which negatives help? Every named system, equal budget, against SimCLR and MoCo with uncurated negatives."""
