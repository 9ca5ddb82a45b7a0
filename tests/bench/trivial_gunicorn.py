"""The trivial endpoint's server, tuned as ours: gthread, two workers of four threads,
garbage collector frozen.
"""

import gc

workers = 2
threads = 4
worker_class = "gthread"
reuse_port = True
control_socket_disable = True


def post_worker_init(worker: object) -> None:
    """Collect, freeze and raise the thresholds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
