"""Pictures from elsewhere: other threads, other processes and the ranks of a distributed training."""
