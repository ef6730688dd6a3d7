"""Which pairs of a picture and its words a step learns from, chosen among more than it needs. The folder is the
registry: a file defines one `Selector`, see `trainer.candidates`."""
