"""The use cases: the operations on Jobs and Projects, the same for HTTP requests, S3 events and schedules.

A use case takes a validated request, the caller and its ports. A port is bound to one caller and one deadline, so that
a use case cannot act as another caller or beyond the deadline. There is one module for each set of imports, because
imports are part of a Lambda's cold start.
"""
