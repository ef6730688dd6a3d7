"""The same work by Ray: it starts the processes, on this machine or on several, and everything inside them is ours."""
