# Finds the bridges' shared modules.
import tiller_libero  # noqa: F401
