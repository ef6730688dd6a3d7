"""REST for browsers, robots and programs: everything under /api/v1, described at /openapi.json."""
