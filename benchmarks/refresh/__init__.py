"""Deep refresh against the head alone, on photographs, by the product's own road: log, job, judgement, version."""
