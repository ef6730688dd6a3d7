"""Are positives by metadata right, and do they help?"""
