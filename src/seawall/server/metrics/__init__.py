"""What Prometheus is told: figures of this process, and of the workers beside it."""
