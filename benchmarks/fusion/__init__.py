"""Do networks that read pictures and words together look at the picture?"""
