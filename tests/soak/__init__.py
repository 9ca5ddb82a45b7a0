"""Load for minutes, with everything around the service going wrong."""
