"""The process that holds a card. It runs under any Python from 3.8 on, of 32 bits too, with the standard library alone.

It imports nothing from outside this folder: `client.py` puts the folder above on its path and starts it as `-m worker`.
"""
