"""Ways to search the vectors of a model version. The folder is the registry: a file defines one `Engine`, see
`trainer.searching`."""
