"""Go programs that the gate runs. Each folder is the Go module that pins one of them with its dependencies."""
