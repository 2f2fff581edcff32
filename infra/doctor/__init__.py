"""`make doctor`: check a deployment, and say what is wrong with it and how to fix it. Reads only.

Each module holds the checks of one part of a deployment. A check is a function that yields Findings;
`report.CHECKS` has all of them in order. No finding contains an ExternalId, a token or a key.
"""
