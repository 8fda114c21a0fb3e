"""NumPy's decompositions and splicing on tensors, for generate.py: with NumPy's results, PyTorch's gradients."""

import numpy as np
import torch


def as_tensor(data):
    return data if isinstance(data, torch.Tensor) else torch.as_tensor(data)


def lstsq(a, b, rcond=None):
    result = torch.linalg.lstsq(a, b)
    rest = ((a @ result.solution - b) ** 2).sum(0, keepdim=b.dim() == 1)
    return result.solution, rest, torch.linalg.matrix_rank(a), torch.linalg.svdvals(a)


def qr(a, mode="reduced"):
    return torch.linalg.qr(a, mode=mode)[1] if mode == "r" else torch.linalg.qr(a, mode=mode)


def svd(a, full_matrices=True, compute_uv=True):
    return torch.linalg.svd(a, full_matrices) if compute_uv else torch.linalg.svdvals(a)


class Decompositions:
    """`np.linalg`: of symmetric matrices, `eig` is `eigh` but for the order."""

    eigh, eigvalsh = staticmethod(torch.linalg.eigh), staticmethod(torch.linalg.eigvalsh)
    eig, eigvals = eigh, eigvalsh
    svd, svdvals, qr, lstsq = staticmethod(svd), staticmethod(torch.linalg.svdvals), staticmethod(qr), staticmethod(lstsq)
    pinv, cholesky = staticmethod(torch.linalg.pinv), staticmethod(torch.linalg.cholesky)
    matrix_rank = staticmethod(lambda a, tol=None: torch.linalg.matrix_rank(a, tol))
    cond = staticmethod(torch.linalg.cond)


def flattened(x, axis):
    return (x.flatten(), 0) if axis is None else (x, axis)


def append(x, values, axis=None):
    values = as_tensor(values)
    x, dim = flattened(x, axis)
    return torch.cat([x, values.flatten() if axis is None else values], dim)


def delete(x, index, axis=None):
    x, dim = flattened(x, axis)
    return torch.index_select(x, dim, torch.tensor(np.delete(np.arange(x.shape[dim]), index)))


def insert(x, index, values, axis=None):
    x, dim = flattened(x, axis)
    shape = list(x.shape)
    del shape[dim]
    slab = as_tensor(values).to(x.dtype).expand(shape).unsqueeze(dim)
    index %= x.shape[dim]
    return torch.cat([x.narrow(dim, 0, index), slab, x.narrow(dim, index, x.shape[dim] - index)], dim)


def select(conditions, choices, default=0):
    result = torch.as_tensor(default)
    for condition, choice in reversed(list(zip(conditions, choices))):
        result = torch.where(condition, choice, result)
    return result


class LaidOut:
    """`np.r_` (flat) and `np.c_` (columns)."""

    def __init__(self, columns):
        self.columns = columns

    def __getitem__(self, items):
        parts = []
        for item in items if isinstance(items, tuple) else (items,):
            part = torch.as_tensor(np.r_[item]) if isinstance(item, slice) else as_tensor(item)
            part = part.reshape(1) if part.dim() == 0 else part
            parts.append(part.unsqueeze(1) if self.columns and part.dim() == 1 else part)
        return torch.cat(parts, -1 if self.columns else 0)


class Splicing:
    append, delete, insert, select = (staticmethod(f) for f in (append, delete, insert, select))
    r_, c_ = LaidOut(False), LaidOut(True)
    empty = staticmethod(torch.empty)
    real, real_if_close = staticmethod(torch.real), staticmethod(torch.real)
    cov = staticmethod(lambda x, rowvar=True, bias=False: torch.cov(x if rowvar else x.T, correction=1 - int(bias)))
    float64, finfo = torch.float64, staticmethod(torch.finfo)
