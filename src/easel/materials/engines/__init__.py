"""Who does the units of a long job: this process, several of this machine, or a cluster. What comes out is the same."""
