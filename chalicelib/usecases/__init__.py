"""The product: what can be done with Jobs and Projects, the same over HTTP, by S3 and on a schedule.

A use case takes what is asked, who asks and the ports it needs. A port is already bound to the caller and to the
deadline, so that no use case can act as anybody else, or for longer. One module for each set of imports: a Lambda
pays for what it loads.
"""
