"""Does choosing what a step learns from help where many captions are wrong?"""
