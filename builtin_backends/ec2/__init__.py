"""The way to EC2 instances: their state, their endpoint, the tunnel. The backend itself is not there yet."""
