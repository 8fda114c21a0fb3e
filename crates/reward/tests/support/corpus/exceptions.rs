//! Exceptions from every place: what catches them must leave a program or a mistake.

use super::{Attack, stage};

pub(crate) fn attacks() -> Vec<Attack> {
    let bodies = [
        (
            "an exception in a comprehension",
            "    try:\n        x = [[][0] for i in range(3)]\n    except IndexError:\n        x = 1\n    return x * a.sum()",
        ),
        (
            "an exception in a lambda",
            "    f = lambda: [][0]\n    try:\n        f()\n    except IndexError:\n        return a.sum()\n    return a",
        ),
        (
            "an exception in a class",
            "    try:\n        class C:\n            x = [][0]\n            def f(self): return 1\n    except IndexError:\n        x = 1\n    return x * a.sum()",
        ),
        (
            "an exception in a default",
            "    try:\n        def f(x=[][0]): return 1\n    except IndexError:\n        x = 1\n    return f(1) * a.sum()",
        ),
        (
            "an exception in an initializer",
            "    class C:\n        def __init__(self):\n            self.x = [][0]\n    try:\n        c = C()\n    except IndexError:\n        c = 1\n    return c * a.sum()",
        ),
        (
            "an exception in a key",
            "    try:\n        x = sorted([1, 2], key=lambda x: [][0])\n    except IndexError:\n        x = [1]\n    return x[0] * a.sum()",
        ),
        (
            "an exception in an f-string",
            "    try:\n        x = f'{[][0]}'\n    except IndexError as e:\n        x = f'{e}'\n    return len(x) * a.sum()",
        ),
        (
            "an exception that break loses",
            "    for i in range(3):\n        try:\n            [][0]\n        finally:\n            break\n    return a.sum()",
        ),
        (
            "an exception that return loses",
            "    try:\n        [][0]\n    finally:\n        return a.sum()",
        ),
        (
            "an exception in finally",
            "    y = 0.0\n    try:\n        try:\n            [][0]\n        finally:\n            try:\n                {}['a']\n            except KeyError:\n                y = y + 1\n    except IndexError:\n        y = y + 2\n    return y * a.sum()",
        ),
        (
            "an exception raised again",
            "    try:\n        try:\n            [][0]\n        except IndexError:\n            raise\n    except Exception:\n        x = 1\n    return x * a.sum()",
        ),
        (
            "an exception without a class",
            "    try:\n        raise\n    except:\n        raise\n    return a.sum()",
        ),
        (
            "an exception in else",
            "    try:\n        pass\n    except IndexError:\n        x = 1\n    else:\n        [][0]\n    return x * a.sum()",
        ),
        (
            "exceptions on positions in a loop",
            "    y = 0\n    for i in range(3):\n        try:\n            if a[0, 0, 0] > i:\n                raise ValueError\n            if a[0, 1, 0] > i:\n                continue\n        except ValueError:\n            break\n        finally:\n            y = y + 1\n    return a.sum() * y",
        ),
        (
            "an exception on one way",
            "    try:\n        x = (lambda y: y[5])([1]) if a[0, 0, 0] > 0 else 1\n    except IndexError:\n        x = 2\n    return x * a.sum()",
        ),
        (
            "an exception on every way",
            "    if a[0, 0, 0] > 0:\n        raise ValueError\n    else:\n        raise KeyError\n    return a.sum()",
        ),
        (
            "an exception in a helper on every way",
            "    def f(x):\n        if x > 0:\n            raise ValueError\n        raise KeyError\n    try:\n        x = f(a[0, 0, 0])\n    except KeyError:\n        x = 1\n    return x * a.sum()",
        ),
        (
            "an exception asked for",
            "    class C:\n        @property\n        def x(self):\n            return [][0]\n    try:\n        y = hasattr(C(), 'x') + getattr(C(), 'x', 1)\n    except IndexError:\n        y = 1\n    return y * a.sum()",
        ),
    ];
    bodies.map(|(name, body)| (name, stage(body))).into()
}
