"""A CDS Hooks service for low back pain and opioid prescribing."""

__version__ = "0.1.0"
