"""Are pictures that a generator makes of an item of its class, and do they help?"""
