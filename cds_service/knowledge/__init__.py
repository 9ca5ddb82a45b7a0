"""What we know: numbers, codes, drugs, payers and sources, and the strict loader that reads
them.
"""
