"""How an export says that it cannot do what it is asked."""


def unsupported(key: str, found, supported: str) -> SystemExit:
    return SystemExit(f"cannot export: {key} is {found!r}; supported: {supported}")
