"""What every service is assembled from."""
