"""What the bridges to others' simulators share: Tiller's messages and the node's loop."""
