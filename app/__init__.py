"""Meeting people: command line, server, pages, importers, exporters."""
