"""A file system with the latency of EFS, for `make bench`: a directory of this machine behind FUSE, whose operations wait.

The model is one request of an NFS client after the other, with the latencies that AWS states for a Regional file system with Elastic
throughput (https://docs.aws.amazon.com/efs/latest/ug/performance.html, "Performance summary"): 1 ms for a read, 2.7 ms for a write.
Repeated reads take down to 250 µs there, so the model is the slow end for them.

- **1 ms**: look up a name, read attributes, list a directory (with the attributes of its entries), read a link, open, read content that
  isn't cached, and close a file that was only read.
- **2.7 ms**: create, remove, rename, link, change attributes or the size, and flush what was written: at fsync and when the file is
  closed (close-to-open consistency, https://docs.aws.amazon.com/efs/latest/ug/features.html#consistency).
- **nothing**: write, which fills the client's cache; locks, which stay on the client here; names and attributes for 3 s after they
  were read (`acregmin` of nfs(5)); and content that is cached, if the file hasn't changed when it is opened again.

Throughput isn't limited, and several operations wait at the same time.
"""

from sandbox.efs_latency.mount import LATENCY, mounted, why_not

__all__ = ["LATENCY", "mounted", "why_not"]
