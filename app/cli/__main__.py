"""`python -m app.cli`: the same as `pairwright`."""

from app.cli.main import main

main()
