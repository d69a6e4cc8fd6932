"""What outlives a process. SQL stands here and nowhere else."""
