# Finds the bridges' shared modules.
import tiller_calvin  # noqa: F401
