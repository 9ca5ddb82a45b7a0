"""Speed and memory of the real service beside a trivial endpoint, measured in one run."""
