"""Digits written, spoken and named: do pictures, recordings and words find each other?"""
