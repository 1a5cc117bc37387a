"""Deprecated name of `plugport.hookspecs.values.bundle`; it goes with version 0.3."""

import warnings

from .values.bundle import MTIME, OWNER, Bundle, BundleFile, TreeEntry, pack, tree_digest

__all__ = ["MTIME", "OWNER", "Bundle", "BundleFile", "TreeEntry", "pack", "tree_digest"]
warnings.warn("plugport.hookspecs.bundles is now plugport.hookspecs.values.bundle", DeprecationWarning, stacklevel=2)
